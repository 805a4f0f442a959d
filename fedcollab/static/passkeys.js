// Has a passkey made or used, which no browser does without script: fetches what is asked, lets the device answer, and sends the answer with
// the form that the button stands in. Without it, codes do the same.
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  async function asked(form, path) {
    const headers = { "X-Form-Token": form.elements.token.value, "Content-Type": "application/json" };
    const answer = await fetch(path, { method: "POST", headers, body: "{}", redirect: "manual", cache: "no-store" });
    return answer.ok ? answer.json() : { refused: answer.status };
  }

  async function answered(found, making) {
    const options = { ...found, challenge: bytes(found.challenge) };
    if (making) {
      options.user = { ...found.user, id: bytes(found.user.id) };
      options.excludeCredentials = named(found.excludeCredentials);
    } else {
      options.allowCredentials = named(found.allowCredentials);
    }
    const made = await navigator.credentials[making ? "create" : "get"]({ publicKey: options });
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} });
  }

  function ready(part) {
    const form = part.closest("form"), button = part.querySelector("button"), words = part.querySelector("[role=alert]");
    const into = part.querySelector("input"), making = into.name === "made";
    const say = (said) => { words.hidden = !said; words.textContent = said; };
    async function go() {
      form.elements.code?.removeAttribute("required");
      if (!form.reportValidity()) return;
      button.disabled = true;
      say("");
      try {
        const found = await asked(form, part.dataset.passkey);
        if (found.refused === 403 && making) return form.submit(); // the house asks for the password first, and comes back
        if (found.refused) return say(part.dataset.late);
        into.value = await answered(found, making);
        form.submit();
      } catch (error) {
        say(error.name === "InvalidStateError" ? part.dataset.known : part.dataset.failed);
      } finally {
        button.disabled = false;
      }
    }
    button.addEventListener("click", go);
    if (making) form.addEventListener("submit", (event) => { event.preventDefault(); go(); });
    part.querySelector("[data-without]").hidden = true;
    part.querySelector("[data-act]").hidden = false;
  }

  if (window.PublicKeyCredential) document.querySelectorAll("[data-passkey]").forEach(ready);
})();
