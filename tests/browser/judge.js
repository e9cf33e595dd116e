// What is asked of every page, whatever the story: axe in light and dark, room on a phone, a silent console.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.TYRIAN_SCREENSHOTS;

export const counts = { passed: 0, failed: 0 };

export const check = (name, fault) => {
  if (fault) {
    counts.failed += 1;
    console.log(`FAILED ${name}: ${fault}`);
  } else {
    counts.passed += 1;
  }
};

// Collects what the page complains about; `expected` are answers the story provokes.
export const listen = (page) => {
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.text()} (${page.url()})`);
  });
  page.on("pageerror", (error) => complaints.push(`${error} (${page.url()})`));
  page.on("requestfailed", (request) => {
    // Leaving a page ends its streams and polls.
    if (!/ERR_ABORTED/.test(request.failure()?.errorText ?? "")) complaints.push(`${request.url()}: ${request.failure()?.errorText}`);
  });
  return complaints;
};

const faults = async (page) => {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return result.violations.map((violation) => {
    const where = violation.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} — ${node.failureSummary?.replace(/\s+/g, " ").slice(0, 220)}`);
    return `${violation.id}: ${where.join(" | ")}`;
  }).join("\n  ");
};

// Looks at the page the story has reached.
export const look = async (page, name) => {
  await page.waitForLoadState("load");
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.screenshot({ path: join(shots, `${name}-${scheme}.png`), fullPage: true });
    check(`${name}, axe in ${scheme}`, await faults(page));
  }
  await page.emulateMedia({ colorScheme: "light" });
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.screenshot({ path: join(shots, `${name}-phone.png`), fullPage: true });
  const excess = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
  check(`${name}, on a phone`, excess > 0 ? `${excess} px wider than the screen` : "");
  check(`${name}, axe on a phone`, await faults(page));
  await page.setViewportSize(size);
};
