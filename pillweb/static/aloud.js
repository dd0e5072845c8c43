// Reads Today aloud, and understands "taken" and "later"; nothing without a press.

// Recognisers differ in marks and spaces, some languages write none.
const bare = (words) => words.toLocaleLowerCase().replace(/[\p{P}\p{Z}\u200b]/gu, "");
const text = (part) => (part.innerText || "").replace(/\s+/g, " ").trim();

export const aloud = (kit, button) => {
  const voice = window.speechSynthesis;
  if (button.dataset.say) return voice.cancel();
  const parts = document.querySelectorAll("#today h1, #today .dose > div");
  const said = [...parts].map((part) => new SpeechSynthesisUtterance(text(part)));
  const done = () => {
    button.textContent = button.dataset.say;
    delete button.dataset.say;
  };
  for (const one of said) one.lang = document.documentElement.lang;
  const last = said[said.length - 1];
  last.onend = done;
  for (const one of said) one.onerror = () => button.dataset.say && done();
  button.dataset.say = button.textContent;
  button.textContent = kit.words("stop").textContent;
  voice.cancel();
  for (const one of said) voice.speak(one);
};

// Only a whole phrase counts: "not taken" is not "taken".
const meant = (kit, heard) => {
  const is = (name) =>
    kit.words(name).textContent.split("|").map(bare).includes(bare(heard));
  return (is("taken") && "taken") || (is("later-words") && "later");
};

// The same buttons as by hand; among several it never guesses.
const press = (kit, deed) => {
  const cards = [...document.querySelectorAll("#today .dose.due")];
  if (!cards.length) return kit.say("none");
  if (cards.length > 1) return kit.say("which");
  const path = deed === "taken" ? "take" : "later";
  const where = path === "take" ? cards[0] : document;
  const found = where.querySelector(`[formaction$="/${path}"], main a[href$="/${path}"]`);
  if (found) found.click();
  else kit.say("unclear");
};

export const voice = (kit, button) => {
  // First what will happen, then what it does.
  if (!button.dataset.known) {
    button.dataset.known = "yes";
    return kit.say("voice");
  }
  kit.say("listening");
  const Ears = window.SpeechRecognition || window.webkitSpeechRecognition;
  const ears = new Ears();
  ears.lang = document.documentElement.lang;
  let deed = "";
  ears.onresult = (event) => {
    // Only what was heard best: behind "not taken" the next guess may be "taken".
    deed = meant(kit, event.results[0][0].transcript) || "";
  };
  ears.onend = () => {
    document.getElementById("heard").replaceChildren();
    if (deed) press(kit, deed);
    else kit.say("unclear");
  };
  ears.start();
};
