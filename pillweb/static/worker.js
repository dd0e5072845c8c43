"use strict";

// Keeps Today for when there is no connection, and what was pressed on it.
// It alone writes what this device keeps; everything of one account goes with it.
// The notebook it writes in (notebook.js) comes with it.

const PAGES = "pages";
const FILES = "files";
const TODAY = /^(\/patients\/\d+)\/today$/;
const SEVERAL = /^(\/patients\/\d+)\/(today|later|undo)$/;
const DEED = /^(\/patients\/\d+)\/doses\/(\d+)\/(take|undo|skip)$/;
const MOMENTS = /^\/patients\/\d+\/moments$/;
// Codes on paper, links of mails, shared links: somebody else's, for all we know.
const OF_OTHERS = /^\/(p|t|s|m|a|u|h|shared)\//;
const WORDS = "/device/words";
const NEEDED = /\/(static\/[\w./-]+\.(css|js|svg)|device\/words)\?v=\w+/g;
const DOWN = [502, 503, 504];
const PATIENCE_MS = 15000;
const OLDEST_MS = 48 * 3600 * 1000;
const LONGEST_WAIT_MS = 5 * 60 * 1000;

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
const soon = (asked) => Promise.race([asked, late()]);
const patiently = async (asked) => {
  const answer = await soon(asked);
  if (DOWN.includes(answer.status)) throw new Error("down");
  return answer;
};
const limit = () => AbortSignal.timeout(PATIENCE_MS);
const ask = (path, more) =>
  patiently(fetch(path, { cache: "no-store", signal: limit(), ...more }));
// A press that is given up must not arrive after all, behind what was pressed since.
// What another site sent stays as it is: asked anew it would look like ours.
const submit = async (request) => {
  const isOurs = request.referrer.startsWith(`${location.origin}/`);
  const given = new AbortController();
  const how = isOurs ? { signal: given.signal } : {};
  try {
    return await patiently(fetch(request, how));
  } catch (error) {
    given.abort();
    throw error;
  }
};

// Whose the device is now. Somebody else's: nothing stays. Nobody's, because a session
// ended by itself: what was pressed waits for the same person, and nothing else stays.
const know = async (account) => {
  const before = await note("account");
  if (!account || account === before) return;
  if (account === "nobody" && ((await waiting()).length || going.size)) {
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
  const answer = await fetch(path, { signal: limit() });
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
  const text = await soon(answer.text());
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

// Where no page can be had, Today: the same patient's; the last where nobody's was asked.
const elsewhere = async (path, hash = "") => {
  const [, patient] = path.match(/^(\/patients\/\d+)(?=\/|$)/) || [];
  const last = OF_OTHERS.test(path) ? "" : await note("today");
  const today = patient ? `${patient}/today` : last;
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

// A page kept before a release may ask for what only lives on in a newer edition.
const file = async (request) => {
  const files = await caches.open(FILES);
  const found = await files.match(request);
  if (found) return found;
  try {
    return await patiently(fetch(request));
  } catch {
    return (await files.match(request, { ignoreSearch: true })) || Response.error();
  }
};

const moments = async (request, path) => {
  try {
    const live = await patiently(fetch(request));
    if (live.ok && !live.redirected) {
      const found = await soon(live.clone().json());
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

// Write down what was pressed, before it is sent; return the keys it goes with.
const keep = async ({ patient, deed, doses }, form, at) => {
  const account = await note("account");
  if (!account || form.has("day")) return [];
  const page = await (await caches.open(PAGES)).match(`${patient}/today`);
  if (deed !== "undo" && page && isOver(page)) return [];
  const said = Object.fromEntries(
    ["reason", "note", "minutes"].map((name) => [name, form.get(name) || ""]),
  );
  const keys = doses.map(() => crypto.randomUUID());
  for (const [number, dose] of doses.entries()) {
    const key = keys[number];
    going.add(key);
    await keepAnswer({ account, at, key, patient, dose, deed, ...said });
  }
  return keys;
};

// An answer goes the usual way; only where that fails does it wait, to be sent later.
const answer = async (event, path) => {
  const at = Date.now();
  const { request } = event;
  const form = new URLSearchParams(await request.clone().text());
  const told = read(path, form);
  const today = `${told.patient}/today`;
  const keys = await keep(told, form, at).catch(() => []);
  try {
    // What was pressed before goes first.
    const isFirst = !(await waiting()).length || (await inTurn(() => send(true)));
    if (!isFirst) throw new Error("down");
    const live = await submit(request);
    await drop(keys);
    event.waitUntil(inTurn(() => refresh(today)).catch(() => {}));
    return live;
  } catch {
  } finally {
    for (const key of keys) going.delete(key);
  }
  // Somebody signed out meanwhile, or nothing could be kept.
  if (!(await waiting()).some((one) => keys.includes(one.key))) return unsaved(request);
  if (self.registration.sync) self.registration.sync.register("send").catch(() => {});
  if (request.headers.has("HX-Request")) {
    return new Response("", { headers: { "HX-Refresh": "true" } });
  }
  return Response.redirect(today, 303);
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
  const ago_ms = Date.now() - one.at;
  const said = { key, deed, reason, note: one.note || "", minutes, ago_ms };
  const body = new URLSearchParams(said);
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
    const live = await submit(request);
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
  // Two patients may have the same moment.
  const tag = `${url} ${at}`;
  if (rung.includes(tag) || !open.length) return;
  await keepNote("rung", [tag, ...rung].slice(0, 20));
  const how = { tag, data: url, icon: "/static/icons/192.png" };
  await self.registration.showNotification(words, how);
};

// Words for a script, from the page of them: kept beside Today, or asked for now.
const words = async (id) => {
  const said = (await caches.match(WORDS, { ignoreSearch: true })) || (await ask(WORDS));
  return (await said.text()).match(new RegExp(`id="${id}">([^]*?)</template>`))?.[1];
};
const here = (url) => new URL(new URL(url, location).pathname, location.origin).href;

// Something always shows: browsers take the right to push from who shows nothing.
const showPush = async (data) => {
  let told = {};
  try {
    told = data.json();
  } catch {}
  const { title = "PillWeb", body = "", tag, silent = false, answers = [] } = told;
  await self.registration.showNotification(title, {
    body,
    silent,
    tag: tag || "pillweb",
    renotify: !silent,
    requireInteraction: answers.length > 0,
    icon: "/static/icons/192.png",
    actions: answers.map(({ verb, label }) => ({ action: verb, title: label })),
    data: {
      url: here(told.link || "/"),
      answers: Object.fromEntries(answers.map(({ verb, url }) => [verb, here(url)])),
      failed: await words("push-failed").catch(() => ""),
    },
  });
  if (told.receipt) await hook("push", { delivery: told.id, receipt: told.receipt });
  const kept = await self.registration.pushManager.getSubscription();
  if (kept) await keepNote("push", JSON.stringify(kept));
};
const hook = (name, facts) =>
  ask(`/hooks/${name}`, { method: "POST", body: new URLSearchParams(facts) });

// A button of a notification is an answer. One that is not recorded says so aloud.
const press = async ({ data, tag }, verb) => {
  try {
    const answer = await ask(data.answers[verb], { method: "POST" });
    const said = await answer.json();
    if (!answer.ok || !said.words) throw new Error(answer.status);
    const how = { tag, data, silent: said.outcome !== "late" };
    await self.registration.showNotification(said.words, how);
  } catch {
    const loud = { tag, data, requireInteraction: true };
    const failed = data.failed || "Not saved. Press here.";
    await self.registration.showNotification(failed, loud);
  }
};

// The browser got another address: the old one, which only it and we know, proves whose.
const move = async ({ oldSubscription }) => {
  const before = oldSubscription ? JSON.stringify(oldSubscription) : await note("push");
  const options = oldSubscription?.options;
  if (!before || !options) return;
  const after = JSON.stringify(await self.registration.pushManager.subscribe(options));
  await hook("push/moved", { before, after });
  await keepNote("push", after);
};

const tell = async () => ({
  answers: await answers(),
  next: ((await note("wait")) || { next: 0 }).next,
});

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
  if (data.do === "read") return void event.waitUntil(inTurn(() => drop(data.keys)));
  event.waitUntil(inTurn(() => WORK[data.do](data)).catch(() => {}));
});
addEventListener("push", (event) => event.waitUntil(showPush(event.data)));
addEventListener("pushsubscriptionchange", (event) => event.waitUntil(move(event)));
addEventListener("notificationclick", (event) => {
  const { action, notification } = event;
  notification.close();
  const isAnswer = action && notification.data.answers?.[action];
  if (isAnswer) event.waitUntil(press(notification, action));
  else event.waitUntil(clients.openWindow(notification.data.url || notification.data));
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
