// Adds an empty card to the repeated parts of a form, and takes one away that was not saved yet.
"use strict";

document.addEventListener("click", (event) => {
  const parts = event.target.closest(".parts");
  if (parts && event.target.closest(".add-part")) addPart(parts);
  if (parts && event.target.closest(".drop-part")) dropPart(parts, event.target.closest(".part"));
});

function addPart(parts) {
  const total = parts.querySelector(`#id_${parts.dataset.prefix}-TOTAL_FORMS`);
  const holder = document.createElement("div");
  holder.innerHTML = parts.querySelector("template").innerHTML.replaceAll("__prefix__", total.value);
  const part = holder.firstElementChild;
  parts.querySelector(".parts-list").append(part);
  total.value = Number(total.value) + 1;
  // Django's pick lists come to life on this event.
  part.dispatchEvent(new CustomEvent("formset:added", { bubbles: true, detail: { formsetName: parts.dataset.prefix } }));
  part.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

function dropPart(parts, part) {
  // Its number stays counted: what is missing is sent as nothing, which is no part.
  part.remove();
  parts.querySelector(".add-part").focus();
}

function nameLists(root) {
  // Select2 leaves its combobox without the name that the label gives to the hidden select.
  for (const select of root.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const box = select.nextElementSibling?.querySelector(".select2-selection");
    if (!label || !box) continue;
    label.id = `${select.id}_label`;
    const shown = box.querySelector(".select2-selection__rendered");
    shown.setAttribute("aria-labelledby", label.id);
    box.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
  }
}

// By jQuery's own order, so that it runs after the pick lists were made.
window.django?.jQuery?.(() => nameLists(document));
document.addEventListener("formset:added", (event) => nameLists(event.target));
