// What only a script can do on Today; each part is fetched when there is use for it.

const device = document.getElementById("device");
const { base, offline, aloud, bell, live, words, kept, keptDay } = device.dataset;
const root = document.documentElement.dataset;
const worker = navigator.serviceWorker;
// Where somebody is told by this open page: the secret it asks by.
const openPage = device.dataset.openPage || localStorage.getItem("pillweb-live");

const kit = {
  base,
  kept,
  keptDay,
  keptAt: Number(root.kept),
  until: Number(root.until),
  tell: (message, ports) => worker.controller?.postMessage(message, ports),
  words: (name) => device.content.querySelector(`[data-say="${name}"]`).cloneNode(true),
  say: (name) => document.getElementById("heard").replaceChildren(kit.words(name)),
};

// The words come with the first part that has something to say.
let learned;
const learn = async () => {
  const answer = await fetch(words);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  device.content.append(...page.head.children, ...page.body.children);
};
const part = async (path) => {
  await (learned ??= learn());
  return import(path);
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
  ring: openPage && "AudioContext" in window,
  bell: worker && "Notification" in window && Notification.permission === "default",
};
for (const button of tools.querySelectorAll("[data-do]")) {
  if (!can[button.dataset.do]) button.remove();
}
tools.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  const name = button?.dataset.do;
  if (name) (await part({ bell, ring: live }[name] || aloud))[name](kit, button);
});
device.before(tools);

if (worker) {
  serve();
  addEventListener("online", () => kit.tell({ do: "send", now: true }));
  const asked = ["#unsent", "#not-saved"].includes(location.hash);
  if (asked || "kept" in root || "told" in root) {
    part(offline).then(({ show }) => show(kit));
  }
  if ("Notification" in window && Notification.permission === "granted") {
    import(bell).then(({ listen }) => listen(kit));
  }
}
if (openPage) part(live).then(({ listen }) => listen(kit, openPage));
