"use strict";

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
const written = () => within("answers", "readonly", (store) => store.getAll());
// What is on its way now; when the browser ends this script, it waits like the rest.
const going = new Set();
const answers = async () => (await written()).filter((one) => !going.has(one.key));
const waiting = async () => (await answers()).filter((one) => !one.outcome);
const drop = async (keys) => {
  for (const { seq, key } of await written()) {
    if (keys.includes(key)) {
      await within("answers", "readwrite", (store) => store.delete(seq));
    }
  }
};
const keepAnswer = (one) => within("answers", "readwrite", (store) => store.put(one));
const note = (name) => within("notes", "readonly", (store) => store.get(name));
const keepNote = (name, value) =>
  within("notes", "readwrite", (store) => store.put(value, name));
