/*
 * The keyboard map: data-key="e" on a link, button or field is pressed by that key; "g i" is a sequence, commas separate
 * alternatives ("Ctrl K, /"). So a shortcut exists exactly where its action does. Later elements win over earlier ones; in a menu or a dialog
 * only what stands in it is pressed.
 */
const SEQUENCE_MS = 1200;
const NAMES = { Escape: "Esc", " ": "Space" };
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

let pending = "";
let timer = 0;

function stroke(event) {
  const name = NAMES[event.key] ?? event.key;
  return event.ctrlKey || event.metaKey ? `Ctrl ${name.length === 1 ? name.toUpperCase() : name}` : name;
}

function pressable(element) {
  return !element.matches(":disabled, [aria-disabled=true]") && !element.closest("[hidden], [inert]");
}

/* Letters walk an open menu (menu.js), so that no key meant for it archives the mail behind. */
const scopeOf = () => document.activeElement?.closest("[data-menu]:is(:popover-open, [open])") ?? document.querySelector("dialog:modal") ?? document;

function find(keys) {
  const scope = scopeOf();
  const form = keys === "Ctrl Enter" ? document.activeElement?.closest("form") : null;
  const all = [...(form ?? scope).querySelectorAll("[data-key]")].filter(
    (element) => element.dataset.key.split(",").some((one) => one.trim() === keys) && pressable(element),
  );
  return all.findLast((element) => element.checkVisibility()) ?? all.at(-1);
}

function press(element) {
  if (element.matches(TYPING)) element.focus();
  else element.click();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.altKey || ["Control", "Shift", "Meta"].includes(event.key)) return;
  const name = stroke(event);
  if (event.target.closest?.(TYPING) && !name.startsWith("Ctrl ")) return;
  if (name === "Esc" && document.querySelector("dialog[open], :popover-open")) return;
  const keys = pending ? `${pending} ${name}` : name;
  clearTimeout(timer);
  pending = "";
  const element = find(keys);
  if (element) {
    event.preventDefault();
    press(element);
  } else if (scopeOf().querySelector(`[data-key^="${CSS.escape(name)} "]`) && name.length === 1) {
    pending = name;
    timer = setTimeout(() => { pending = ""; }, SEQUENCE_MS);
  }
});
