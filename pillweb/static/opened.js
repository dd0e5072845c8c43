"use strict";

// Tells that the page of a reminder was on a screen for three seconds. Nothing is
// recorded by it: the family reads "opened" beside "sent".
(() => {
  const LOOKED_MS = 3000;
  const { url } = document.currentScript.dataset;
  let timer = 0;
  const tell = () => {
    document.removeEventListener("visibilitychange", watch);
    fetch(url, { method: "POST", keepalive: true }).catch(() => {});
  };
  const watch = () => {
    clearTimeout(timer);
    if (document.visibilityState === "visible") timer = setTimeout(tell, LOOKED_MS);
  };
  document.addEventListener("visibilitychange", watch);
  watch();
})();
