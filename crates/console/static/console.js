// What pages gain from a script: questions before deeds, lists that stay fresh, scans and imports that can be watched, keys.
// Everything else works without it. Text from the server is parsed in one place, under one Trusted Types policy.
"use strict";

const words = document.body.dataset;
const policy = window.trustedTypes?.createPolicy("tyrian", { createHTML: (text) => text }) ?? { createHTML: (text) => text };

// Only pages of this origin are parsed, and parsing runs nothing: scripts in them stay dead.
const parse = (text) => new DOMParser().parseFromString(policy.createHTML(text), "text/html");

// On a narrow screen rows of lists are cards, and each value says the column it is of.
const nameColumns = (root) => {
  for (const table of root.querySelectorAll(".scroll > table")) {
    const names = [...(table.tHead?.rows[0]?.cells ?? [])].map((head) => (head.querySelector(".unseen") ? "" : head.textContent.trim()));
    for (const row of [...table.tBodies].flatMap((body) => [...body.rows])) {
      if (row.cells.length !== names.length) continue;
      [...row.cells].forEach((cell, index) => { if (cell.matches("td") && names[index]) cell.dataset.column = names[index]; });
    }
  }
  return root;
};
nameColumns(document);

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
};

// Asks before a form with data-ask is sent.
const ask = (form) => {
  const yes = make("button", { type: "button", class: "danger" }, words.confirm);
  const no = make("button", { type: "button", class: "plain", autofocus: "" }, words.cancel);
  const text = make("p", { id: "question" }, form.dataset.ask);
  const dialog = make("dialog", { "aria-labelledby": "question" }, text, make("div", { class: "buttons" }, no, yes));
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => { dialog.close(); form.submit(); });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.ask) {
    event.preventDefault();
    ask(form);
  } else if (form.method === "post") {
    const pressed = event.submitter;
    // A second click would send it twice. After the event, for a disabled button is not sent.
    setTimeout(() => {
      form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
      // Sending a file takes its time.
      if (form.enctype === "multipart/form-data" && pressed) {
        pressed.dataset.label = pressed.textContent;
        pressed.textContent = words.busy;
      }
    });
  }
});

// Coming back by the browser's button, forms are ready again.
window.addEventListener("pageshow", () => document.querySelectorAll("button[disabled]").forEach((button) => {
  button.disabled = false;
  if (button.dataset.label) button.textContent = button.dataset.label;
}));

// Puts the present state of an element with data-poll in its place, unless somebody is in the middle of something there.
const refresh = async (element) => {
  const response = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
  if (!response.ok || response.redirected) return;
  const fresh = nameColumns(parse(await response.text())).getElementById(element.id);
  if (!fresh) return;
  const isBusy = element.contains(document.activeElement) || document.querySelector("dialog[open]");
  if (!isBusy && fresh.innerHTML !== element.innerHTML) element.replaceChildren(...fresh.childNodes);
  if (!fresh.dataset.poll && !isBusy) delete element.dataset.poll;
};

for (const element of document.querySelectorAll("[data-poll][id]")) {
  const tick = async () => {
    if (!document.hidden) await refresh(element).catch(() => {});
    if (element.dataset.poll) setTimeout(tick, Number(element.dataset.poll) * 1000);
  };
  setTimeout(tick, Number(element.dataset.poll) * 1000);
}

// Pages that follow the server: at a word every part is read anew, all of them in one reading. A part somebody is at is left
// until they leave it.
for (const page of document.querySelectorAll("[data-news]")) {
  let isReading = false;
  let isStale = false;
  const read = async () => {
    isStale = true;
    if (isReading || document.hidden) return;
    isReading = true;
    while (isStale) {
      isStale = false;
      const response = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" }).catch(() => null);
      if (!response?.ok || response.redirected) break;
      const fresh = nameColumns(parse(await response.text()));
      for (const part of document.querySelectorAll("[data-part][id]")) {
        const next = fresh.getElementById(part.id);
        if (!next || next.innerHTML === part.innerHTML) continue;
        if (part.contains(document.activeElement)) {
          part.addEventListener("focusout", () => setTimeout(read), { once: true });
          continue;
        }
        // What was opened to be read stays open.
        const opened = [...part.querySelectorAll("details")].map((details) => details.open);
        part.replaceChildren(...next.childNodes);
        part.querySelectorAll("details").forEach((details, index) => { details.open = opened[index] ?? details.open; });
      }
    }
    isReading = false;
  };
  new EventSource(page.dataset.news).addEventListener("changed", read);
  document.addEventListener("visibilitychange", () => { if (isStale) read(); });
}

// Follows a scan to its end.
for (const panel of document.querySelectorAll("[data-live]")) {
  const part = (name) => panel.querySelector(`[data-${name}]`);
  const said = JSON.parse(panel.dataset.words);
  const source = new EventSource(panel.dataset.live);
  let line = "";
  let told = -1;
  source.addEventListener("progress", (event) => {
    const word = JSON.parse(event.data);
    const percent = Math.round(word.fraction * 100);
    const state = said[word.state] ?? word.state;
    const { kind, ...facts } = word.activity ?? {};
    const activity = said[kind]?.replace(/\{(\w+)\}/g, (_, fact) => facts[fact]) ?? word.message;
    const doing = [said[word.stage] ?? word.stage, activity].filter(Boolean).join(": ");
    part("state").textContent = state;
    part("percent").textContent = `${percent} %`;
    part("bar").value = word.fraction;
    part("message").textContent = doing;
    part("ports").textContent = word.open_ports;
    part("issues").textContent = word.issues;
    if (doing && doing !== line) {
      line = doing;
      const log = part("log");
      const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
      log.append(make("li", {}, `${word.at.slice(11, 19)} ${doing}`));
      while (log.children.length > 300) log.firstChild.remove();
      if (isAtEnd) log.scrollTop = log.scrollHeight;
    }
    // A screen reader hears every quarter, not every word.
    if (Math.floor(percent / 25) !== told) {
      told = Math.floor(percent / 25);
      part("told").textContent = `${state}, ${percent} %`;
    }
    if (["completed", "failed", "cancelled"].includes(word.state)) {
      source.close();
      location.replace(location.pathname);
    }
  });
}

// Follows an import to its end.
for (const panel of document.querySelectorAll("[data-follow]")) {
  const source = new EventSource(panel.dataset.follow);
  source.addEventListener("progress", (event) => {
    const word = JSON.parse(event.data);
    panel.querySelector("[data-bar]").value = word.fraction;
    if (word.state !== "queued") {
      source.close();
      location.replace(location.pathname);
    }
  });
}

// Many findings at once: all of a page, and the form that appears with the first choice.
for (const all of document.querySelectorAll("[data-all]")) {
  const form = all.form;
  const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
  const told = () => {
    const count = boxes.filter((box) => box.checked).length;
    all.checked = count === boxes.length;
    all.indeterminate = count > 0 && !all.checked;
    if (count > 0) form.querySelector("[data-bulk]").open = true;
    const said = form.querySelector("[data-count]");
    said.textContent = count > 0 ? said.dataset.count.replace("{count}", count) : "";
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    boxes.forEach((box) => { box.checked = all.checked; });
    told();
  });
  boxes.forEach((box) => box.addEventListener("change", told));
}

// Filters fold on narrow screens alone; browsers whose styles cannot open them have them opened.
if (!CSS.supports("selector(::details-content)") && matchMedia("(min-width: 48.01rem)").matches) {
  document.querySelectorAll("details.fold").forEach((fold) => { fold.open = true; });
}

// Keys answer while the panel they belong to has the focus, never elsewhere.
for (const panel of document.querySelectorAll("[data-keys]")) {
  panel.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const chosen = panel.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (chosen) {
      event.preventDefault();
      chosen.click();
    }
  });
}

// A menu closes when the focus leaves it, or with Escape.
for (const menu of document.querySelectorAll("details.menu")) {
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// A choice that changes what the page says, such as the target of a scan.
for (const select of document.querySelectorAll("select[data-reload]")) {
  select.addEventListener("change", () => {
    const place = new URL(location.origin + "/scans/new");
    place.searchParams.set(select.dataset.reload, select.value);
    location.assign(place);
  });
}

// Links shown once are handed on whole.
for (const element of document.querySelectorAll("[data-absolute]")) element.textContent = new URL(element.textContent.trim(), location.origin).href;

// Where places do not fit beside each other, the present one is in view.
for (const nav of document.querySelectorAll(".side nav")) {
  const here = nav.querySelector("[aria-current]");
  if (here) nav.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - nav.clientWidth / 2;
}

document.querySelector("[data-focus]")?.focus();
