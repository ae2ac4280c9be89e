// Files dropped or chosen go up one after the other, each with its progress; what a C-CDA says of itself fills its line.
"use strict";

const upload = document.querySelector(".upload");
const drop = upload.querySelector(".drop");
const chosen = upload.querySelector("#files");
const list = upload.querySelector(".upload-list");
const total = upload.querySelector("#id_lines-TOTAL_FORMS");
const submit = upload.querySelector("[type=submit]");
let queue = Promise.resolve();
let underway = 0;

chosen.addEventListener("change", takeChosen);
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault(); // beside the box as well: the browser would leave the page
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});
list.addEventListener("click", (event) => {
  if (event.target.closest(".upload-drop")) leaveOut(event.target.closest(".upload-line"));
});
upload.addEventListener("submit", (event) => {
  if (underway || !list.children.length) {
    event.preventDefault();
    tell(underway ? "Wait until all files are here." : "Choose a file first.");
    return;
  }
  number();
});
refresh();
takeChosen(); // who was quicker than this script

function takeChosen() {
  take(chosen.files);
  chosen.value = "";
}

function take(files) {
  for (const file of files) {
    const line = addLine(file);
    underway += 1;
    queue = queue.then(() => send(file, line)).finally(() => {
      underway -= 1;
      refresh();
    });
  }
  refresh();
}

function addLine(file) {
  const holder = document.createElement("div");
  holder.innerHTML = upload.querySelector("#upload-line").innerHTML.replaceAll("__prefix__", total.value);
  const line = holder.firstElementChild;
  total.value = Number(total.value) + 1;
  line.querySelector(".upload-name").textContent = file.name;
  input(line, "name").value = file.name.slice(0, 300);
  const bar = line.querySelector("progress");
  bar.hidden = false;
  bar.setAttribute("aria-label", `Sending ${file.name}`);
  list.append(line);
  return line;
}

function send(file, line) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    const bar = line.querySelector("progress");
    line.stop = () => request.abort();
    if (!line.isConnected) return done();
    request.open("POST", upload.dataset.receive);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", "application/octet-stream");
    if (/^[\w.+-]+\/[\w.+-]+$/.test(file.type)) request.setRequestHeader("X-File-Type", file.type);
    request.setRequestHeader("X-CSRFToken", upload.querySelector("[name=csrfmiddlewaretoken]").value);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
    });
    request.addEventListener("load", () => (request.status === 200 && request.response?.content ? arrived(file, line, request.response) : failed(file, line, request.response?.fault)));
    request.addEventListener("error", () => failed(file, line));
    request.addEventListener("loadend", done);
    request.send(file);
  });
}

function arrived(file, line, told) {
  line.querySelector("progress").hidden = true;
  line.querySelector(".upload-about").textContent = input(line, "about").value = told.about;
  input(line, "content").value = told.content;
  const type = input(line, "type");
  if (told.type && ![...type.options].some((each) => each.value === told.type)) type.append(new Option(told.type_words || told.type, told.type));
  type.value = told.type ?? "";
  input(line, "title").value = told.title || file.name.replace(/\.\w+$/, "");
  input(line, "date").value = told.date || day(file.lastModified);
  warn(line, told.warning);
  tell(`${file.name} has arrived.`);
}

function failed(file, line, why) {
  const words = why || "The file did not arrive. Check the connection and choose it again.";
  line.querySelector("progress").hidden = true;
  line.querySelector(".fields").hidden = true;
  line.classList.add("upload-failed");
  warn(line, words);
  tell(`${file.name}: ${words}`);
}

function warn(line, words) {
  const place = line.querySelector(".upload-warning");
  place.textContent = words ?? "";
  place.hidden = !words;
}

function leaveOut(line) {
  line.stop?.();
  line.remove();
  refresh();
  chosen.focus();
}

// Lines that were left out or did not arrive leave no gap in the numbers.
function number() {
  for (const line of list.querySelectorAll(".upload-failed")) line.remove();
  [...list.children].forEach((line, place) => {
    for (const each of line.querySelectorAll("[name]")) each.name = each.name.replace(/^lines-\d+-/, `lines-${place}-`);
  });
  total.value = list.children.length;
}

function refresh() {
  submit.disabled = underway > 0 || !list.querySelector(".upload-line:not(.upload-failed)");
}

function tell(words) {
  document.querySelector("#upload-told").textContent = words;
}

function input(line, name) {
  return line.querySelector(`[name$="-${name}"]`);
}

function day(time) {
  const at = new Date(time);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((each) => String(each).padStart(2, "0")).join("-");
}
