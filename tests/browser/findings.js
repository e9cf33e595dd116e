// Findings of other tools: looked at, taken in, told apart, decided about, grouped, searched, and their rules.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { check, look } from "./judge.js";
import { go, path, submit } from "./steps.js";

// An nmap run over ports with these open.
const nmap = (address, ports) => `<?xml version="1.0"?><nmaprun scanner="nmap" args="nmap -sV ${address}" start="1767323045" version="7.95" xmloutputversion="1.05">
<scaninfo type="connect" protocol="tcp" services="1-10000"/><host starttime="1767323045" endtime="1767323046"><status state="up" reason="syn-ack"/><address addr="${address}" addrtype="ipv4"/>
<ports>${ports.map((port) => `<port protocol="tcp" portid="${port}"><state state="open" reason="syn-ack"/><service name="http"/></port>`).join("")}</ports></host>
<runstats><finished time="1767323046" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>`;

const samedit = "Sudo before 1.9.5p2 contains an off-by-one error that results in a heap-based buffer overflow.";
const vector = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H";
const trivy = JSON.stringify({
  SchemaVersion: 2, ArtifactName: "registry.example.org/shop:4.2", ArtifactType: "container_image",
  Results: [{
    Target: "registry.example.org/shop:4.2 (debian 10.7)", Class: "os-pkgs", Type: "debian",
    Vulnerabilities: [
      { VulnerabilityID: "CVE-2021-3156", PkgName: "sudo", InstalledVersion: "1.8.27-1+deb10u2", FixedVersion: "1.8.27-1+deb10u3", Severity: "HIGH", Title: "sudo: Heap buffer overflow in argument parsing", Description: samedit, CweIDs: ["CWE-193"], CVSS: { nvd: { V3Vector: vector, V3Score: 7.8 } }, References: ["https://nvd.nist.gov/vuln/detail/CVE-2021-3156"] },
      { VulnerabilityID: "CVE-2022-1292", PkgName: "openssl", InstalledVersion: "1.1.1d-0+deb10u7", FixedVersion: "1.1.1n-0+deb10u2", Severity: "CRITICAL", Title: "openssl: c_rehash script allows command injection", Description: "The script does not sanitise shell metacharacters.", CVSS: { nvd: { V3Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", V3Score: 9.8 } } },
    ],
  }],
});
const grype = JSON.stringify({
  matches: [{
    vulnerability: { id: "CVE-2021-3156", dataSource: "https://security-tracker.debian.org/tracker/CVE-2021-3156", severity: "High", description: samedit, urls: [], cvss: [{ version: "3.1", vector, metrics: { baseScore: 7.8 } }], fix: { versions: ["1.8.27-1+deb10u3"], state: "fixed" } },
    relatedVulnerabilities: [], matchDetails: [],
    artifact: { name: "sudo", version: "1.8.27-1+deb10u2", type: "deb", purl: "pkg:deb/debian/sudo@1.8.27-1+deb10u2", locations: [{ path: "/var/lib/dpkg/status" }] },
  }],
  source: { type: "image", target: { userInput: "registry.example.org/shop:4.2" } },
  descriptor: { name: "grype", version: "0.80.0" },
});
const kev = JSON.stringify({
  title: "CISA Catalog of Known Exploited Vulnerabilities", catalogVersion: "2026.01.02", dateReleased: "2026-01-02T10:00:00.0000Z", count: 1,
  vulnerabilities: [{ cveID: "CVE-2021-3156", vendorProject: "Sudo", product: "Sudo", vulnerabilityName: "Sudo Heap-Based Buffer Overflow", dateAdded: "2022-04-06", shortDescription: samedit, requiredAction: "Update", dueDate: "2022-04-27", knownRansomwareCampaignUse: "Unknown", notes: "", cwes: ["CWE-193"] }],
});
const epss = "#model_version:v2025.03.14,score_date:2026-01-02T00:00:00+0000\ncve,epss,percentile\nCVE-2021-3156,0.92188,0.99724\nCVE-2022-1292,0.51234,0.97811\n";
const csv = "name,type,address,criticality\nDesk,host,192.0.2.40,low\nNowhere,planet,mars,high\n";

const choose = (page, name, text) => page.setInputFiles("input[type=file]", { name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });
const press = (page, selector) => Promise.all([page.waitForEvent("load"), page.click(selector)]);

const takeIn = async (page, name, text, shot, target) => {
  await go(page, "/imports");
  await choose(page, name, text);
  if (target) await page.selectOption("#target_id", { label: target });
  await press(page, "button[name=go][value=preview]");
  if (shot) await look(page, `${shot}-preview`);
  await submit(page, "/imports");
  check(`${name} is taken in`, /^\/imports\/[0-9a-f-]{36}$/.test(path(page)) ? "" : await page.locator("main").innerText());
  if (shot) await look(page, shot);
};

const settings = async (page, tag) => {
  await go(page, "/settings/feeds");
  await look(page, `${tag}-feeds-bare`);
  for (const [kind, name, text] of [["kev", "known_exploited_vulnerabilities.json", kev], ["epss", "epss_scores-2026-01-02.csv", epss]]) {
    await page.setInputFiles(`#file-${kind}`, { name, mimeType: "text/plain", buffer: Buffer.from(text) });
    await submit(page, `/settings/feeds/${kind}`);
    check(`${tag}: ${kind} is brought`, (await page.locator(".notice.good").count()) ? "" : await page.locator("main").innerText());
  }
  await look(page, `${tag}-feeds`);
  await go(page, "/settings/sla");
  await page.fill("#unit", `shops ${tag}`);
  await page.fill("input[name=on_critical_critical]", "1");
  await look(page, `${tag}-sla`);
  await submit(page, "/settings/sla");
  await page.check("input[name=four_eyes]");
  await submit(page, "/settings/policy");
  await look(page, `${tag}-rules`);
};

const targets = async (page, tag) => {
  await go(page, "/targets/import");
  await choose(page, "targets.csv", csv.replace("Desk", `Desk ${tag}`));
  await submit(page, "/targets/import/preview");
  await look(page, `${tag}-targets-preview`);
  await submit(page, "/targets/import");
  check(`${tag}: targets are imported`, (await page.locator(".figures").count()) ? "" : await page.locator("main").innerText());
  await go(page, `/targets?q=Shop+${tag}`);
  await press(page, "main tbody th a");
  await press(page, "main a[href$='/evidence']");
  await look(page, `${tag}-evidence`);
  await choose(page, "letter.pdf", "%PDF-1.7");
  await press(page, "main form button[type=submit]");
  check(`${tag}: evidence is handed in`, (await page.locator("main a[href$='/evidence'][download]").count()) ? "" : "no file");
};

const decisions = async (page, tag) => {
  await go(page, "/findings?q=192.0.2");
  await page.check("tbody input[type=checkbox] >> nth=0");
  check(`${tag}: choosing opens the form`, (await page.locator("details[data-bulk][open]").count()) ? "" : "closed");
  await page.check("input[data-all]");
  const [chosen, said] = [await page.locator("tbody input:checked").count(), await page.locator("[data-count]").innerText()];
  check(`${tag}: the form says how many are chosen`, chosen > 2 && said.includes(String(chosen)) ? "" : `${said}, not ${chosen}`);
  await page.selectOption("#kind", "mitigated");
  await page.fill("#reason", "Behind the firewall.");
  await look(page, `${tag}-bulk`);
  await submit(page, "/findings/decisions");
  await look(page, `${tag}-bulk-done`);
  await press(page, "main form[action$='/undo'] button");
  check(`${tag}: all of it is taken back`, (await page.locator("tbody .state.mitigated").count()) ? "still there" : "");
  await go(page, "/findings?severity=critical&severity=high");
  await page.click("main .saved summary");
  await page.fill("#name", `Grave ${tag}`);
  await page.check("input[name=is_shared]");
  await submit(page, "/findings/filters");
  check(`${tag}: the filter is kept`, (await page.locator(`.saved a:has-text("Grave ${tag}")`).count()) ? "" : "no filter");
  await folded(page, tag);
  await page.click("main .head .menu summary");
  await look(page, `${tag}-findings-filtered`);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("main a[href$='format=sarif']")]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  check(`${tag}: what is shown is exported`, JSON.parse(Buffer.concat(chunks).toString()).runs?.length ? "" : "no runs");
};

// On a phone the filters fold and say how many there are; elsewhere they are open and nothing says that they fold.
const folded = async (page, tag) => {
  check(`${tag}: filters are open where there is room`, (await page.isVisible("#cve")) && !(await page.isVisible(".fold > summary")) ? "" : "folded");
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  const said = await page.locator(".fold > summary").innerText();
  check(`${tag}: filters fold on a phone and are counted`, !(await page.isVisible("#cve")) && /1/.test(said) ? "" : said);
  await page.click(".fold > summary");
  check(`${tag}: filters unfold`, (await page.isVisible("#cve")) ? "" : "still folded");
  await look(page, `${tag}-findings-unfolded`);
  await page.setViewportSize(size);
};

const grouped = async (page, tag) => {
  await go(page, "/clusters");
  check(`${tag}: two tools tell of one weakness`, (await page.locator("main tbody tr").count()) ? "" : "no cluster");
  await look(page, `${tag}-clusters`);
  await go(page, "/findings?cve=CVE-2021-3156");
  await press(page, "main tbody th a >> nth=0");
  await page.check("input[name=kind][value=accepted]");
  await page.fill("#reason", "Until the summer.");
  await press(page, "main form[action*='/decisions?'] button[type=submit]");
  check(`${tag}: a second person is asked for`, (await page.locator("main form[action^='/decisions/']").count()) ? "" : "nobody");
  await page.click("section[aria-labelledby=cluster] summary");
  await look(page, `${tag}-finding-risk`);
  await go(page, "/decisions");
  await look(page, `${tag}-decisions`);
  check(`${tag}: nobody is their own second person`, (await page.locator("input[name=approve][value=true]").count()) ? "may approve" : "");
  await press(page, "main tbody form[action^='/decisions/'] button >> nth=0");
  check(`${tag}: who asked takes it back`, (await page.locator(".notice.good").count()) ? "" : page.url());
};

const reviewed = async (page, tag) => {
  await go(page, "/reviews");
  await look(page, `${tag}-review`);
  // The panel has the focus: one key answers.
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("1")]);
  check(`${tag}: a key says that it is the same`, (await page.locator(".notice.good").count()) ? "" : page.url());
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("n")]);
  await look(page, `${tag}-review-empty`);
};

const searched = async (page, tag) => {
  await go(page, "/search");
  await look(page, `${tag}-search-bare`);
  for (let tries = 0; tries < 60; tries += 1) {
    await go(page, "/search?q=cve%3ACVE-2021-3156+severity%3A%3E%3Dhigh");
    if (await page.locator(".hits li").count()) break;
    await page.waitForTimeout(500);
  }
  check(`${tag}: what was taken in is found`, (await page.locator(".hits li").count()) ? "" : await page.locator("main").innerText());
  await look(page, `${tag}-search`);
  await page.fill("#q", "port:[1 TO");
  await submit(page, "/search");
  check(`${tag}: a query is corrected where it is wrong`, (await page.locator("#q-fault").count()) ? "" : "no fault");
  page.complaints.length = 0;
  await look(page, `${tag}-search-refused`);
};

// A result of nuclei at a place, or the same check without a match.
const hit = (id, severity, url, classification = {}, matched = true) => `${JSON.stringify({
  "template-id": id, info: { name: id, severity, classification }, type: "http", host: url, "matched-at": url, "matcher-status": matched, timestamp: "2026-01-02T03:04:05Z",
})}\n`;

// A way from the internet to a login, and a check whose finding comes back twice.
const laid = async (page, tag) => {
  const network = tag === "en" ? "203.0.113" : "198.51.100";
  for (const [name, host, label] of [[`Web ${tag}`, 5, "exposure:internet"], [`Vault ${tag}`, 7, "exposure:internal"]]) {
    await go(page, "/targets/new");
    await page.fill("#name", name);
    await page.fill("#address", `${network}.${host}`);
    await page.fill("#tags", label);
    await submit(page, "/targets");
  }
  const site = `https://${network}.5`;
  const back = (matched) => hit(`back-${tag}`, "high", `${site}/back`, {}, matched);
  const first = hit("rce", "high", `${site}/login`, { "cve-id": ["CVE-2021-3156"] }) + hit("leaked-key", "medium", `${site}/.env`, { "cwe-id": ["cwe-798"] });
  await takeIn(page, "web.jsonl", first + back(true), "", `Web ${tag}`);
  for (const matched of [false, true, false, true]) await takeIn(page, "web-later.jsonl", first + back(matched), "", `Web ${tag}`);
  await takeIn(page, "vault.xml", nmap(`${network}.7`, [22]).replace('name="http"', 'name="ssh"'), "", `Vault ${tag}`);
};

const connected = async (page, tag) => {
  await laid(page, tag);
  await go(page, "/causes");
  check(`${tag}: findings share causes`, (await page.locator("main tbody tr").count()) ? "" : await page.locator("main").innerText());
  await look(page, `${tag}-causes`);
  for (const [name, found] of [["paths", ".way li"], ["patterns", "main tbody tr"], ["estimates", "main dl"]]) {
    await go(page, `/${name}`);
    check(`${tag}: there is something in ${name}`, (await page.locator(found).count()) ? "" : await page.locator("main").innerText());
    await look(page, `${tag}-${name}`);
  }
  await go(page, "/imports/mappings/edit");
  await look(page, `${tag}-mapping-new`);
  const mapping = { name: `inhouse-${tag}`, keys: ["id"], fields: { check: "id", title: "name", host: "host", severity: { from: "rating", table: { "2": "medium", "3": "high" } } } };
  await page.fill("#mapping", JSON.stringify(mapping, null, 2).replace(/}$/, ""));
  await page.fill("#sample", "id;name;host;rating\n1;Weak key;a.example;3\n2;Old page;b.example;2\n");
  await press(page, "main button[name=go][value=try]");
  check(`${tag}: a mapping is corrected where it is wrong`, (await page.locator("#mapping-fault").count()) ? "" : "no fault");
  page.complaints.length = 0;
  await look(page, `${tag}-mapping-refused`);
  await page.fill("#mapping", JSON.stringify(mapping, null, 2));
  await press(page, "main button[name=go][value=try]");
  check(`${tag}: a mapping fits`, (await page.locator("#trial").count()) && (await page.locator(".notice.good").count()) ? "" : await page.locator("main").innerText());
  await look(page, `${tag}-mapping-tried`);
  await press(page, "main button[name=go][value=save]");
  check(`${tag}: a mapping is saved`, path(page) === "/imports/mappings" ? "" : page.url());
  await look(page, `${tag}-mappings`);
  await go(page, "/imports");
  check(`${tag}: imports offer it`, (await page.locator(`option[value="mapping:inhouse-${tag}"]`).count()) ? "" : "not offered");
};

// What nights would have written.
const remembered = () => execFileSync("python3", [fileURLToPath(new URL("./history.py", import.meta.url)), process.env.TYRIAN_DATABASE]);

export const findings = async (page, tag, address) => {
  await go(page, "/trends");
  await look(page, `${tag}-trends-young`);
  await settings(page, tag);
  await targets(page, tag);
  await go(page, "/imports");
  await page.click("main form details summary");
  await look(page, `${tag}-import-form`);
  await takeIn(page, "office.xml", nmap(address, [8080, 22]));
  await takeIn(page, "trivy.json", trivy, `${tag}-import`);
  await takeIn(page, "grype.json", grype);
  await takeIn(page, "office-later.xml", nmap(address, [7001, 7002, 22]), `${tag}-import-doubtful`);
  await go(page, "/imports");
  await choose(page, "broken.xml", nmap(address, [1]).slice(0, 300));
  await press(page, "button[name=go][value=preview]");
  check(`${tag}: a broken file is refused`, (await page.locator("[role=alert]").count()) === 1 ? "" : "no alert");
  page.complaints.length = 0;
  await look(page, `${tag}-imports`);
  await reviewed(page, tag);
  await decisions(page, tag);
  await grouped(page, tag);
  await connected(page, tag);
  await searched(page, tag);
  remembered();
  await go(page, "/trends?days=30");
  await page.click("section[aria-labelledby=flow] summary");
  await look(page, `${tag}-trends`);
  await takeIn(page, "mistake.xml", nmap(address.replace(/\d+$/, "99"), [21]));
  await page.click("main form[action$='/undo'] button");
  await Promise.all([page.waitForEvent("load"), page.click("dialog button.danger")]);
  check(`${tag}: an import is taken back`, (await page.locator(".state.undone").count()) ? "" : await page.locator("main").innerText());
  // The next story decides alone.
  await go(page, "/settings/rules");
  await page.uncheck("input[name=four_eyes]");
  await submit(page, "/settings/policy");
};
