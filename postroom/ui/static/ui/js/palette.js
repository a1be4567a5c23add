/*
 * The command palette (Ctrl K): every element with data-palette="words" is something to jump to, and every one with a key something to
 * do; records of that name are asked for and stand below; what is typed and fits nothing is searched for. A press on [data-palette-open] opens it; without a script that link is the search page.
 */
const dialog = document.querySelector("[data-palette-dialog]");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
let options = [];
let chosen = 0;
const ASK_MS = 120;
const records = dialog?.querySelector("[data-palette-found]");
let asking = null;
let timer = 0;

/* What can be done with the open thread comes first, then where one can go, then the rest. */
function found() {
  const doing = [...document.querySelectorAll("[data-key], #thread-more .menu-item")].filter(isOffered);
  const open = (element) => element.closest("#detail");
  return [...doing.filter(open), ...document.querySelectorAll("[data-palette]"), ...doing.filter((element) => !open(element))];
}

function isOffered(element) {
  if (element.dataset.palette || !labelOf(element) || element.matches("input, textarea, select, :disabled, [aria-disabled=true]")) return false;
  if (element.closest("[hidden], [inert], dialog, [data-palette-open], .message-actions, .bulk:not(.is-open)")) return false;
  return !element.closest(".bulk ~ .menu") && (element.dataset.key || element.closest("#thread-more"));
}

function labelOf(element) {
  if (element.dataset.palette) return element.dataset.palette;
  if (element.ariaLabel) return element.ariaLabel;
  const copy = element.cloneNode(true);
  for (const one of copy.querySelectorAll("kbd, svg, .count")) one.remove();
  return copy.textContent.trim().replace(/\s+/g, " ");
}

/* What there is to choose from. Gathered when the palette opens: looking at every element of the page is too much for each letter. */
let places = [];

function gather() {
  const all = new Map();
  for (const element of found()) {
    const label = labelOf(element);
    const key = `${label.toLowerCase()} ${element.getAttribute("href") ?? ""}`;
    if (!all.has(key)) all.set(key, { key, label, words: label.toLowerCase(), element, option: null });
  }
  places = [...all.values()];
}

function optionOf(place) {
  const { label, element } = place;
  place.option ??= option(label, element.querySelector(".icon"), element.dataset.key, () => go(place));
  return place.option;
}

/* News may have drawn the page anew since: then it is what stands there now under the same words. */
function go({ key, element }) {
  dialog.close();
  if (!element.isConnected) gather();
  (element.isConnected ? element : places.find((one) => one.key === key)?.element)?.click();
}

function option(label, icon, keys, run, note = "") {
  const line = document.createElement("li");
  line.className = "palette-option";
  line.role = "option";
  if (icon) line.append(icon.cloneNode(true));
  line.append(Object.assign(document.createElement("span"), { textContent: label }));
  if (note) line.append(Object.assign(document.createElement("span"), { className: "palette-note", textContent: note }));
  if (keys && !keys.includes(",")) line.append(Object.assign(document.createElement("kbd"), { className: "key keys", textContent: keys.toUpperCase(), ariaHidden: "true" }));
  line.addEventListener("click", run);
  line.addEventListener("pointermove", () => choose([...list.children].indexOf(line)));
  return { line, run };
}

function choose(index) {
  chosen = Math.max(0, Math.min(options.length - 1, index));
  options.forEach(({ line }, at) => { line.ariaSelected = String(at === chosen); });
  input.setAttribute("aria-activedescendant", options[chosen]?.line.id ?? "");
  const { line } = options[chosen] ?? {};
  if (line) requestAnimationFrame(() => line.scrollIntoView({ block: "nearest" })); // with the frame's own layout, not one more for each letter
}

/* Records of that name come a moment later; what is chosen meanwhile stays chosen, for they come behind the places. */
function ask() {
  clearTimeout(timer);
  asking?.abort();
  const text = input.value.trim();
  if (!text) records.replaceChildren();
  if (!text || !dialog.dataset.paletteRecords) return;
  const own = new AbortController();
  asking = own;
  timer = setTimeout(async () => {
    try {
      const answer = await fetch(`${dialog.dataset.paletteRecords}?q=${encodeURIComponent(text)}`, { signal: own.signal });
      if (!answer.ok || answer.redirected) return;
      const html = document.createElement("template");
      html.innerHTML = await answer.text();
      records.replaceChildren(html.content);
      if (!own.signal.aborted) fill(chosen);
    } catch { /* typed on meanwhile, or no connection: the places are there */ }
  }, ASK_MS);
}

function fill(at = 0) {
  const text = input.value.trim();
  const words = text.toLowerCase().split(/\s+/);
  options = places.filter((one) => words.every((word) => one.words.includes(word))).map(optionOf);
  for (const link of records.querySelectorAll("a")) {
    options.push(option(link.textContent.trim(), link.querySelector(".icon"), "", () => { dialog.close(); link.click(); }, link.dataset.note));
  }
  if (text) options.push(option(`Search for “${text}”`, dialog.querySelector("form .icon"), "", () => input.form.requestSubmit()));
  options.forEach(({ line }, index) => { line.id = `palette-option-${index}`; });
  list.replaceChildren(...options.map(({ line }) => line));
  choose(at);
}

/* The palette is seen first and filled in the next moment, or with the first key. */
let waiting = 0;

function ready() {
  if (!waiting) return;
  cancelAnimationFrame(waiting);
  waiting = 0;
  gather();
  fill();
}

const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };

if (dialog) {
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-palette-open]")) return;
    event.preventDefault();
    document.querySelector(".rail:popover-open")?.hidePopover();
    input.value = "";
    ask();
    if (!dialog.open) dialog.showModal();
    input.focus();
    waiting = requestAnimationFrame(() => setTimeout(ready));
  });
  input.addEventListener("input", () => { ready(); ask(); fill(); });
  input.addEventListener("keydown", (event) => {
    ready();
    if (event.key in MOVES) choose(chosen + MOVES[event.key]);
    else if (event.key === "Enter" && options.length) options[chosen].run();
    else return;
    event.preventDefault();
  });
}
