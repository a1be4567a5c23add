/* Making and using passkeys. A form with data-passkey-make or data-passkey-use (the address of the challenge) asks the
   browser for a credential, puts it into its field "credential" and is sent. Without scripts the buttons stay hidden. */
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

/* What the library reads: every buffer as base64url. */
function plain(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: credential.authenticatorAttachment,
  };
}

const ways = {
  passkeyMake: ({ publicKey }) => navigator.credentials.create({
    publicKey: { ...publicKey, challenge: bytes(publicKey.challenge), user: { ...publicKey.user, id: bytes(publicKey.user.id) }, excludeCredentials: named(publicKey.excludeCredentials) },
  }),
  passkeyUse: ({ publicKey }) => navigator.credentials.get({
    publicKey: { ...publicKey, challenge: bytes(publicKey.challenge), allowCredentials: named(publicKey.allowCredentials) },
  }),
};

const excuses = {
  NotAllowedError: "The device said no, or nothing happened in time. Try again.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Browsers make passkeys for host names only. Open Postroom by its name instead of a network address.",
};

async function run(form, way) {
  const problem = form.querySelector("[data-passkey-problem]");
  problem.hidden = true;
  try {
    const answer = await fetch(form.dataset[way], { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    form.elements.credential.value = JSON.stringify(plain(await ways[way](await answer.json())));
    form.submit();
  } catch (error) {
    problem.textContent = excuses[error.name] || "That did not work. Reload the page and try again.";
    problem.hidden = false;
  }
}

if (window.PublicKeyCredential) {
  for (const way of Object.keys(ways)) {
    const attribute = way === "passkeyMake" ? "data-passkey-make" : "data-passkey-use";
    for (const form of document.querySelectorAll(`form[${attribute}]`)) {
      form.hidden = false;
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        run(form, way);
      });
    }
  }
  for (const button of document.querySelectorAll("[data-passkey-button]")) button.hidden = false;
}
