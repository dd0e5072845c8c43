"use strict";

// A passkey signs what the server asks; the form around the button takes it there.
// Without this script, or in a browser without passkeys, the button stays hidden.
(() => {
  const keys = window.PublicKeyCredential;
  if (!keys?.parseRequestOptionsFromJSON || !navigator.credentials) return;

  for (const part of document.querySelectorAll("[data-with-passkeys]")) {
    part.hidden = false;
  }
  for (const part of document.querySelectorAll("[data-no-passkeys]")) {
    part.hidden = true;
  }
  const button = document.querySelector("[data-passkey]");
  if (!button) return;
  button.hidden = false;
  const { form } = button;
  const { ask, passkey: deed } = button.dataset;

  const options = async () => {
    const csrf_token = form.elements.csrf_token.value;
    const body = new URLSearchParams({ csrf_token });
    const answer = await fetch(ask, { method: "POST", body });
    // The page asks first who it is.
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  };

  const sign = async () => {
    const asked = await options();
    if (deed === "create") {
      const publicKey = keys.parseCreationOptionsFromJSON(asked);
      return navigator.credentials.create({ publicKey });
    }
    const publicKey = keys.parseRequestOptionsFromJSON(asked);
    return navigator.credentials.get({ publicKey });
  };

  const send = (key) => {
    form.elements.answer.value = JSON.stringify(key.toJSON());
    // Without an address of its own a button names that of the page.
    if (button.hasAttribute("formaction")) form.action = button.formAction;
    form.submit();
  };

  const tell = (fault) => {
    const known = fault.name === "InvalidStateError" && "passkey-known";
    const words = document.getElementById(known || "passkey-failed");
    const flash = document.getElementById("flash");
    flash.replaceChildren(words.content.cloneNode(true));
    flash.scrollIntoView();
  };

  button.addEventListener("click", async (event) => {
    event.preventDefault();
    button.setAttribute("aria-busy", "true");
    try {
      send(await sign());
    } catch (fault) {
      tell(fault);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
})();
