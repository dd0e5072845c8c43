// Says over the whole page what this device is to be told, while the page is open.

const LOOK_MS = 20000;
const BEEP_MS = 3000;
const MOST_BEEPS = 20;
const RING = "pillweb-ring";

let sound;
const wakeSound = () => {
  sound ??= new AudioContext();
  return sound.resume();
};
const beep = () => {
  if (!sound || localStorage.getItem(RING) !== "yes") return;
  for (const [at, pitch] of [
    [0, 880],
    [0.35, 660],
  ]) {
    const tone = sound.createOscillator();
    const loud = sound.createGain();
    const from = sound.currentTime + at;
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.4, from);
    loud.gain.exponentialRampToValueAtTime(0.001, from + 0.3);
    tone.connect(loud).connect(sound.destination);
    tone.start(from);
    tone.stop(from + 0.3);
  }
};

// A browser lets a page ring only after a press on it; later any press is one.
export const ring = async (kit, button) => {
  localStorage.setItem(RING, "yes");
  await wakeSound();
  beep();
  kit.say("aloud-here");
  button.remove();
};

const receipt = async (url) => {
  const { token } = await (await fetch("/device/key")).json();
  const headers = { "X-CSRFToken": token };
  return fetch(url, { method: "POST", headers });
};

const show = (kit, { words, link, urgent }) =>
  new Promise((done) => {
    const wall = kit.words("live");
    wall.querySelector("p").textContent = words;
    let left = urgent ? MOST_BEEPS : 1;
    const again = setInterval(() => (--left > 0 ? beep() : clearInterval(again)), BEEP_MS);
    wall.addEventListener("close", () => {
      clearInterval(again);
      wall.remove();
      if (link) location.assign(link);
      done();
    });
    wall.querySelector("button").addEventListener("click", () => wall.close());
    document.body.append(wall);
    wall.showModal();
    beep();
  });

export const listen = (kit, key) => {
  const shown = new Set();
  addEventListener("pointerdown", () => {
    if (localStorage.getItem(RING) === "yes") wakeSound();
  });
  let tag = "";
  const look = async () => {
    const headers = tag ? { "If-None-Match": tag } : {};
    const how = { headers, cache: "no-store" };
    const answer = await fetch(`/live/${key}`, how).catch(() => null);
    // Stopped, or removed: nothing is told here any more.
    if (answer?.status === 404) return;
    if (answer?.ok && !answer.redirected) {
      tag = answer.headers.get("ETag") || "";
      for (const note of await answer.json()) {
        const told = shown.has(note.id) ? null : show(kit, note);
        shown.add(note.id);
        const heard = await receipt(`/live/${key}/${note.id}/shown`).catch(() => null);
        if (!heard?.ok) tag = "";
        await told;
      }
    }
    setTimeout(look, LOOK_MS);
  };
  look();
};
