"use strict";

// Keeps Today for when there is no connection, and what was pressed on it.
// It alone writes what this device keeps; everything of one account goes with it.

const PAGES = "pages";
const FILES = "files";
const TODAY = /^(\/patients\/\d+)\/today$/;
const SEVERAL = /^(\/patients\/\d+)\/(today|later|undo)$/;
const DEED = /^(\/patients\/\d+)\/doses\/(\d+)\/(take|undo|skip)$/;
const MOMENTS = /^\/patients\/\d+\/moments$/;
// Codes on paper, links of mails, shared links: somebody else's, for all we know.
const OF_OTHERS = /^\/(p|t|s|m|a|shared)\//;
const WORDS = "/device/words";
const NEEDED = /\/(static\/[\w./-]+\.(css|js|svg)|device\/words)\?v=\w+/g;
const DOWN = [502, 503, 504];
const PATIENCE_MS = 15000;
const OLDEST_MS = 48 * 3600 * 1000;
const LONGEST_WAIT_MS = 5 * 60 * 1000;

// What is kept: answers in the order they were pressed, and notes by name.
const opened = () =>
  new Promise((done, fail) => {
    const asked = indexedDB.open("pillweb", 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("answers", { keyPath: "seq", autoIncrement: true });
      asked.result.createObjectStore("notes");
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });

const within = async (store, mode, work) => {
  const db = await opened();
  try {
    return await new Promise((done, fail) => {
      const deal = db.transaction(store, mode, { durability: "strict" });
      const asked = work(deal.objectStore(store));
      deal.oncomplete = () => done(asked.result);
      deal.onabort = () => fail(deal.error);
    });
  } finally {
    db.close();
  }
};
const answers = () => within("answers", "readonly", (store) => store.getAll());
const waiting = async () => (await answers()).filter((one) => !one.outcome);
const keepAnswer = (one) => within("answers", "readwrite", (store) => store.put(one));
const note = (name) => within("notes", "readonly", (store) => store.get(name));
const keepNote = (name, value) =>
  within("notes", "readwrite", (store) => store.put(value, name));

const forgetPages = () =>
  Promise.all([PAGES, FILES].map((name) => caches.delete(name)));
const forget = async () => {
  await forgetPages();
  await within("answers", "readwrite", (store) => store.clear());
  await within("notes", "readwrite", (store) => store.clear());
};

// One thing at a time: nothing is kept while somebody signs out, or sent twice.
let last = Promise.resolve();
const inTurn = (work) => {
  const done = last.then(work);
  last = done.catch(() => {});
  return done;
};

const late = () =>
  new Promise((_, fail) => setTimeout(() => fail(new Error("late")), PATIENCE_MS));
const patiently = async (asked) => {
  const answer = await Promise.race([asked, late()]);
  if (DOWN.includes(answer.status)) throw new Error("down");
  return answer;
};
const ask = (path, more) => patiently(fetch(path, { cache: "no-store", ...more }));

// Whose the device is now. Somebody else's: nothing stays. Nobody's, because a session
// ended by itself: what was pressed waits for the same person, and nothing else stays.
const know = async (account) => {
  const before = await note("account");
  if (!account || account === before) return;
  if (account === "nobody" && (await waiting()).length) {
    await forgetPages();
    await within("notes", "readwrite", (store) => store.clear());
    await keepNote("account", before);
    return;
  }
  if (before) await forget();
  if (account !== "nobody") await keepNote("account", account);
};
const knowBy = (answer) => know(answer.ok ? answer.headers.get("Pillweb-Account") : "");

const keepFile = async (path) => {
  const files = await caches.open(FILES);
  if (await files.match(path)) return;
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(path);
  await files.delete(path, { ignoreSearch: true });
  await files.put(path, answer);
};

const keepPage = async (path, answer) => {
  const account = answer.headers.get("Pillweb-Account");
  if (!answer.ok || answer.redirected || account !== (await note("account"))) return;
  const headers = new Headers(answer.headers);
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  headers.set("Kept-At", Date.now());
  const text = await answer.text();
  // The clock of the device may be wrong; by the server's it is so long until then.
  const left = text.match(/ data-until="(\d+)"/)?.[1] - Date.parse(headers.get("Date"));
  headers.set("Kept-Until", Date.now() + left);
  // A page is kept with everything it needs, or not at all.
  await Promise.all([...new Set(text.match(NEEDED))].map(keepFile));
  await (await caches.open(PAGES)).put(path, new Response(text, { headers }));
  await keepNote("today", path);
};

const refresh = async (path) => {
  const answer = await ask(path);
  await knowBy(answer);
  await keepPage(path, answer);
};

// Its day is over, by the patient's clock, or nobody knows how old it is.
const isOver = ({ headers }) =>
  Math.abs(Date.now() - Number(headers.get("Kept-At"))) > OLDEST_MS ||
  !(Date.now() < Number(headers.get("Kept-Until")));

// A page with what its script must know written on its first tag.
const marked = (text, headers, marks) => {
  const written = marks.map(([name, value]) => ` data-${name}="${value}"`).join("");
  return new Response(text.replace("<html", `<html${written}`), { headers });
};

const kept = async (path) => {
  const pages = await caches.open(PAGES);
  const found = await pages.match(path);
  if (!found) return null;
  const at = Number(found.headers.get("Kept-At"));
  let text = await found.text();
  if (isOver(found)) {
    const said = (await caches.match(WORDS, { ignoreSearch: true }))?.text();
    const [, words] = (await said)?.match(/id="too-old">([^]*?)<\/template>/) || [];
    text = text.replace(/<main([^>]*)>[^]*<\/main>/, `<main$1>${words || ""}</main>`);
    await pages.put(path, new Response(text, { headers: found.headers }));
  }
  const until = Number(found.headers.get("Kept-Until"));
  return marked(text, found.headers, [
    ["kept", at],
    ["until", until],
  ]);
};

// No page can be shown: only that there is no connection, and nothing of anybody.
const noLine = async (hash) => {
  const page = (await note("today")) && (await caches.match(await note("today")));
  const said = await caches.match(WORDS, { ignoreSearch: true });
  if (!page || !said) return Response.error();
  const text = await page.text();
  const part = (from, id) =>
    from.match(new RegExp(`id="${id}">([^]*?)</template>`))?.[1] || "";
  const words = part(await said.text(), "no-line");
  const more = hash === "#not-saved" ? part(text, "not-saved") : "";
  const body = `<body><main class="wrap">${more}${words}</main></body>`;
  const head = text.replace(/<title>[^]*?<\/title>/, "<title>PillWeb</title>");
  const { headers } = page;
  return new Response(head.replace(/<body[^]*<\/body>/, () => body), { headers });
};

// Where no page can be had, Today: the same patient's, or the last where nobody's was asked.
const elsewhere = async (path, hash = "") => {
  const [, patient] = path.match(/^(\/patients\/\d+)(?=\/|$)/) || [];
  const today = patient ? `${patient}/today` : OF_OTHERS.test(path) ? "" : await note("today");
  const isHere = today && today !== path && (await caches.match(today));
  return isHere ? Response.redirect(today + hash, 303) : noLine(hash);
};

const show = async (event, path) => {
  let live;
  try {
    live = await patiently(fetch(event.request));
  } catch {
    return (await inTurn(() => kept(path))) || elsewhere(path);
  }
  if (live.type === "opaqueredirect") return live;
  const copy = TODAY.test(path) ? live.clone() : null;
  await inTurn(() => knowBy(live));
  if (!copy) return live;
  if (!new URL(event.request.url).search) {
    event.waitUntil(inTurn(() => keepPage(path, copy)).catch(() => {}));
  }
  if (!(await answers()).length || !live.ok) return live;
  event.waitUntil(inTurn(() => send(true)));
  const headers = new Headers(live.headers);
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  return marked(await live.text(), headers, [["told", ""]]);
};

const file = async (request) =>
  (await (await caches.open(FILES)).match(request)) || fetch(request);

const moments = async (request, path) => {
  try {
    const live = await patiently(fetch(request));
    if (live.ok && !live.redirected) {
      const found = await live.clone().json();
      await inTurn(() => keepNote(path, found));
    }
    return live;
  } catch {
    return Response.json((await note(path)) || []);
  }
};

// What a form says: whose it is, what was done, and to which doses.
const read = (path, form) => {
  const one = path.match(DEED);
  if (one) return { patient: one[1], deed: one[3], doses: [one[2]] };
  const [, patient, where] = path.match(SEVERAL);
  const listed = where === "undo" ? form.get("undo") || "" : form.getAll("dose").join();
  const deed = where === "today" ? "take" : where;
  return { patient, deed, doses: listed.match(/\d+/g) || [] };
};

// An answer goes the usual way; only where that fails is it kept, and sent later.
const keep = async (path, body, at) => {
  const account = await note("account");
  const form = new URLSearchParams(body);
  const { patient, deed, doses } = read(path, form);
  if (!account || form.has("day") || !doses.length) return "";
  const page = await (await caches.open(PAGES)).match(`${patient}/today`);
  if (deed !== "undo" && page && isOver(page)) return "";
  const reason = form.get("reason") || "";
  const minutes = form.get("minutes") || "";
  for (const dose of doses) {
    const key = crypto.randomUUID();
    await keepAnswer({ account, at, key, patient, dose, deed, reason, minutes });
  }
  if (self.registration.sync) self.registration.sync.register("send").catch(() => {});
  return patient;
};

const answer = async (event, path) => {
  const at = Date.now();
  const { request } = event;
  const body = await request.clone().text();
  // What was pressed before goes first.
  if (!(await inTurn(waiting)).length || (await inTurn(() => send(true)))) {
    try {
      const live = await patiently(fetch(request));
      const today = `${path.match(/^\/patients\/\d+/)}/today`;
      event.waitUntil(inTurn(() => refresh(today)).catch(() => {}));
      return live;
    } catch {}
  }
  const patient = await inTurn(() => keep(path, body, at));
  if (!patient) return unsaved(request);
  if (request.headers.has("HX-Request")) {
    return new Response("", { headers: { "HX-Refresh": "true" } });
  }
  return Response.redirect(`${patient}/today`, 303);
};

const unsaved = ({ mode, url }) =>
  mode === "navigate" ? elsewhere(new URL(url).pathname, "#not-saved") : Response.error();

const post = async (request) => {
  try {
    return await fetch(request);
  } catch {
    return unsaved(request);
  }
};

const wait = async () => {
  const { tries = 0 } = (await note("wait")) || {};
  const longest = Math.min(LONGEST_WAIT_MS, 2000 * 2 ** tries);
  const next = Date.now() + longest * (0.5 + Math.random() / 2);
  await keepNote("wait", { tries: tries + 1, next });
};

const sendOne = async (one, token) => {
  const { key, deed, reason, minutes } = one;
  const body = new URLSearchParams({
    key,
    deed,
    reason,
    minutes,
    ago_ms: Date.now() - one.at,
  });
  const headers = { "X-CSRFToken": token };
  const path = `${one.patient}/doses/${one.dose}/replay`;
  const answer = await ask(path, { method: "POST", headers, body });
  // Only our own word counts: a hotel's sign-in page is no answer.
  if (answer.headers.has("Pillweb-Account") && answer.status === 404) return "refused";
  if (answer.status === 422) return "refused";
  if (!answer.ok) throw new Error(answer.status);
  return (await answer.json()).outcome;
};

// Send what waits, oldest first; say whether nothing waits any more.
const send = async (now) => {
  let left = await waiting();
  if (!left.length) return true;
  if (!now && Date.now() < ((await note("wait")) || { next: 0 }).next) return false;
  try {
    const { account, token } = await (await ask("/device/key")).json();
    await know(account || "nobody");
    if (!account) throw new Error("nobody");
    left = await waiting();
    for (const one of left) {
      await keepAnswer({ ...one, outcome: await sendOne(one, token) });
    }
  } catch {
    await wait();
    return false;
  }
  await keepNote("wait", null);
  for (const page of new Set(left.map((one) => `${one.patient}/today`))) {
    await refresh(page).catch(() => {});
  }
  for (const tab of await clients.matchAll()) tab.postMessage("sent");
  return true;
};

// Signing out takes everything along, but not before what waits is sent or given up.
const leave = async (request) => {
  const body = await request.clone().text();
  const sent = await inTurn(() => send(true));
  if (!sent && !body.includes("anyway=")) return elsewhere("/sign-out", "#unsent");
  try {
    const live = await fetch(request);
    if (live.ok || live.type === "opaqueredirect") await inTurn(forget);
    return live;
  } catch {
    return unsaved(request);
  }
};

const ring = async ({ at, words, doses, url }) => {
  const rung = (await note("rung")) || [];
  const taken = (await waiting()).filter((one) => one.deed !== "undo");
  const open = doses.filter((dose) => !taken.some((one) => one.dose === String(dose)));
  if (rung.includes(at) || !open.length) return;
  await keepNote("rung", [at, ...rung].slice(0, 20));
  const how = { tag: String(at), data: url, icon: "/static/icons/192.png" };
  await self.registration.showNotification(words, how);
};

const tell = async () => ({
  answers: await answers(),
  next: ((await note("wait")) || { next: 0 }).next,
});

const isRead = async () => {
  const read = (await answers()).filter((one) => one.outcome);
  for (const one of read) {
    await within("answers", "readwrite", (store) => store.delete(one.seq));
  }
};

const WORK = { keep: ({ path }) => refresh(path), send: ({ now }) => send(now), ring };

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("sync", (event) =>
  event.waitUntil(
    inTurn(() => send(true)).then((sent) => sent || Promise.reject(new Error("later"))),
  ),
);
addEventListener("message", (event) => {
  const { data, ports } = event;
  if (data.do === "tell") return void inTurn(tell).then((it) => ports[0].postMessage(it));
  if (data.do === "read") return void event.waitUntil(inTurn(isRead));
  event.waitUntil(inTurn(() => WORK[data.do](data)).catch(() => {}));
});
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow(event.notification.data));
});
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST") {
    if (SEVERAL.test(pathname) || DEED.test(pathname)) {
      event.respondWith(answer(event, pathname));
    } else if (pathname === "/sign-out") event.respondWith(leave(request));
    else if (request.mode === "navigate") event.respondWith(post(request));
  } else if (request.mode === "navigate") event.respondWith(show(event, pathname));
  else if (pathname === WORDS || pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (MOMENTS.test(pathname)) event.respondWith(moments(request, pathname));
});
