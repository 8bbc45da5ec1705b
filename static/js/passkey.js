/* Passkeys: the browser's own dialog, between a button and its form. The words stand in the templates
   (templates/account/_passkey.html), where gettext finds them.

   A form with data-passkey="create" or "get" holds a hidden field `credential` and finds what to ask for in the JSON
   element named by data-options, or fetches it from its own action. Without scripts or passkeys the page says so. */
(() => {
  const forms = document.querySelectorAll("form[data-passkey]");
  if (!forms.length) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const asked = async (form) => {
    const inPage = document.getElementById(form.dataset.options);
    if (inPage) return JSON.parse(inPage.textContent);
    const answer = await fetch(form.action, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error("no options");
    return answer.json();
  };

  const create = async ({ creation_options: { publicKey } }) => {
    const made = await navigator.credentials.create({
      publicKey: {
        ...publicKey,
        challenge: bytes(publicKey.challenge),
        user: { ...publicKey.user, id: bytes(publicKey.user.id) },
        excludeCredentials: known(publicKey.excludeCredentials),
      },
    });
    return {
      ...described(made),
      response: {
        clientDataJSON: text(made.response.clientDataJSON),
        attestationObject: text(made.response.attestationObject),
        transports: made.response.getTransports?.() || [],
      },
    };
  };

  const get = async ({ request_options: { publicKey } }) => {
    const shown = await navigator.credentials.get({
      publicKey: {
        ...publicKey,
        challenge: bytes(publicKey.challenge),
        allowCredentials: known(publicKey.allowCredentials),
      },
    });
    const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
    return {
      ...described(shown),
      response: {
        clientDataJSON: text(clientDataJSON),
        authenticatorData: text(authenticatorData),
        signature: text(signature),
        userHandle: userHandle ? text(userHandle) : null,
      },
    };
  };

  const described = (credential) => ({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  });

  const say = (form, what) => {
    for (const line of form.querySelectorAll("[data-say]")) line.hidden = line.dataset.say !== what;
  };

  for (const form of forms) {
    const button = form.querySelector("button");
    if (!window.PublicKeyCredential || !navigator.credentials) {
      for (const part of form.querySelectorAll("button, [data-hint]")) part.hidden = true;
      say(form, "missing");
      continue;
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", "true");
      say(form, "");
      try {
        const options = await asked(form);
        const credential = await (form.dataset.passkey === "create" ? create(options) : get(options));
        form.elements.credential.value = JSON.stringify(credential);
        form.submit();
      } catch (error) {
        // "InvalidStateError": this device has one of the account's passkeys already.
        const away = error instanceof TypeError || error.message === "no options";
        say(form, error.name === "InvalidStateError" ? "known" : away ? "away" : "stopped");
        button.removeAttribute("aria-disabled");
      }
    });
    // Coming back with the browser's own button finds a page that was left half-way.
    window.addEventListener("pageshow", () => button.removeAttribute("aria-disabled"));
    button.disabled = false;
  }
})();
