/*
 * A draft is kept at every pause. Until the server has it, it is kept on this device, too: a page that was closed, or a connection that
 * was lost, loses nothing. The composer says which of both it is.
 */
const PAUSE_MS = 1500;
const LATEST_MS = 15000;
const DEVICE_MS = 300;
const OLDEST_MS = 30 * 24 * 3600 * 1000;
const PREFIX = "postroom-draft-";
const FIELDS = ["to", "cc", "bcc", "subject", "from"];

const read = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
const write = (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; } };
const clock = (at) => new Intl.DateTimeFormat(document.documentElement.lang || "en", { hour: "2-digit", minute: "2-digit" }).format(at);

class Keeper {
  constructor(form) {
    this.form = form;
    this.saver = form.querySelector("[data-composer-save]");
    this.state = form.querySelector("[data-composer-state]");
    this.key = PREFIX + form.dataset.composition;
    this.editor = form.querySelector("[data-editor]").editor;
    this.turn = 0; // grows with every change
    this.#listen();
    this.#restore();
  }

  say(text) { if (this.state && this.state.textContent !== text) this.state.textContent = text; }

  #fields() {
    const told = Object.fromEntries(FIELDS.map((name) => [name, this.form.elements[name]?.value]).filter(([, value]) => value !== undefined));
    return { ...told, html: this.editor.html };
  }

  #listen() {
    const { form, saver } = this;
    const changed = (event) => {
      if (event.target.closest("[data-unguarded]") || event.target.type === "file" || this.quiet) return;
      this.changed();
    };
    form.addEventListener("input", changed);
    form.addEventListener("change", changed);
    saver.addEventListener("htmx:beforeRequest", () => { this.asked = this.turn; });
    saver.addEventListener("htmx:afterRequest", ({ detail }) => {
      if (detail.successful) this.#saved(detail.xhr);
      else this.#failed(detail.xhr?.status ?? 0);
    });
    form.addEventListener("htmx:afterRequest", ({ target, detail }) => {
      if (target !== form || !detail.successful) return;
      this.stopped = true; // it was sent
      clearTimeout(this.timer);
      clearTimeout(this.device);
      localStorage.removeItem(this.key);
    });
  }

  changed() {
    this.turn += 1;
    if (this.state?.textContent === "Saved") this.say("");
    clearTimeout(this.device);
    this.device = setTimeout(() => this.#onDevice(), DEVICE_MS);
    this.since ??= performance.now();
    this.#plan(Math.min(PAUSE_MS, Math.max(0, LATEST_MS - (performance.now() - this.since))));
  }

  #plan(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), wait);
  }

  save() {
    clearTimeout(this.timer);
    if (!this.form.isConnected || this.stopped) return;
    htmx.trigger(this.saver, "composer:save");
  }

  #onDevice() {
    if (this.stopped) return;
    if (!this.told) this.told = { version: this.form.dataset.version };
    write(this.key, { at: Date.now(), version: this.told.version, fields: this.#fields() });
  }

  #saved(xhr) {
    this.failures = 0;
    const version = xhr.getResponseHeader("X-Draft-Version");
    if (version) { this.form.dataset.version = version; this.told = null; }
    if (this.turn !== this.asked) { this.#plan(PAUSE_MS); return; }
    this.since = null;
    clearTimeout(this.device);
    localStorage.removeItem(this.key);
    this.say("Saved");
  }

  /* 0: no connection. A page that has been signed out, or a server that starts anew, answers otherwise. */
  #failed(status) {
    if (status === 404 || status === 410) { this.say("This draft is no longer there. Your text is kept on this device"); this.#onDevice(); return; }
    this.failures = (this.failures ?? 0) + 1;
    this.#onDevice();
    this.say(status ? "Not saved yet; kept on this device" : "Offline: kept on this device");
    this.#plan(Math.min(60000, 2000 * 2 ** this.failures));
  }

  retry() { if (this.failures) this.save(); }

  #restore() {
    const kept = read(this.key);
    if (!kept?.fields) return;
    const now = this.#fields();
    const differs = Object.entries(kept.fields).some(([name, value]) => (now[name] ?? "") !== (value ?? ""));
    if (!differs || Date.now() - kept.at > OLDEST_MS) { localStorage.removeItem(this.key); return; }
    if (String(kept.version ?? "") === String(this.form.dataset.version ?? "")) this.#take(kept);
    else this.#ask(kept);
  }

  #take(kept) {
    for (const [name, value] of Object.entries(kept.fields)) {
      if (name === "html") this.editor.set(value);
      else this.#put(name, value);
    }
    this.changed();
    this.say("Taken up from this device");
  }

  #put(name, value) {
    const field = this.form.elements[name];
    const tokens = field?.closest("[data-tokens]");
    if (tokens) tokens.dispatchEvent(new CustomEvent("tokens:set", { detail: value }));
    else if (field) field.value = value;
  }

  /* It was changed elsewhere since: its author decides. */
  #ask(kept) {
    const note = this.form.querySelector("[data-composer-kept]");
    if (!note) return;
    note.hidden = false;
    note.querySelector("[data-kept-when]").textContent = clock(kept.at);
    note.querySelector("[data-kept-use]").addEventListener("click", () => { note.hidden = true; this.#take(kept); });
    note.querySelector("[data-kept-drop]").addEventListener("click", () => { note.hidden = true; localStorage.removeItem(this.key); });
  }
}

const keepers = new Map();
function adopt(scope) {
  for (const form of scope.querySelectorAll?.("form.composer[data-composition]") ?? []) {
    if (form.querySelector("[data-composer-save]") && form.querySelector("[data-editor]")?.editor && !keepers.has(form)) keepers.set(form, new Keeper(form));
  }
  for (const form of keepers.keys()) if (!form.isConnected) keepers.delete(form);
}

document.addEventListener("htmx:load", (event) => adopt(event.target.parentElement ?? event.target));
addEventListener("online", () => { for (const keeper of keepers.values()) keeper.retry(); });
adopt(document);
