/*
 * [data-tokens]: a text field of addresses becomes tokens with suggestions (data-tokens-url answers list items with data-token). The field keeps
 * its name and sends "Ines <ines@x>, paul@x", so the server sees the same with and without a script.
 */
const WAIT_MS = 120;
const ADDRESS = /^[^\s@<>]+@[^\s@<>]+$/;
let count = 0;

/* Commas inside quotes or angle brackets do not separate. */
const parts = (text) => (text.match(/(?:"[^"]*"|<[^>]*>|[^,;\n])+/g) ?? []).map((part) => part.trim()).filter(Boolean);
/* A separator was typed, and not inside a name in quotes or an address in brackets. */
const ended = (text) => /[,;\n]\s*$/.test(text) && (text.match(/"/g) ?? []).length % 2 === 0 && !/<[^>]*$/.test(text);
const addressOf = (token) => token.match(/<([^>]*)>\s*$/)?.[1] ?? token;
const nameOf = (token) => token.replace(/\s*<[^>]*>\s*$/, "").replace(/^"|"$/g, "") || addressOf(token);

class Tokens {
  constructor(root) {
    this.root = root;
    this.input = root.querySelector("input");
    this.sent = Object.assign(document.createElement("input"), { type: "hidden", name: this.input.name });
    this.input.removeAttribute("name");
    this.required = this.input.required;
    this.input.after(this.sent);
    this.list = Object.assign(document.createElement("ul"), { className: "suggestions", id: `suggestions-${(count += 1)}`, role: "listbox", hidden: true });
    this.list.ariaLabel = "Suggestions";
    root.append(this.list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", this.list.id]]) this.input.setAttribute(name, value);
    this.take(this.input.value);
    this.#listen();
    root.addEventListener("tokens:set", ({ detail }) => { for (const one of root.querySelectorAll(".token")) one.remove(); this.take(detail); });
  }

  get tokens() { return [...this.root.querySelectorAll(".token")].map((token) => token.dataset.value); }

  /* Everything complete in `text` becomes a token. */
  take(text) {
    for (const value of parts(text)) {
      if (!this.tokens.some((one) => addressOf(one).toLowerCase() === addressOf(value).toLowerCase())) this.input.before(this.#token(value));
    }
    this.input.value = "";
    this.#changed();
  }

  #token(value) {
    const token = Object.assign(document.createElement("span"), { className: "token", title: addressOf(value) });
    token.dataset.value = value;
    token.classList.toggle("token-invalid", !ADDRESS.test(addressOf(value)));
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×", ariaLabel: `Remove ${nameOf(value)}` });
    remove.addEventListener("click", () => { token.remove(); this.#changed(); this.input.focus(); });
    token.append(Object.assign(document.createElement("span"), { textContent: nameOf(value) }), remove);
    return token;
  }

  #changed() {
    this.sent.value = this.tokens.join(", ");
    this.input.required = this.required && !this.tokens.length;
    this.sent.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #listen() {
    const { input, list } = this;
    input.addEventListener("input", () => {
      if (ended(input.value)) this.take(input.value);
      this.#suggest();
    });
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => { if (input.value.trim()) this.take(input.value); this.#hide(); });
    input.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text");
      if (parts(text).length > 1) { event.preventDefault(); this.take(text); }
    });
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the field keeps the focus
      const line = event.target.closest("[data-token]");
      if (line) this.#accept(line);
    });
  }

  #key(event) {
    const lines = [...this.list.children];
    const at = lines.findIndex((line) => line.ariaSelected === "true");
    if (["ArrowDown", "ArrowUp"].includes(event.key) && lines.length) {
      event.preventDefault();
      this.#select(lines, (at + (event.key === "ArrowDown" ? 1 : -1) + lines.length) % lines.length);
    } else if (["Enter", "Tab"].includes(event.key) && !event.ctrlKey && !event.metaKey && this.input.value.trim()) {
      if (event.key === "Enter") event.preventDefault();
      if (at >= 0) this.#accept(lines[at]);
      else this.take(this.input.value);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault(); // an empty field does not send the mail
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.#hide();
    } else if (event.key === "Backspace" && !this.input.value) {
      this.root.querySelector(".token:last-of-type")?.remove();
      this.#changed();
    }
  }

  #select(lines, at) {
    lines.forEach((line, index) => { line.ariaSelected = String(index === at); });
    if (lines[at]) {
      this.input.setAttribute("aria-activedescendant", lines[at].id);
      lines[at].scrollIntoView({ block: "nearest" });
    }
  }

  #accept(line) {
    this.take(line.dataset.token);
    this.#hide();
  }

  #suggest() {
    clearTimeout(this.timer);
    const url = this.root.dataset.tokensUrl;
    const text = this.input.value.trim();
    if (!url || !text) return this.#hide();
    this.timer = setTimeout(() => this.#fetch(url, text), WAIT_MS);
  }

  async #fetch(url, text) {
    this.asked?.abort();
    this.asked = new AbortController();
    try {
      const answer = await fetch(`${url}?${new URLSearchParams({ q: text })}`, { signal: this.asked.signal, headers: { "HX-Request": "true" } });
      if (answer.ok && this.input.value.trim() === text) this.#show(await answer.text());
    } catch { /* no suggestions; typing goes on */ }
  }

  #show(html) {
    this.list.innerHTML = html;
    const lines = [...this.list.children];
    lines.forEach((line, index) => { line.id = `${this.list.id}-${index}`; });
    this.list.hidden = !lines.length;
    this.input.ariaExpanded = String(Boolean(lines.length));
    this.#select(lines, 0);
  }

  #hide() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.list.hidden = true;
    this.list.replaceChildren();
    this.input.ariaExpanded = "false";
    this.input.removeAttribute("aria-activedescendant");
  }
}

const known = new WeakSet();
function adopt(scope) {
  for (const root of scope.querySelectorAll?.("[data-tokens]") ?? []) {
    if (!known.has(root)) { known.add(root); new Tokens(root); }
  }
}

document.addEventListener("htmx:load", (event) => adopt(event.target.parentElement ?? event.target));
adopt(document);
