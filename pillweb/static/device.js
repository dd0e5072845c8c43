// What only a script can do on Today; each part is fetched when there is use for it.

const device = document.getElementById("device");
const { base, offline, aloud, bell } = device.dataset;
const root = document.documentElement.dataset;
const worker = navigator.serviceWorker;
const kit = {
  base,
  keptAt: Number(root.kept),
  words: (name) => device.content.querySelector(`[data-say="${name}"]`).cloneNode(true),
  say: (name) => document.getElementById("heard").replaceChildren(kit.words(name)),
  tell: (message, ports) => worker.controller?.postMessage(message, ports),
};

const serve = async () => {
  const known = worker.controller;
  await worker.register("/sw.js");
  if (known) return;
  const { active } = await worker.ready;
  active.postMessage({ do: "keep", path: location.pathname });
};

const tools = device.content.getElementById("tools").cloneNode(true);
const can = {
  aloud: "speechSynthesis" in window,
  voice: "SpeechRecognition" in window || "webkitSpeechRecognition" in window,
  bell: worker && "Notification" in window && Notification.permission === "default",
};
for (const part of tools.querySelectorAll("[data-do], [data-for]")) {
  if (!can[part.dataset.do || part.dataset.for]) part.remove();
}
tools.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  const name = button?.dataset.do;
  if (name) (await import(name === "bell" ? bell : aloud))[name](kit, button);
});
device.before(tools);

if (worker) {
  serve();
  addEventListener("online", () => kit.tell({ do: "send", now: true }));
  const asked = ["#unsent", "#not-saved"].includes(location.hash);
  if (asked || "kept" in root || "told" in root) {
    import(offline).then((part) => part.show(kit));
  }
  if ("Notification" in window && Notification.permission === "granted") {
    import(bell).then((part) => part.listen(kit));
  }
}
