/*
 * Menus are popovers, or details in the page ([data-menu]). Opened by a key they take the focus: what is current, a field to search in, or the first
 * line; arrows, Home, End and a letter walk them, Esc closes and gives the focus back, Tab leads to further fields or out. A choice closes
 * them. Browsers without CSS anchors get a position.
 */
const GAP = 4;
const STOPS = "a[href], button, input:not([type=hidden]), select, textarea";
const OPEN = "[data-menu]:is(:popover-open, [open])";
const FIELD = "input:is([type=search], [type=text], :not([type]))"; // one line of text: up and down lead out of it
const stops = (menu) => [...menu.querySelectorAll(STOPS)].filter((one) => !one.disabled && one.checkVisibility());
const lines = (menu) => stops(menu).filter((one) => one.matches(`a, button, ${FIELD}`));
const from = new WeakMap(); // of an open menu: what had the focus before
let byKey = false;

for (const [name, is] of [["keydown", true], ["pointerdown", false]]) document.addEventListener(name, () => { byKey = is; }, true);

const openersOf = (menu) => [...document.querySelectorAll(`[popovertarget="${CSS.escape(menu.id)}"]`)];
const openerOf = (menu) => openersOf(menu).find((one) => one === document.activeElement) ?? openersOf(menu)[0];

function put(menu) {
  const opener = openerOf(menu)?.getBoundingClientRect();
  if (!opener) return;
  const size = menu.getBoundingClientRect();
  const above = menu.dataset.menuSide === "above" || opener.bottom + size.height + GAP > innerHeight;
  menu.style.insetBlockStart = `${above ? Math.max(GAP, opener.top - size.height - GAP) : opener.bottom}px`;
  menu.style.insetInlineStart = `${Math.max(GAP, Math.min(opener.left, innerWidth - size.width - GAP))}px`;
  menu.style.position = "fixed";
}

/* The focus goes in, and back ------------------------------------------------ */

function enter(menu) {
  const all = stops(menu);
  const chosen = ["[aria-current], [aria-pressed=true]", "[type=search]", ".menu-item"].map((kind) => all.find((one) => one.matches(kind))).find(Boolean);
  if (!all.length) menu.tabIndex = -1; // what it shows is on its way
  (chosen ?? all[0] ?? menu).focus({ preventScroll: true });
}

function giveBack(menu) {
  const before = from.get(menu);
  (before?.isConnected && before !== document.body ? before : openerOf(menu))?.focus({ preventScroll: true });
}

function close(menu) {
  if (!menu.matches("details")) {
    menu.hidePopover(); // the browser gives the focus back where there was one
    if (document.activeElement === document.body) giveBack(menu);
    return;
  }
  menu.open = false;
  menu.querySelector("summary").focus();
}

document.addEventListener("beforetoggle", ({ target, newState }) => {
  if (target.matches?.("[data-menu]") && newState === "open") from.set(target, document.activeElement);
}, true);

document.addEventListener("toggle", ({ target: menu, newState }) => {
  if (!menu.matches?.("[data-menu]")) return;
  const within = menu.contains(document.activeElement) && !document.activeElement.matches("summary");
  if (newState === "open") {
    if (!menu.matches("details") && !CSS.supports("position-area: block-end")) put(menu);
    if ((byKey || menu.matches("details")) && !within) enter(menu);
  } else if (byKey && (within || document.activeElement === document.body)) giveBack(menu);
}, true);

/* What a menu shows has come: whoever waits at it goes on, as does whoever stood on a line that was drawn anew. */
document.addEventListener("htmx:afterSwap", ({ target: menu }) => {
  if (!menu.matches?.(OPEN) || !byKey) return;
  const active = document.activeElement;
  if (active === menu || active === document.body || active === openerOf(menu)) enter(menu);
});

/* Walking -------------------------------------------------------------------- */

const labelOf = (line) => (line.querySelector(":scope > span:not([aria-hidden])") ?? line).textContent.trim().toLowerCase();
const WAYS = {
  ArrowDown: (all, at) => all[(at + 1) % all.length],
  ArrowUp: (all, at) => all.at(at < 0 ? -1 : at - 1),
  Home: (all) => all[0],
  End: (all) => all.at(-1),
};

function wanted(menu, { key, target }) {
  const all = lines(menu);
  const at = all.indexOf(target);
  if (key in WAYS) return target.matches(FIELD) && !key.startsWith("Arrow") ? null : WAYS[key](all, at);
  if (key.length !== 1 || key === " " || target.matches(FIELD)) return null;
  return [...all.slice(at + 1), ...all.slice(0, at + 1)].find((line) => labelOf(line).startsWith(key.toLowerCase()));
}

/* The fields of a menu are reached by Tab, its lines are one stop: from them it leads to the next field, or out. */
function tab(menu, event) {
  if (!event.target.matches(".menu-item") && event.target !== menu) return;
  const after = event.shiftKey ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
  const fields = stops(menu).filter((one) => !one.matches(".menu-item") && event.target.compareDocumentPosition(one) & after);
  const next = event.target === menu ? null : fields.at(event.shiftKey ? -1 : 0);
  if (next) {
    event.preventDefault();
    next.focus();
  } else if (!menu.matches("details")) close(menu);
}

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(OPEN);
  if (!menu || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Tab") tab(menu, event);
  else if (event.key === "Escape" && menu.matches("details")) {
    event.preventDefault();
    close(menu);
  } else if (!event.target.matches(`select, textarea, summary, input:not(${FIELD})`)) {
    const line = wanted(menu, event);
    if (!line) return;
    event.preventDefault();
    line.focus();
  }
});

/* Down and up on the button of a menu lead into it. */
document.addEventListener("keydown", (event) => {
  const opener = event.target.closest?.("[popovertarget]");
  const menu = opener && document.getElementById(opener.getAttribute("popovertarget"));
  if (!menu?.matches("[data-menu]") || event.defaultPrevented || event.altKey || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  if (menu.matches(":popover-open")) enter(menu);
  else opener.click();
});

document.addEventListener("focusout", ({ target, relatedTarget: to }) => {
  const menu = target.closest?.("[data-menu]:popover-open");
  if (menu && to && byKey && !menu.contains(to) && !openersOf(menu).includes(to)) menu.hidePopover();
});

document.addEventListener("click", (event) => {
  const menu = event.target.closest?.(".menu-item")?.closest(OPEN);
  if (menu) close(menu);
});
