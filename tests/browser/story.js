// The whole story, as a person would walk it: from the first-run link to signing out.
import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { findings } from "./findings.js";
import { check, counts, listen, look } from "./judge.js";
import { phones } from "./phones.js";
import { base, go, path, submit } from "./steps.js";

const { TYRIAN_LINK: link, TYRIAN_PASSWORD: password } = process.env;

// Something of ours to test: a page without any protection, and a listing.
const weak = (address) => new Promise((resolve) => {
  const server = createServer((request, response) => {
    response.setHeader("server", "Apache/2.4.49 (Unix)");
    response.setHeader("set-cookie", "session=1");
    response.setHeader("content-type", "text/html");
    response.end("<html><head><title>Index of /</title></head><body><h1>Index of /</h1><a href='backup.sql'>backup.sql</a></body></html>");
  });
  server.listen(0, address, () => resolve({ server, port: server.address().port }));
});

const signIn = async (page, username, secret) => {
  await go(page, "/sign-in");
  await page.fill("#username", username);
  await page.fill("#password", secret);
  await submit(page, "/sign-in");
};

// Target, authorisation, scan, findings, decision, report, audit.
const work = async (page, tag, address) => {
  const { server, port } = await weak(address);
  await go(page, "/targets/new");
  await look(page, `${tag}-target-new`);
  await page.fill("#name", `Shop ${tag}`);
  await page.fill("#address", address);
  await page.fill("#environment", "test");
  await page.fill("#tags", "shop, pci");
  await submit(page, "/targets");
  const target = path(page);
  check(`${tag}: a target is recorded`, /^\/targets\/[0-9a-f-]{36}$/.test(target) ? "" : page.url());
  await look(page, `${tag}-target-bare`);

  await go(page, `/scans/new?target=${target.split("/").pop()}`);
  await look(page, `${tag}-scan-refused`);
  await submit(page, "/scans");
  check(`${tag}: no authorisation, no scan`, (await page.locator("[role=alert]").count()) === 1 ? "" : "no alert");
  page.complaints.length = 0;

  await go(page, `${target}/authorize`);
  await page.fill("#granted_by", "Ada Lovelace, CISO");
  await page.fill("#evidence", "Ticket SEC-1: we own this server.");
  await look(page, `${tag}-authorize`);
  await submit(page, `${target}/authorize`);
  check(`${tag}: the authorisation is recorded`, path(page) === target ? "" : page.url());
  await look(page, `${tag}-target`);

  await go(page, `/scans/new?target=${target.split("/").pop()}`);
  await page.click("main details summary");
  await page.fill("#ports", `1-400,${port}`);
  await page.fill("#rate_per_second", "150");
  await look(page, `${tag}-scan-new`);
  await submit(page, "/scans");
  const scan = path(page);
  check(`${tag}: the scan starts`, /^\/scans\/[0-9a-f-]{36}$/.test(scan) ? "" : page.url());
  const live = page.locator("[data-live]");
  if (await live.count()) {
    await page.waitForFunction(() => document.querySelector("[data-percent]")?.textContent || !document.querySelector("[data-live]"), null, { timeout: 20000 });
    await look(page, `${tag}-scan-live`);
  }
  await page.waitForFunction(() => !document.querySelector("[data-live]"), null, { timeout: 120000 });
  await page.waitForLoadState("load");
  check(`${tag}: the scan completes`, (await page.locator(".state.completed").count()) ? "" : await page.locator("main").innerText());
  await look(page, `${tag}-scan-done`);
  await go(page, "/scans");
  await look(page, `${tag}-scans`);

  await go(page, "/findings");
  await look(page, `${tag}-findings`);
  await go(page, "/findings?q=there-is-no-such-thing");
  await look(page, `${tag}-findings-none`);
  await go(page, `/findings?target=${target.split("/").pop()}`);
  const first = page.locator("main table tbody th a");
  check(`${tag}: there are findings`, (await first.count()) > 2 ? "" : `only ${await first.count()}`);
  await Promise.all([page.waitForEvent("load"), first.first().click()]);
  await look(page, `${tag}-finding`);
  await walked(page, tag);
  await page.check("input[name=kind][value=accepted]");
  await page.fill("#reason", "The shop moves next month.");
  await page.fill("#valid_until", "2031-01-01T00:00");
  await Promise.all([page.waitForEvent("load"), page.click("main form[action*='/decisions?'] button[type=submit]")]);
  const until = await page.locator(".state.accepted, .notice.bad").first().innerText();
  check(`${tag}: the decision counts`, (await page.locator(".badges .state.accepted").count()) ? "" : until);
  await look(page, `${tag}-finding-decided`);
  for (const text of ["Asked the shop's team.\nNo answer yet.", "A slip"]) {
    await page.fill("#text", text);
    await Promise.all([page.waitForEvent("load"), page.click("main form[action*='/notes?'] button[type=submit]")]);
  }
  await look(page, `${tag}-finding-noted`);
  await Promise.all([page.waitForEvent("load"), page.click("main form[action*='/notes/delete'] button[type=submit] >> nth=0")]);
  const notes = await page.locator("section[aria-labelledby=notes] .prose").allInnerTexts();
  check(`${tag}: notes stay as they were written until they are taken away`, notes.length === 1 && notes[0].includes("No answer yet.") ? "" : notes.join(" | "));

  await go(page, `/reports?scan=${scan.split("/").pop()}`);
  await page.fill("#title", `Shop, ${tag}`);
  await submit(page, "/reports");
  const pdf = page.locator('main a[href$="/pdf"]').first();
  await pdf.waitFor({ timeout: 90000 });
  await look(page, `${tag}-reports`);
  const [download] = await Promise.all([page.waitForEvent("download"), pdf.click()]);
  const stream = await download.createReadStream();
  const head = await new Promise((resolve) => stream.once("data", resolve));
  check(`${tag}: the PDF is one`, head.subarray(0, 5).toString() === "%PDF-" ? "" : head.subarray(0, 40).toString());

  await go(page, "/audit");
  check(`${tag}: the audit log knows`, (await page.locator("text=scans.start").count()) ? "" : "no scans.start");
  await look(page, `${tag}-audit`);
  server.close();
};

// To the next finding and back by keys alone, for the row of the way has the focus.
const walked = async (page, tag) => {
  const here = path(page);
  check(`${tag}: the first finding has none before it`, (await page.locator(".walk a[rel=prev]").count()) ? "there is one" : "");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("ArrowRight")]);
  check(`${tag}: a key leads to the next finding`, path(page) !== here && (await page.locator(".walk a[rel=prev]").count()) ? "" : page.url());
  await look(page, `${tag}-finding-walked`);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("ArrowLeft")]);
  check(`${tag}: a key leads back`, path(page) === here ? "" : page.url());
  await Promise.all([page.waitForEvent("load"), page.click(".walk > a")]);
  check(`${tag}: the list is where it was`, path(page) === "/findings" && new URL(page.url()).search.includes("target=") && (await page.locator("tbody tr:target").count()) ? "" : page.url());
  check(`${tag}: what came with a link is told`, (await page.locator(".saved .tag").count()) ? "" : "nothing is told");
  await look(page, `${tag}-findings-linked`);
  await Promise.all([page.waitForEvent("load"), page.click("tbody tr:target th a")]);
};

// Everything around it, once.
const around = async (page) => {
  await go(page, "/audit");
  await submit(page, "/audit/verify");
  check("the audit log verifies", (await page.locator(".notice.good").count()) ? "" : await page.locator("main").innerText());
  await look(page, "en-audit-verify");
  await go(page, "/audit");
  await Promise.all([page.waitForEvent("load"), page.click("main tbody td a >> nth=0")]);
  await look(page, "en-audit-entry");

  await go(page, "/settings/profile");
  await look(page, "en-profile");
  await go(page, "/settings/tokens");
  await page.fill("#name", "pipeline");
  await page.check("input[name=scopes][value='read:findings']");
  await submit(page, "/settings/tokens");
  check("a token is shown once", /tyr_/.test(await page.locator(".notice.good pre").innerText()) ? "" : "no token");
  await look(page, "en-tokens");
  await go(page, "/settings/organisation");
  await look(page, "en-organisation");
  await go(page, "/settings/users");
  await page.fill("#username", "grace");
  await page.fill("#email", "grace@example.org");
  await submit(page, "/settings/users");
  const invitation = await page.locator(".notice.good pre").innerText();
  await look(page, "en-users");
  await Promise.all([page.waitForEvent("load"), page.click("main tbody a:has-text('grace')")]);
  await look(page, "en-user");
  await go(page, "/targets");
  await look(page, "en-targets");
  await go(page, "/targets?q=Shop");
  await Promise.all([page.waitForEvent("load"), page.click("main tbody a >> nth=0")]);
  await Promise.all([page.waitForEvent("load"), page.click("main a[href$='/edit']")]);
  await look(page, "en-target-edit");
  await go(page, path(page).replace(/\/edit$/, ""));
  await Promise.all([page.waitForEvent("load"), page.click("main a[href$='/revoke']")]);
  await look(page, "en-revoke");
  await page.click("header a.brand");
  await page.goto(`${base}/there/is/nothing`);
  check("what is not there is a page", (await page.locator("h1").count()) ? "" : "no heading");
  page.complaints.length = 0;
  await look(page, "en-not-found");
  await go(page, "/");
  await look(page, "en-overview");
  return invitation;
};

const context = async (browser, locale) => {
  const made = await browser.newContext({ locale, viewport: { width: 1280, height: 900 }, timezoneId: "UTC", acceptDownloads: true });
  made.setDefaultTimeout(30000);
  const page = await made.newPage();
  page.complaints = listen(page);
  return { made, page };
};

const silent = (page, name) => check(`${name}: the console is silent`, page.complaints.join("\n  "));

const english = async (browser) => {
  const { made, page } = await context(browser, "en-GB");
  await go(page, "/");
  check("the first visitor is sent to the first run", path(page) === "/first-run" ? "" : page.url());
  await look(page, "en-first-run-bare");
  await page.goto(link);
  await look(page, "en-first-run");
  await page.fill("#organisation", "Judges");
  await page.fill("#username", "judge");
  await page.fill("#email", "judge@example.org");
  await page.fill("#password", password);
  await submit(page, "/first-run");
  check("the first administrator is inside", path(page) === "/" ? "" : page.url());
  await look(page, "en-overview-empty");
  for (const list of ["targets", "scans", "findings", "reports", "imports", "reviews", "decisions", "clusters", "causes", "paths", "patterns", "estimates", "trends", "search"]) {
    await go(page, `/${list}`);
    await look(page, `en-${list}-empty`);
  }
  await work(page, "en", "127.0.0.9");
  await findings(page, "en", "192.0.2.8");
  await phones(page, "en");
  const invitation = await around(page);
  silent(page, "en");
  await Promise.all([page.waitForEvent("load"), page.click('form[action="/sign-out"] button')]);
  check("signing out leads to the door", path(page) === "/sign-in" ? "" : page.url());
  await go(page, "/findings");
  check("nothing is shown outside", path(page) === "/sign-in" ? "" : page.url());
  await look(page, "en-sign-in");
  await page.goto(invitation);
  await look(page, "en-invitation");
  await page.fill("#password", password);
  await page.fill("#repeated", password);
  await submit(page, "/invitation");
  await signIn(page, "grace", password);
  await look(page, "en-viewer-overview");
  await go(page, "/settings/users");
  check("a viewer is told why not", (await page.locator("h1").count()) ? "" : "no page");
  page.complaints.length = 0;
  await look(page, "en-forbidden");
  await made.close();
};

const portuguese = async (browser) => {
  const { made, page } = await context(browser, "pt-BR");
  await signIn(page, "judge", "wrong password");
  check("a wrong password is told", (await page.locator("[role=alert]").count()) ? "" : "no alert");
  page.complaints.length = 0;
  await look(page, "pt-sign-in-refused");
  await signIn(page, "judge", password);
  check("the page speaks Portuguese", (await page.locator("html").getAttribute("lang")) === "pt-BR" ? "" : "another language");
  await work(page, "pt", "127.0.0.10");
  await findings(page, "pt", "192.0.2.9");
  await phones(page, "pt");
  await go(page, "/");
  await look(page, "pt-overview");
  silent(page, "pt");
  await Promise.all([page.waitForEvent("load"), page.click('form[action="/sign-out"] button')]);
  await made.close();
};

const spanish = async (browser) => {
  const { made, page } = await context(browser, "es-MX");
  await go(page, "/sign-in");
  await look(page, "es-sign-in");
  await signIn(page, "judge", password);
  await look(page, "es-overview");
  await Promise.all([page.waitForEvent("load"), page.click("footer a[lang=en]")]);
  check("a language can be chosen", (await page.locator("html").getAttribute("lang")) === "en" ? "" : "not English");
  silent(page, "es");
  await made.close();
};

const browser = await chromium.launch({ executablePath: process.env.TYRIAN_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
try {
  for (const story of [english, portuguese, spanish]) {
    try {
      await story(browser);
    } catch (error) {
      check(`the story in ${story.name}`, error.stack);
    }
  }
} finally {
  await browser.close();
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed ? 1 : 0);
