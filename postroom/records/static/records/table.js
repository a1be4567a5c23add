/*
 * Tables of records: cells are walked with the arrow keys and changed where they stand; rows follow what others change.
 *
 * From the name of a record the right arrow leads to its cells ([data-cell]); F2, Enter or a second press changes one. Enter saves, Tab
 * saves and goes on to the next, Escape gives up, leaving the cell saves. The form comes from the server, and its answer is the row.
 */
const CELL = "[data-cell]";
const AGAIN_MS = 1500; // between two looks at the whole table
const FULL = 50; // rows of a page: a table with more of them loaded is not drawn anew, it would lose its end
const table = () => document.querySelector("[data-table]")?.dataset; // what it is and what it is asked
const typing = (element) => Boolean(element?.closest?.("input, textarea, select, [contenteditable], dialog"));

/* Walking ---------------------------------------------------------------- */

const linkOf = (row) => row.querySelector(".is-main a[href]");
const cellsOf = (row) => [...row.querySelectorAll(CELL)].filter((cell) => cell.checkVisibility());
const walked = (row) => [linkOf(row), ...cellsOf(row).filter((cell) => !cell.matches(".is-main"))];

function aside(row, from, by) {
  const all = walked(row);
  return all[all.indexOf(from) + by];
}

function below(row, from, by) {
  const other = by > 0 ? row.nextElementSibling : row.previousElementSibling;
  return other?.matches("[data-row]") ? walked(other)[walked(row).indexOf(from)] : null;
}

const MOVES = { ArrowRight: [aside, 1], ArrowLeft: [aside, -1], ArrowDown: [below, 1], ArrowUp: [below, -1] };

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.("#rows [data-row][data-record]");
  if (!row || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const cell = event.target.closest(CELL);
  const at = cell && !cell.matches(".is-main") ? cell : linkOf(row);
  if (event.key === "F2" || (event.key === "Enter" && event.target === cell)) {
    if (!cell) return;
    event.preventDefault();
    change(cell);
    return;
  }
  const [way, by] = MOVES[event.key] ?? [];
  if (!way || (way === below && at === linkOf(row))) return; // on a name the page scrolls, as ever
  event.preventDefault();
  const to = way(row, at, by);
  to?.focus();
  to?.scrollIntoView({ block: "nearest", inline: "nearest" });
});

/* The first press takes hold of a cell, the second changes it; where rows are pressed with a finger they open the record. */
let held = null;
document.addEventListener("pointerdown", ({ target }) => {
  const cell = target.closest?.(CELL);
  held = cell && cell === document.activeElement ? cell : null;
});
document.addEventListener("click", ({ target }) => {
  const cell = target.closest?.(CELL);
  if (cell && cell === held && !typing(target) && !target.closest("a, button")) change(cell);
});

/* Changing --------------------------------------------------------------- */

const formIn = (cell) => cell.querySelector("form[data-cell-form]");

function change(cell) {
  if ("morphKeep" in cell.dataset) return; // it is being changed, or its form is on its way
  const row = cell.closest("[data-row]");
  const here = encodeURIComponent(table().here);
  cell.dataset.morphKeep = "";
  htmx.ajax("GET", `${row.dataset.record}cells/${cell.dataset.cell}/?here=${here}`, { source: cell, target: cell, swap: "beforeend" })
    .then(() => { if (!formIn(cell)) delete cell.dataset.morphKeep; });
}

function giveUp(cell) {
  const form = formIn(cell);
  form.dataset.sent = "no"; // its end takes the focus from it, which is no wish to save
  form.remove();
  settle(cell);
}

function settle(cell) {
  delete cell.dataset.morphKeep;
  look();
}

const inputOf = (form) => form.querySelector("input:not([type=hidden]), textarea, select");
const changed = (form) => inputOf(form).value !== form.dataset.start;

/* `then`: where to go when it is saved: to the "cell", by so many cells, or nowhere. */
function save(form, then) {
  if (form.dataset.sent) return;
  const cell = form.closest(CELL);
  if (changed(form) || form.matches(".field-invalid")) {
    form.dataset.then = then;
    form.requestSubmit();
    return;
  }
  giveUp(cell);
  go(cell, then);
}

function go(cell, then) {
  if (then === "cell") (cell.matches(".is-main") ? linkOf(cell.parentElement) : cell).focus();
  const all = then && then !== "cell" ? [...document.querySelectorAll(`#rows ${CELL}`)].filter((one) => one.checkVisibility()) : [];
  const next = all[all.indexOf(cell) + Number(then)];
  if (next) change(next);
}

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-cell-form]");
  if (!form || event.defaultPrevented || event.isComposing) return;
  const cell = form.closest(CELL);
  if (event.key === "Escape") {
    giveUp(cell);
    go(cell, "cell");
  } else if (event.key === "Enter") save(form, "cell");
  else if (event.key === "Tab") save(form, event.shiftKey ? -1 : 1);
  else return;
  event.preventDefault();
});

document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const form = target.closest?.("form[data-cell-form]");
  if (form?.isConnected && !form.contains(relatedTarget) && document.hasFocus()) save(form, "");
});

document.addEventListener("submit", ({ target }) => { if (target.matches("form[data-cell-form]")) target.dataset.sent = "yes"; }, true);

/* The form has come: its field is ready to be typed over. */
document.addEventListener("htmx:load", ({ target }) => {
  if (!target.matches?.("form[data-cell-form]")) return;
  const input = inputOf(target);
  target.dataset.start = input.value;
  input.focus();
  input.select?.();
});

/* The row is answered: the cell is one of it again. What was refused stays open, with the reason. */
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const form = detail.requestConfig?.elt;
  if (form?.matches?.("form[data-cell-form]") && detail.xhr.status < 300) delete form.closest(CELL)?.dataset.morphKeep;
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  const form = detail.requestConfig?.elt;
  if (!form?.matches?.("form[data-cell-form]") || detail.xhr.status >= 300) return;
  const { pathname } = new URL(form.action);
  const [, record, key] = pathname.match(/^(.*\/)cells\/([^/]+)\/$/);
  const cell = document.querySelector(`[data-record="${record}"] [data-cell="${key}"]`);
  if (!cell) return;
  settle(cell);
  go(cell, form.dataset.then ?? "cell");
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const form = detail.requestConfig?.elt;
  if (form?.matches?.("form[data-cell-form]")) delete form.dataset.sent; // refused or not arrived: it may be sent again
});

/* News ------------------------------------------------------------------- */

const news = new Set(); // records somebody changed
let whole = false; // something came that may belong into the table
let timer = 0;
let soonest = 0;

const busy = () => Boolean(document.querySelector("form[data-cell-form]"));

function hear(pk) {
  news.add(Number(pk));
  look();
}

function look() {
  const of = table();
  if (!of || !news.size) return lookAgain();
  const known = [...news].filter((pk) => document.getElementById(`${of.place}-${pk}`));
  if (known.length < news.size) whole = true;
  news.clear();
  if (known.length) htmx.ajax("GET", `${of.table}${of.here}&rows=${known.join(",")}`, { source: "#list", target: "#list", swap: "none" });
  return lookAgain();
}

/* The table as it is now, in place; not while a cell is being changed, and not when more of it was loaded than its first page. */
function lookAgain() {
  clearTimeout(timer);
  if (!whole || busy()) return;
  const wait = soonest - Date.now();
  if (wait > 0) {
    timer = setTimeout(lookAgain, wait);
    return;
  }
  whole = false;
  soonest = Date.now() + AGAIN_MS;
  const of = table();
  if (!of || document.querySelectorAll("#rows [data-row]").length > FULL) return;
  htmx.ajax("GET", `${of.table}${of.here}`, { source: "#list", target: "#list", swap: "morph-inner" });
}

document.body.addEventListener("live", ({ detail: { topic, told } }) => {
  const [own, ...others] = table()?.news.split(" ") ?? [];
  if (topic === own && told.id) hear(told.id);
  else if (topic === own || others.includes(topic)) again();
});
document.body.addEventListener("record:changed", ({ detail }) => { if (detail?.id) hear(detail.id); });
document.body.addEventListener("live:resync", again);

function again() {
  whole = true;
  lookAgain();
}
