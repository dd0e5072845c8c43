"use strict";

// A trembling hand taps twice. The second tap within a second is dropped when it
// lands on the same button, or close to the first tap on whatever came there.
// The server is safe without this; the page only spares a surprise.
(() => {
  const REST_MS = 1000;
  const NEAR_PX = 96;
  let last = { at: -Infinity, x: 0, y: 0, button: null };

  document.addEventListener(
    "click",
    (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const touched = event.detail > 0;
      const near =
        button === last.button ||
        (touched &&
          Math.hypot(event.clientX - last.x, event.clientY - last.y) < NEAR_PX);
      if (near && event.timeStamp - last.at < REST_MS) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      last = { at: event.timeStamp, x: event.clientX, y: event.clientY, button };
    },
    true,
  );

  // The browser knows where it is; the form only suggests it, and only when empty.
  const zone = document.querySelector("select[data-guess=zone]");
  if (zone && !zone.value) {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    zone.value = here;
    if (zone.selectedIndex < 0) {
      // Browsers still say Asia/Calcutta; the server knows the old names.
      if (here.includes("/")) zone.add(new Option(here, here, true, true));
      else zone.value = "";
    }
  }

  // Offline, reading aloud and voices: nothing of them is in the way of a first page.
  const device = document.getElementById("device");
  if (device) addEventListener("load", () => import(device.dataset.script));

  // Without a connection htmx says nothing; a person must be told.
  const tell = () => {
    const flash = document.getElementById("flash");
    const words = document.getElementById("not-saved");
    flash.replaceChildren(words.content.cloneNode(true));
    flash.scrollIntoView();
  };
  document.addEventListener("htmx:sendError", tell);
  document.addEventListener("htmx:timeout", tell);
})();
