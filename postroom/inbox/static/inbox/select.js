/*
 * Choosing conversations in a list, to do something to all of them: the box of a line, x on the current one, Shift and a click for
 * a range. While any is chosen, the keys of the bar (e, #, s …) are those of the choice, not of the open thread.
 */
const list = () => document.getElementById("threads");
const boxes = () => [...(list()?.querySelectorAll("[data-select]") ?? [])];
const chosen = () => boxes().filter((box) => box.checked);
let last = null;

function focusList() {
  const rows = [last?.closest("[data-row]"), list()?.querySelector("[aria-current]")?.closest("[data-row]"), list()?.querySelector("[data-row]")];
  (rows.find((row) => row?.isConnected)?.querySelector(".row-link") ?? list()?.closest("section"))?.focus();
}

function show() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const many = chosen().length;
  if (!many && bar.contains(document.activeElement)) focusList(); // the bar goes
  bar.classList.toggle("is-open", many > 0);
  document.documentElement.toggleAttribute("data-choosing", many > 0);
  bar.querySelector("[data-bulk-count]").textContent = many ? `${many.toLocaleString()} chosen` : "";
}

function choose(box, checked) {
  box.checked = checked;
  last = box;
  show();
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-select]");
  if (box) {
    const all = boxes();
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && last && from >= 0) for (const one of all.slice(from, to + 1)) one.checked = box.checked;
    last = box;
    show();
  } else if (event.target.closest?.("[data-select-all]")) {
    for (const one of boxes()) one.checked = true;
    show();
  } else if (event.target.closest?.("[data-select-none]")) {
    clear();
  }
});

function clear() {
  for (const one of chosen()) one.checked = false;
  show();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open], [data-menu]")) return;
  if (event.key === "Escape" && chosen().length && !document.querySelector(":popover-open")) {
    event.preventDefault();
    event.stopPropagation();
    clear();
  } else if (event.key === "x") {
    const row = document.activeElement?.closest("#threads [data-row]") ?? list()?.querySelector("[aria-current]")?.closest("[data-row]");
    const box = row?.querySelector("[data-select]");
    if (box) choose(box, !box.checked);
  }
}, true);

document.addEventListener("selection:clear", clear);
for (const name of ["htmx:afterSettle", "thread:gone"]) document.addEventListener(name, show);
show();
