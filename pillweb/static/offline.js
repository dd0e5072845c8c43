// Says on Today what this device keeps, and what became of what it sent.

const QUIET_MS = 3000;
const FIRST_MS = 5000;
const LONGEST_MS = 300000;
const MOST_TOLD = 50; // as many as one answer of `/sent` tells of
const flash = document.getElementById("flash");
let touchedAt = 0;

const heard = (kit) =>
  new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event) => done(event.data);
    kit.tell({ do: "tell" }, [port2]);
  });

// Nothing may change under a finger: the page is read anew in a quiet moment.
const renew = () => {
  const wait = touchedAt + QUIET_MS - Date.now();
  if (wait > 0 && !document.hidden) setTimeout(renew, wait);
  else location.replace(location.pathname);
};

const button = (kit, name, url) => {
  const made = kit.words(`${name}-button`);
  made.formAction = url;
  return made;
};

const showAnswer = (kit, { dose, deed }) => {
  const card = document.getElementById(`dose-${dose}`);
  if (!card) return;
  const said = kit.words(deed);
  card.querySelector(".mark").replaceWith(said);
  if (deed === "later") return;
  card.className = `dose ${said.querySelector(".mark").classList[1]}`;
  const url = `${kit.base}/doses/${dose}`;
  const made =
    deed === "undo"
      ? button(kit, "take", `${url}/take`)
      : button(kit, "undo", `${url}/undo`);
  made.setAttribute("aria-describedby", `n${dose}`);
  card.querySelectorAll(":scope > button, input, .links").forEach((old) => old.remove());
  card.append(made);
};

const showWaiting = (kit, waiting) => {
  const newest = new Map();
  for (const one of waiting) newest.set(one.dose, one);
  newest.forEach((one) => showAnswer(kit, one));
  if (!newest.size) return;
  document.querySelector("h1").replaceChildren(kit.words("headline"));
  document.getElementById("take-all")?.replaceChildren();
  flash.append(kit.words("waiting"));
};

// What became of these presses, in words; nothing where they could not be asked for.
const ask = async (patient, keys) => {
  const asked = new URLSearchParams(keys.map((key) => ["key", key]));
  const answer = await fetch(`${patient}/sent?${asked}`).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html").body.children;
};

const showSent = async (kit, sent) => {
  const told = document.createElement("div");
  const refused = sent.filter((one) => one.outcome === "refused");
  if (refused.length) told.append(kit.words("refused"));
  // Only what is shown here counts as read.
  const shown = refused.map((one) => one.key);
  for (const patient of new Set(sent.map((one) => one.patient))) {
    const its = sent.filter((one) => one.patient === patient).map((one) => one.key);
    const keys = its.slice(0, MOST_TOLD);
    const found = await ask(patient, keys);
    if (!found) continue;
    told.append(...found);
    shown.push(...keys);
  }
  if (!told.children.length) return;
  if (!told.querySelector("[data-read]")) told.append(kit.words("read"));
  told.addEventListener("click", (event) => {
    if (!event.target.closest("[data-read]")) return;
    kit.tell({ do: "read", keys: shown });
    told.remove();
    document.getElementById("main").focus();
  });
  flash.append(told);
};

const showKept = (kit) => {
  const sameDay = new Date(kit.keptAt).toDateString() === new Date().toDateString();
  const told = kit.words("kept");
  const notice = told.querySelector(".notice");
  notice.firstElementChild.textContent = sameDay ? kit.kept : kit.keptDay;
  notice.append(notice.nextElementSibling);
  flash.append(told);
};

// Ask whether there is a connection again: less and less often, never all at once.
const knock = async (kit, pause = FIRST_MS) => {
  const next = Math.min(pause * 2, LONGEST_MS) * (0.75 + Math.random() / 2);
  const answer = await fetch("/device/key", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return setTimeout(knock, next, kit, next);
  const { answers } = await heard(kit);
  if (!answers.some((one) => !one.outcome)) return renew();
  kit.tell({ do: "send" });
  setTimeout(knock, next, kit, next);
};

const showHash = (kit) => {
  const unsaved = location.hash === "#not-saved";
  if (unsaved) flash.append(document.getElementById("not-saved").content.cloneNode(true));
  if (location.hash === "#unsent") {
    const asked = kit.words("unsent");
    const form = document.querySelector('form[action="/sign-out"]');
    form.id = "sign-out";
    asked.querySelector("[name=anyway]").setAttribute("form", form.id);
    asked.querySelector("[data-stay]").onclick = () => asked.remove();
    flash.append(asked);
    asked.focus();
  }
  history.replaceState(null, "", location.pathname);
};

// Two links lead to pages that are not here: their questions are asked on the spot.
const askHere = (kit) => {
  document.getElementById("today").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const [, path] = link?.href.match(/\/(skip|later)$/) || [];
    if (!path) return;
    event.preventDefault();
    const asked = kit.words(path === "skip" ? "why" : "when");
    for (const one of asked.querySelectorAll("button")) one.formAction = link.href;
    link.closest(".links").after(asked);
    link.remove();
    asked.querySelector("button").focus();
  });
};

export const show = async (kit) => {
  for (const kind of ["pointerdown", "keydown", "scroll"]) {
    addEventListener(kind, () => (touchedAt = Date.now()), { passive: true });
  }
  addEventListener("online", () => knock(kit), { once: true });
  navigator.serviceWorker.addEventListener("message", renew);
  if (kit.keptAt) {
    showKept(kit);
    askHere(kit);
    setInterval(() => Date.now() >= kit.until && location.reload(), FIRST_MS);
  }
  const { answers } = await heard(kit);
  const waiting = answers.filter((one) => !one.outcome);
  showWaiting(
    kit,
    waiting.filter((one) => one.patient === kit.base),
  );
  await showSent(
    kit,
    answers.filter((one) => one.outcome),
  );
  if (/^#(unsent|not-saved)$/.test(location.hash)) showHash(kit);
  flash.scrollIntoView();
  if (kit.keptAt || waiting.length) setTimeout(knock, FIRST_MS, kit);
};
