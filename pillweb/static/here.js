// Makes this browser a place where messages arrive; the page's form keeps it.

const here = document.getElementById("here");
const form = here.querySelector("form");
const said = document.getElementById("said");
const worker = navigator.serviceWorker;
const KEY = "pillweb-live";

const say = (name) => {
  const words = here.querySelector(`[data-say="${name}"]`);
  said.replaceChildren(words.content.cloneNode(true));
};
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const text = (some) =>
  btoa(String.fromCharCode(...some))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const subscribe = async () => {
  const allowed = await Notification.requestPermission();
  if (allowed !== "granted") return say("refused");
  await worker.register("/sw.js");
  const { pushManager } = await worker.ready;
  const key = here.dataset.key.replaceAll("-", "+").replaceAll("_", "/");
  const kept = await pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(key),
  });
  return JSON.stringify(kept);
};
// The wall tablet asks by a secret that it alone keeps.
const stay = () => {
  const known = localStorage.getItem(KEY);
  if (known) return known;
  const made = text(crypto.getRandomValues(new Uint8Array(32)));
  localStorage.setItem(KEY, made);
  return made;
};

const ways = {
  webpush: [worker && "PushManager" in window && here.dataset.key, subscribe],
  live: ["localStorage" in window, stay],
};
const [can, address] = ways[here.dataset.channel];
if (can) {
  said.replaceChildren();
  form.hidden = false;
}
form.addEventListener("submit", async (event) => {
  if (form.address.value) return;
  event.preventDefault();
  try {
    const found = await address();
    if (!found) return;
    form.address.value = found;
    form.submit();
  } catch {
    say("failed");
  }
});
