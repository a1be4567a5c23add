/*
 * Lists that are walked with j and k: [data-list] with [data-row] items, each with one link. data-list="follow" opens the line that
 * the focus reaches, where list and detail stand side by side. The current line is marked at once, before the answer is there.
 */
const FOLLOW_MS = 110;
const sideBySide = matchMedia("(width > 720px)");
let timer = 0;

const linkOf = (row) => row.querySelector("a[href]");
const listOf = () => document.activeElement?.closest("[data-list]") ?? document.querySelector("[data-list]");

function step(list, by) {
  const rows = [...list.querySelectorAll("[data-row]")];
  const focused = rows.findIndex((row) => row.contains(document.activeElement));
  const at = focused >= 0 ? focused : rows.findIndex((row) => row.querySelector("[aria-current]"));
  const row = rows[at < 0 ? (by > 0 ? 0 : -1) : at + by];
  if (!row) return;
  const link = linkOf(row);
  link.focus();
  row.scrollIntoView({ block: "nearest" });
  clearTimeout(timer);
  if (list.dataset.list === "follow" && sideBySide.matches) timer = setTimeout(() => link.click(), FOLLOW_MS);
}

function mark(link) {
  const list = link.closest("[data-list]");
  for (const other of list.querySelectorAll("[data-row] a[aria-current]")) if (other !== link) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  if (list.dataset.list === "follow") link.closest("[data-row]").classList.remove("row-unread");
}

/* After the list itself was exchanged, the open line is the one the address names. */
function markByAddress(list) {
  const link = [...list.querySelectorAll("[data-row] a[href]")].find((one) => one.pathname === location.pathname);
  if (link && !link.hasAttribute("aria-current")) mark(link);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !["j", "k"].includes(event.key)) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog[open], [data-menu]")) return;
  const list = listOf();
  if (list) step(list, event.key === "j" ? 1 : -1);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-list] [data-row] a[href]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) mark(link);
});

document.addEventListener("htmx:afterSettle", (event) => {
  const around = event.target.closest?.("[data-list]");
  for (const list of around ? [around] : event.target.querySelectorAll?.("[data-list]") ?? []) markByAddress(list);
});
