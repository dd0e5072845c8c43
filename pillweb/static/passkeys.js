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

  // While it is typed who somebody is, the browser offers passkeys by itself. What is
  // to be signed is asked for when the field is touched, not when the page is shown,
  // and again before the server forgets it.
  const LASTS_MS = 4 * 60 * 1000;
  let offered = null;
  let offeredAt = 0;

  const offer = async () => {
    if (offered && performance.now() - offeredAt < LASTS_MS) return;
    offered?.abort();
    const { signal } = (offered = new AbortController());
    offeredAt = performance.now();
    try {
      const publicKey = keys.parseRequestOptionsFromJSON(await options());
      if (signal.aborted) return;
      const mediation = "conditional";
      send(await navigator.credentials.get({ publicKey, mediation, signal }));
    } catch {
      // Nobody pressed anything: the page stays as it is.
    }
  };

  const field = form.querySelector("[autocomplete~=webauthn]");
  if (field) {
    keys.isConditionalMediationAvailable?.().then((can) => {
      if (!can) return;
      for (const touch of ["focus", "pointerover"]) {
        field.addEventListener(touch, offer);
      }
    });
  }

  button.addEventListener("click", async (event) => {
    event.preventDefault();
    // A browser is asked one thing at a time.
    offered?.abort();
    button.setAttribute("aria-busy", "true");
    try {
      send(await sign());
    } catch (fault) {
      tell(fault);
    } finally {
      button.removeAttribute("aria-busy");
      offered = null;
    }
  });
})();
