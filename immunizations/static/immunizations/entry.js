// Entering vaccines without the mouse: a scan or a chosen name fills a line, and the cursor goes where something lacks.
"use strict";

const entry = document.querySelector(".entry");
const field = document.querySelector("#scan");
const list = document.querySelector("#scan-offers");
const fault = document.querySelector("#scan-fault");
const lines = entry.querySelector(".parts-list");
const KEPT = ["site", "route", "dose"]; // from the line before, where the product does not say
const NEEDED = ["vaccine", "cvx", "lot", "expires", "site", "route", "dose", "given_on", "quantity"];
let offered = []; // what the list shows
let active = -1;
let asked = 0; // the newest question; older answers are dropped
let scans = Promise.resolve(); // one after the other, in the order in which they were scanned

const input = (line, name) => line.querySelector(`[name$="-${name}"]`);
const isBlank = (line) => ["vaccine", "cvx", "ndc", "lot"].every((name) => !input(line, name).value.trim());
const isBarcode = (text) => /^[\]([\d]/.test(text.trim());

async function ask(address, text) {
  const answer = await fetch(address + encodeURIComponent(text), { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

// --- lines

function lineToFill() {
  if (entry.dataset.single) return lines.lastElementChild;
  const blank = [...lines.children].find(isBlank);
  if (!blank) addPart(entry.querySelector(".parts")); // of console/parts.js
  return blank ?? lines.lastElementChild;
}

function fill(values, problems = []) {
  const line = lineToFill();
  const before = line.previousElementSibling;
  for (const [name, value] of Object.entries(values)) if (input(line, name)) input(line, name).value = value;
  for (const name of KEPT) {
    const mine = input(line, name);
    if (before && mine && !mine.value && name !== "dose") mine.value = input(before, name).value;
  }
  checkExpiry(line);
  if (problems.length && !input(line, "expires")?.getAttribute("aria-invalid")) tell(input(line, "vaccine"), problems.join(" "));
  const missing = NEEDED.map((name) => input(line, name)).find((each) => each && !each.value);
  const wrong = line.querySelector("[aria-invalid]");
  if (!field.value) (wrong ?? missing ?? field).focus(); // who types the next one already is left alone
  if (!entry.dataset.single) document.querySelector("#entry-told").textContent = `${[...lines.children].filter((each) => !isBlank(each)).length} to save.`;
}

function tell(control, words) {
  const place = document.getElementById(`${control.id}_error`);
  place.textContent = words;
  place.setAttribute("role", "alert");
  control.closest(".field").classList.toggle("errors", Boolean(words));
  if (words) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

function checkExpiry(line) {
  const expires = input(line, "expires");
  if (!expires) return;
  const day = document.querySelector("[name=given_on]")?.value ?? new Date().toISOString().slice(0, 10);
  const past = expires.value && day && expires.value < day.slice(0, expires.value.length) && !input(line, "subpotent")?.checked;
  tell(expires, past ? `This lot expired on ${expires.value}; do not give it.` : "");
}

// --- scans

function scanned(text) {
  field.value = "";
  scans = scans.then(async () => {
    try {
      const found = await ask(`${entry.dataset.scan}?text=`, text);
      if (found.line) return fill(found.line, found.problems);
      refuse(text, found.problems.join(" "));
    } catch {
      refuse(text, "The server did not answer; scan again, or type the line by hand.");
    }
  });
}

function refuse(text, words) {
  fault.textContent = words;
  field.setAttribute("aria-invalid", "true");
  if (field.value) return;
  field.value = text;
  field.focus();
  field.select();
}

// --- the list of names

async function offer() {
  const mine = ++asked;
  fault.textContent = "";
  field.removeAttribute("aria-invalid");
  if (field.value.trim().length < 2 || isBarcode(field.value)) return close();
  try {
    const found = await ask(entry.dataset.offers, field.value);
    if (mine === asked) show(found.offers);
  } catch {
    if (mine === asked) close();
  }
}

function show(offers) {
  offered = offers;
  active = offers.length ? 0 : -1;
  list.replaceChildren(...offers.map(option));
  if (!offers.length) fault.textContent = "No product of this name is known; try fewer letters, or add a line by hand.";
  list.hidden = !offers.length;
  mark();
}

function option(each, place) {
  const item = document.createElement("li");
  item.id = `offer-${place}`;
  item.setAttribute("role", "option");
  const name = document.createElement("strong");
  const detail = document.createElement("span");
  name.textContent = each.name;
  detail.textContent = each.detail;
  item.append(name, " ", detail);
  item.addEventListener("mousedown", (event) => { event.preventDefault(); choose(place); });
  return item;
}

function mark() {
  field.setAttribute("aria-expanded", String(!list.hidden));
  [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === active)));
  if (active < 0) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", `offer-${active}`);
  list.children[active].scrollIntoView({ block: "nearest" });
}

function close() {
  asked += 1;
  offered = [];
  active = -1;
  list.hidden = true;
  mark();
}

function choose(place) {
  const { line } = offered[place];
  field.value = "";
  close();
  fill(line);
}

function move(step) {
  active = (active + step + offered.length) % offered.length;
  mark();
}

// --- keys

function typed(event) {
  const open = !list.hidden;
  if (event.ctrlKey && event.key === "]") { event.preventDefault(); field.value += "<GS>"; } // a reader's group separator
  else if (event.key === "ArrowDown" && open) { event.preventDefault(); move(1); }
  else if (event.key === "ArrowUp" && open) { event.preventDefault(); move(-1); }
  else if (event.key === "Escape" && open) { event.preventDefault(); close(); }
  else if (event.key === "Enter" && !event.ctrlKey) {
    event.preventDefault();
    if (open && active >= 0) choose(active);
    else if (isBarcode(field.value)) { close(); scanned(field.value); }
  }
}

field.addEventListener("keydown", typed);
field.addEventListener("input", offer);
field.addEventListener("blur", close);
entry.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target === field) {
    if (event.key === "Enter" && event.ctrlKey) entry.requestSubmit();
    return;
  }
  if (event.ctrlKey) { event.preventDefault(); entry.requestSubmit(); }
  else if (event.target.matches("input:not([type=checkbox]), select")) { event.preventDefault(); field.focus(); }
});
lines.addEventListener("change", (event) => {
  const line = event.target.closest(".line");
  if (line && event.target.matches("[name$=-expires], [name$=-subpotent]")) checkExpiry(line);
});
document.querySelector("[name=given_on]")?.addEventListener("change", () => [...lines.children].forEach(checkExpiry));
