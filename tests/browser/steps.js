// The steps every story takes.
export const base = process.env.TYRIAN_BASE;

export const submit = (page, action) => Promise.all([page.waitForEvent("load"), page.click(`main form[action="${action}"] button[type=submit] >> nth=0`)]);
export const go = (page, path) => page.goto(base + path, { waitUntil: "load" });
export const path = (page) => new URL(page.url()).pathname;
