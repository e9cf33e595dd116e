// The fleet: a phone enrols, is locked elsewhere while its page is open, is released; a kill switch; who else is told.
import { check, look } from "./judge.js";
import { Phone } from "./phone.js";
import { base, go, path, submit } from "./steps.js";

const { TYRIAN_PASSWORD: password } = process.env;

const operator = async () => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${base}/api/v1/auth/login`, { method: "POST", headers, body: JSON.stringify({ username: "judge", password }) });
  const { access_token: token } = await response.json();
  return async (method, place, body) => {
    const answer = await fetch(`${base}/api/v1${place}`, { method, headers: { ...headers, authorization: `Bearer ${token}` }, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${place}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
};

const enrolled = async (page, tag) => {
  await go(page, "/devices/codes");
  await page.fill("#name", `Phone ${tag}`);
  await page.check("input[name=ownership][value=byod]");
  await submit(page, "/devices/codes");
  const code = await page.locator(".notice.good pre").innerText();
  check(`${tag}: a code is shown once`, code.startsWith("tec_") ? "" : code);
  await look(page, `${tag}-codes`);
  const phone = new Phone();
  await phone.enrol(code.trim());
  return phone;
};

export const phones = async (page, tag) => {
  await go(page, "/devices");
  await look(page, `${tag}-devices-empty`);
  await go(page, "/devices/policy");
  await page.check("input[name=software_keys]");
  await submit(page, "/devices/policy");
  await look(page, `${tag}-device-policy`);
  const phone = await enrolled(page, tag);
  const asks = await operator();

  await go(page, "/devices");
  await page.evaluate(() => { window.isSame = true; });
  const measured = await phone.measures();
  check(`${tag}: readings are taken`, measured.status === 200 ? "" : JSON.stringify(measured));
  await page.waitForFunction(() => document.querySelector("#fleet tbody time"), null, { timeout: 15000 });
  check(`${tag}: readings appear in the fleet without a reload`, (await page.evaluate(() => window.isSame)) ? "" : "the page was loaded anew");
  await look(page, `${tag}-devices`);

  await Promise.all([page.waitForEvent("load"), page.click(`#fleet a[href="/devices/${phone.id}"]`)]);
  await look(page, `${tag}-device`);
  await page.evaluate(() => { window.isSame = true; });
  const begun = Date.now();
  await asks("POST", `/devices/${phone.id}/lock`, { reason: "Left in a taxi", seconds: 3600 });
  await page.waitForFunction(() => document.querySelector("#device-state .bad")?.textContent.includes("Left in a taxi"), null, { timeout: 15000 });
  const took = Date.now() - begun;
  check(`${tag}: a lock made elsewhere appears on the open page`, (await page.evaluate(() => window.isSame)) && took < 3000 ? "" : `after ${took} ms`);
  console.log(`${tag}: a lock made by the API stood on the open page after ${took} ms`);
  await phone.ask("POST", "/api/v1/device/commands/1/acknowledge", { token: phone.token, body: { outcome: "done" } });
  await look(page, `${tag}-device-locked`);

  await go(page, `/devices/${phone.id}/unlock`);
  await look(page, `${tag}-device-unlock`);
  await page.fill("#reason", "The driver brought it back.");
  await submit(page, `/devices/${phone.id}/unlock`);
  check(`${tag}: the phone is released`, path(page) === `/devices/${phone.id}` && !(await page.locator("#device-state .bad").count()) ? "" : page.url());
  await go(page, `/devices/${phone.id}/lock`);
  await look(page, `${tag}-device-lock`);
  await page.fill("#reason", " ");
  await submit(page, `/devices/${phone.id}/lock`);
  check(`${tag}: no lock without a reason`, (await page.locator("#reason-fault").count()) ? "" : "no fault");
  page.complaints.length = 0;
  for (const order of ["message", "edit"]) {
    await go(page, `/devices/${phone.id}/${order}`);
    await look(page, `${tag}-device-${order}`);
  }

  await go(page, "/devices/switches");
  await look(page, `${tag}-switches`);
  await go(page, "/devices/switches/new");
  await page.fill("#reason", "The signing key leaked.");
  await look(page, `${tag}-switch-new`);
  await submit(page, "/devices/switches");
  const place = path(page);
  await look(page, `${tag}-switch`);
  const thrown = async (typed) => {
    await page.fill("#password", typed);
    await page.click(`form[action="${place}/throw"] button`);
    await Promise.all([page.waitForEvent("load"), page.click("dialog button.danger")]);
  };
  await thrown("not the password");
  check(`${tag}: a wrong password throws nothing`, (await page.locator("#password-fault").count()) ? "" : await page.locator("main").innerText());
  page.complaints.length = 0;
  await thrown(password);
  check(`${tag}: the switch is thrown`, (await page.locator(".state.thrown").count()) ? "" : await page.locator("main").innerText());
  await look(page, `${tag}-switch-thrown`);
  const refused = await phone.measures();
  check(`${tag}: a stopped phone is refused`, refused.status === 403 ? "" : JSON.stringify(refused));
  await go(page, "/devices");
  await look(page, `${tag}-devices-stopped`);
  await go(page, place);
  await page.fill("#reason", "The key is replaced.");
  await submit(page, `${place}/release`);
  check(`${tag}: the switch is taken back`, (await page.locator(".state.taken_back").count()) ? "" : await page.locator("main").innerText());

  await go(page, "/settings/streams");
  await look(page, `${tag}-streams`);
  await page.fill("#description", `Identity provider ${tag}`);
  await page.check("input[name=method][value=poll]");
  await submit(page, "/settings/streams");
  const stream = path(page);
  await submit(page, `${stream}/verify`);
  check(`${tag}: a test event is on its way`, (await page.locator(".notice.good").count()) ? "" : page.url());
  await look(page, `${tag}-stream`);
  await go(page, "/settings/streams");
  await look(page, `${tag}-streams-some`);
  await asks("POST", `/ssf/poll/${stream.split("/").pop()}`, { returnImmediately: true }).then(({ sets }) =>
    check(`${tag}: the receiver gets it`, Object.keys(sets).length === 1 ? "" : JSON.stringify(sets)));
};
