// Warns a minute before an idle session ends, with a button that keeps it (WCAG 2.2, 2.2.1), and leaves the page at its end.
// Pages in other tabs share the session: whichever was used last says until when it lasts.
"use strict";

const dialog = document.querySelector("dialog.idle");
const form = dialog.querySelector("form");
const title = document.title;
const LASTS = "session-until";

function lasts(seconds) {
  localStorage.setItem(LASTS, String(Date.now() + seconds * 1000));
}

function left() {
  return (Number(localStorage.getItem(LASTS)) - Date.now()) / 1000;
}

function look() {
  if (left() <= 0) {
    location.replace(location.pathname + location.search);
  } else if (left() <= warning && !dialog.open) {
    document.title = `Signing out soon: ${title}`;
    dialog.showModal();
  } else if (left() > warning && dialog.open) {
    dialog.close();
  }
}

async function keep() {
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
  if (!answer.ok || answer.redirected) {
    location.replace(location.pathname + location.search);
    return;
  }
  lasts((await answer.json()).left);
  if (left() > warning) {
    dialog.close();
  } else {
    form.hidden = true;
    dialog.querySelector("#idle-text").hidden = true;
    dialog.querySelector("#idle-limit").hidden = false;
    dialog.setAttribute("aria-describedby", "idle-limit");
  }
}

lasts(Number(dialog.dataset.left));
const warning = Math.min(60, Number(dialog.dataset.left) / 2);
dialog.addEventListener("close", () => { document.title = title; });
dialog.addEventListener("cancel", (event) => { event.preventDefault(); keep(); });
form.addEventListener("submit", (event) => { event.preventDefault(); keep(); });
setInterval(look, 1000);
