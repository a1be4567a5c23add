/*
 * [data-editor]: a text field becomes a text with formatting. What is sent is its HTML, and only once something was changed, so that
 * what was written elsewhere keeps its look. Styles come as data-style, because the policy of pages allows none in HTML, and are set
 * from here. What is pasted or dropped is cleaned by the server (data-clean-url); pictures go the way of attachments ("picture:upload").
 *
 * For others: the element [data-editor] has .editor with text, insert(html), select(text), set(html), focus().
 */
const BLOCK = "blockquote";
const SHORTCUTS = { b: "bold", i: "italic", u: "underline", k: "link", "\\": "clear" };
const SHIFTED = { Digit7: "insertOrderedList", Digit8: "insertUnorderedList", Digit9: "quote" };
const ADDRESS = /^(?:https?|mailto|tel):/i;

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
/* One line goes into the line; several become lines of their own. */
const lines = (text) => {
  const all = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n");
  return all.length === 1 ? escaped(all[0]) : all.map((line) => `<div>${escaped(line) || "<br>"}</div>`).join("");
};

class Editor {
  constructor(root) {
    this.root = root;
    root.editor = this;
    this.plain = root.querySelector("[data-editor-plain]");
    this.sent = root.querySelector("[data-editor-sent]");
    this.surface = root.querySelector("[data-editor-text]");
    this.tools = root.querySelector("[data-editor-tools]");
    this.bar = root.querySelector("[data-editor-link]");
    this.surface.contentEditable = "true";
    this.surface.hidden = this.tools.hidden = false;
    this.#dress();
    const focused = document.activeElement === this.plain || (this.plain.autofocus && document.activeElement === document.body);
    this.plain.disabled = this.plain.hidden = true;
    this.#empty();
    this.#listen();
    if (focused) this.focus();
  }

  get text() { return this.surface.innerText; }
  get html() { return this.surface.innerHTML; }
  get form() { return this.root.closest("form"); }

  focus() {
    const stood = this.#note();
    this.surface.focus({ preventScroll: true });
    if (stood) return;
    if (this.range) this.#select(this.range);
    else getSelection().selectAllChildren(this.surface), getSelection().collapseToEnd();
  }

  /* The text as it was kept on this device. */
  set(html) {
    this.surface.innerHTML = html.replaceAll(' style="', ' data-style="');
    this.#dress();
    this.surface.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  /* At the caret, so that Undo takes it away again. */
  insert(html) {
    this.focus();
    document.execCommand("insertHTML", false, html);
    this.#dress();
  }

  insertText(text) { this.insert(lines(text)); }

  /* The first place where the text says so. */
  select(wanted) {
    const walker = document.createTreeWalker(this.surface, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const at = walker.currentNode.data.indexOf(wanted);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(walker.currentNode, at);
      range.setEnd(walker.currentNode, at + wanted.length);
      this.#select(range);
      this.focus();
      return;
    }
  }

  /* The text between the beginning of the line and the caret. */
  get before() {
    const { anchorNode: node, anchorOffset: at } = getSelection();
    return node?.nodeType === Node.TEXT_NODE && this.surface.contains(node) ? node.data.slice(0, at) : "";
  }

  /* Takes away what was typed last. */
  back(count) {
    for (let left = count; left; left -= 1) document.execCommand("delete");
  }

  #dress() {
    for (const one of this.surface.querySelectorAll("[data-style]")) {
      one.style.cssText = one.dataset.style;
      delete one.dataset.style;
    }
  }

  #empty() {
    const nothing = !this.surface.textContent.trim() && !this.surface.querySelector("img, hr, table, li, blockquote");
    this.surface.classList.toggle("is-empty", nothing);
  }

  #select(range) {
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  /* Where the caret is, while it is here. */
  #note() {
    const selection = getSelection();
    if (!selection.rangeCount || !this.surface.contains(selection.anchorNode)) return false;
    this.range = selection.getRangeAt(0).cloneRange();
    return true;
  }

  #listen() {
    const { surface, tools, bar } = this;
    surface.addEventListener("input", () => {
      this.sent.disabled = false;
      this.sent.value = this.html;
      this.#empty();
      this.#state();
    });
    document.addEventListener("selectionchange", () => {
      if (this.root.isConnected && this.#note()) this.#state();
    });
    surface.addEventListener("focus", () => {
      document.execCommand("defaultParagraphSeparator", false, "div");
      document.execCommand("styleWithCSS", false, "false");
    });
    surface.addEventListener("keydown", (event) => this.#key(event));
    /* What was pasted a moment ago goes along. */
    document.addEventListener("htmx:beforeRequest", (event) => {
      const asked = event.target;
      if (!this.pending || !this.form?.contains(asked) || !asked.matches("form, button")) return;
      event.preventDefault();
      this.pending.then(() => { if (asked.matches("form")) asked.requestSubmit(); else asked.click(); });
    });
    surface.addEventListener("paste", (event) => this.#take(event, event.clipboardData));
    surface.addEventListener("dragstart", () => { this.dragged = true; });
    surface.addEventListener("dragend", () => { this.dragged = false; });
    surface.addEventListener("drop", (event) => this.#drop(event));
    surface.addEventListener("click", (event) => {
      const link = event.target.closest("a[href]");
      if (link && (event.ctrlKey || event.metaKey)) window.open(link.href, "_blank", "noopener");
    });
    tools.addEventListener("pointerdown", (event) => event.preventDefault()); // the text keeps the focus
    tools.addEventListener("click", (event) => {
      const what = event.target.closest("[data-do]")?.dataset.do;
      if (what) this.#do(what);
    });
    tools.addEventListener("keydown", (event) => this.#walk(event));
    [...tools.querySelectorAll("button")].forEach((one, index) => { one.tabIndex = index ? -1 : 0; });
    bar.addEventListener("click", (event) => {
      if (event.target.closest("[data-link-set]")) this.#setLink(bar.querySelector("input").value);
      if (event.target.closest("[data-link-remove]")) this.#setLink("");
    });
    bar.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Enter") this.#setLink(bar.querySelector("input").value);
      else this.#closeLink();
    });
    bar.addEventListener("input", (event) => event.stopPropagation());
  }

  #key(event) {
    if (event.isComposing || event.altKey) return;
    const held = event.ctrlKey || event.metaKey;
    const what = held && (event.shiftKey ? SHIFTED[event.code] : SHORTCUTS[event.key.toLowerCase()]);
    if (what) {
      event.preventDefault();
      event.stopPropagation();
      this.#do(what);
    } else if (event.key === "Tab" && this.#in("li")) {
      event.preventDefault();
      document.execCommand(event.shiftKey ? "outdent" : "indent");
    } else if (event.key === "Enter" && !event.shiftKey && !held && this.#in(BLOCK) && !this.#in("li") && this.#lineIsEmpty()) {
      event.preventDefault(); // an empty line ends the quotation
      document.execCommand("outdent");
    }
  }

  #do(what) {
    this.focus();
    if (what === "link") { this.#openLink(); return; }
    if (what === "quote") this.#in(BLOCK) ? document.execCommand("outdent") : document.execCommand("formatBlock", false, BLOCK);
    else if (what === "clear") this.#clear();
    else document.execCommand(what);
    this.#state();
  }

  #clear() {
    document.execCommand("removeFormat");
    document.execCommand("unlink");
    if (this.#in("h1, h2, h3, h4, pre")) document.execCommand("formatBlock", false, "div");
  }

  #in(selector) {
    const node = getSelection().anchorNode;
    const found = (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.(selector);
    return found && this.surface.contains(found) && found !== this.surface ? found : null;
  }

  #lineIsEmpty() {
    const node = getSelection().anchorNode;
    const line = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    return getSelection().isCollapsed && !line?.textContent.trim() && !line?.querySelector?.("img");
  }

  #state() {
    for (const one of this.tools.querySelectorAll("[data-toggles]")) {
      const what = one.dataset.do;
      const on = what === "quote" ? Boolean(this.#in(BLOCK)) : document.queryCommandState(what);
      if (one.ariaPressed !== String(on)) one.ariaPressed = String(on);
    }
  }

  #walk(event) {
    const all = [...this.tools.querySelectorAll("button")];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = all.at((all.indexOf(document.activeElement) + step) % all.length);
    for (const one of all) one.tabIndex = one === next ? 0 : -1;
    next.focus();
  }

  /* Links ------------------------------------------------------------------ */

  #openLink() {
    const input = this.bar.querySelector("input");
    const link = this.#in("a[href]");
    this.bar.hidden = false;
    input.value = link?.getAttribute("href") ?? "";
    this.bar.querySelector("[data-link-remove]").hidden = !link;
    input.focus();
    input.select();
  }

  #closeLink() {
    this.bar.hidden = true;
    this.focus();
  }

  #setLink(typed) {
    const text = typed.trim();
    const plain = text.includes("@") && !text.includes("/") ? `mailto:${text}` : `https://${text}`;
    const address = !text || ADDRESS.test(text) ? text : plain;
    this.#closeLink();
    const link = this.#in("a[href]");
    if (link && getSelection().isCollapsed) {
      const whole = document.createRange();
      whole.selectNodeContents(link);
      this.#select(whole);
    }
    if (!address) document.execCommand("unlink");
    else if (getSelection().isCollapsed) document.execCommand("insertHTML", false, `<a href="${escaped(address)}">${escaped(text)}</a>`);
    else document.execCommand("createLink", false, address);
  }

  /* Paste and drop --------------------------------------------------------- */

  #drop(event) {
    const data = event.dataTransfer;
    if (!data || (data.types.includes("text/html") && this.dragged)) return;
    const at = document.caretRangeFromPoint?.(event.clientX, event.clientY);
    if (at && this.surface.contains(at.startContainer)) this.#select(at);
    this.#take(event, data);
  }

  /* Word puts a picture of its text beside the text; a copied picture has an element around it. */
  #take(event, data) {
    this.#note();
    const html = data.getData("text/html");
    const text = data.getData("text/plain");
    const pictures = [...data.files].filter((file) => file.type.startsWith("image/") && file.type !== "image/svg+xml");
    const words = html.replace(/<!--[^]*?-->|<style[^]*?<\/style>|<[^>]*>/g, "").trim();
    if (pictures.length && pictures.length === data.files.length && !words) {
      event.preventDefault();
      for (const file of pictures) this.#picture(file);
    } else if (html && (words || !data.files.length)) {
      event.preventDefault();
      this.pending = this.#clean(html, text).finally(() => { this.pending = null; });
    } else if (text && !data.files.length) {
      event.preventDefault();
      this.insertText(text);
    }
  }

  async #clean(html, text) {
    const place = this.range?.cloneRange();
    const url = this.root.dataset.cleanUrl;
    let clean = null;
    try {
      const headers = { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content, "HX-Request": "true" };
      const answer = url ? await fetch(url, { method: "POST", headers, body: new URLSearchParams({ html }) }) : null;
      clean = answer?.ok ? await answer.text() : null;
    } catch { /* no connection: the text alone */ }
    if (place && this.surface.contains(place.startContainer)) this.#select(place);
    if (clean === null) this.insertText(text || new DOMParser().parseFromString(html, "text/html").body.textContent);
    else if (clean) this.insert(clean);
    this.root.dispatchEvent(new CustomEvent("editor:pasted", { bubbles: true }));
  }

  #picture(file) {
    const place = this.range?.cloneRange();
    const done = (html) => {
      if (place && this.surface.contains(place.startContainer)) this.#select(place);
      this.insert(html);
    };
    this.root.dispatchEvent(new CustomEvent("picture:upload", { bubbles: true, detail: { file, done } }));
  }
}

function adopt(scope) {
  for (const root of scope.querySelectorAll?.("[data-editor]") ?? []) if (!root.editor) new Editor(root);
}

document.addEventListener("htmx:load", (event) => adopt(event.target.parentElement ?? event.target));
adopt(document);
