// Opens and closes the menu of screens on a phone.
"use strict";

const toggle = document.querySelector(".side-toggle");
toggle?.addEventListener("click", () => {
  const open = document.getElementById("side-menu").classList.toggle("open");
  toggle.setAttribute("aria-expanded", String(open));
});
