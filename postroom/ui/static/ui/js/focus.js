/*
 * The focus is not lost. What had it and is taken away (a line that is done, a part drawn anew, a button waiting for its answer) hands it on: to itself
 * as it was drawn anew, to its neighbour, to the part of the screen it stood in; from what lies above the page, back to where it came from.
 * Nothing happens where a person lets go of it, or works with a pointer. F6 leads from pane to pane.
 */
const STOPS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [contenteditable=true]";
const ABOVE = "dialog, :popover-open, #toasts"; // left by going back
const PARTS = "section, article, aside, form, dialog, main, [popover]";

let pointing = false; // by a pointer, not by a key
let held = null; // what has the focus, or had it, with all it stands in and what stands beside each
const earlier = new WeakMap(); // of something above the page: what was held before

const content = () => document.getElementById("content");
const nobody = () => !document.activeElement || document.activeElement === document.body;
const usable = (one) => one.isConnected && !one.disabled && !one.closest("[inert]") && one.checkVisibility({ visibilityProperty: true });
const stops = (part) => [part, ...part.querySelectorAll(STOPS)].filter((one) => one.matches(STOPS) && one.tabIndex >= 0 && usable(one));

function hold(element) {
  const chain = [];
  for (let one = element; one && one !== document.body; one = one.parentElement) chain.push(one);
  const before = held;
  const above = element.closest(ABOVE);
  held = { element, chain, above, order: chain.map((one) => [...(one.parentElement?.children ?? [])]) };
  if (above && before && !above.contains(before.element)) earlier.set(above, before);
}

/* Who comes next ----------------------------------------------------------- */

/* data-again: what a link is called whose address changes with each press. */
const nameOf = (one) => [
  one.nodeName, one.dataset.again ?? one.getAttribute("href"), one.getAttribute("name"), one.dataset.key, one.matches("button, [type=radio], [type=checkbox]") && one.value,
  one.ariaLabel || one.textContent.trim().replace(/\s+/g, " "),
].join(" ");
const kindOf = (one) => `${one.nodeName} ${one.className}`;

/* In this part: the same, one of its kind, or the first. */
function within(part, element) {
  const all = stops(part);
  return all.find((one) => nameOf(one) === nameOf(element)) ?? all.find((one) => kindOf(one) === kindOf(element)) ?? all[0];
}

/* Beside what the n-th of the chain was: what followed it, or what went before. */
function beside(n, { element, chain, order }) {
  const at = order[n].indexOf(chain[n]);
  for (const one of [...order[n].slice(at + 1), ...order[n].slice(0, at).reverse()]) {
    const found = one.isConnected && within(one, element);
    if (found) return found;
  }
  return null;
}

function anew({ element, chain }, kept, fresh) {
  for (const one of chain.slice(0, kept)) {
    const again = one.id && document.getElementById(one.id);
    const found = again && within(again, element);
    if (found) return found;
  }
  const name = nameOf(element);
  return fresh.filter((one) => one.isConnected).flatMap(stops).find((one) => nameOf(one) === name);
}

function back(above) {
  const before = earlier.get(above);
  if (!before || usable(before.element)) return before?.element;
  earlier.delete(above); // two such parts may each have been entered from the other
  return heir(before);
}

/* `gone`: what is out of sight, where nothing was taken away. */
function heir(lost, fresh = [], gone = null) {
  const { chain, above } = lost;
  const kept = gone ? chain.indexOf(gone) + 1 : chain.findIndex((one) => one.isConnected);
  if (kept === 0) return null;
  const again = gone ? null : anew(lost, kept < 0 ? chain.length : kept, fresh);
  if (again) return again;
  const rest = kept < 0 ? [] : chain.slice(kept);
  if (above) return (rest.includes(above) && above.matches("dialog[open], :popover-open") && stops(above)[0]) || back(above) || content();
  const near = beside(kept < 0 ? chain.length - 1 : kept - 1, lost) ?? (rest[0] && !rest[0].matches(PARTS) && beside(kept, lost));
  return near || rest.find((one) => one.matches(PARTS) && one.checkVisibility()) || content();
}

function give(one) {
  if (!one) return;
  if (!one.matches(STOPS)) one.tabIndex = -1; // a part of the screen
  one.focus({ preventScroll: !one.matches(STOPS) });
}

/* Noticing ----------------------------------------------------------------- */

function notice(records) {
  const hidden = records.find(({ attributeName, target }) => attributeName === "hidden" && target.hidden && target.contains(document.activeElement));
  if (pointing || !held || (!hidden && !nobody())) return; // a pointer needs no focus to go on from
  if (held.chain.some((one) => one.id === "dock")) return; // dock.js gives it back, where it does not go on in another window
  if (hidden) give(heir(held, [], hidden.target));
  else if (!held.element.isConnected) give(heir(held, records.flatMap(({ addedNodes }) => [...addedNodes].filter((one) => one.nodeType === Node.ELEMENT_NODE))));
  else if (usable(held.element)) held.element.focus({ preventScroll: true }); // its answer has come
}

new MutationObserver(notice).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled", "hidden"] });

for (const [name, is] of [["pointerdown", true], ["keydown", false]]) document.addEventListener(name, () => { pointing = is; }, true);

document.addEventListener("focusin", ({ target }) => hold(target));

/* Let go of, by a press beside it or by a script: what is still there and could have it does not want it back. */
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (relatedTarget) return;
  setTimeout(() => { if (nobody() && document.hasFocus() && held?.element === target && usable(target)) held = null; });
});

/* A browser gives the focus back to what opened a dialog or a menu, unless that has gone meanwhile. */
for (const name of ["close", "toggle"]) {
  document.addEventListener(name, ({ target, newState }) => {
    if (pointing || !earlier.has(target) || newState === "open") return;
    if (nobody() || target.contains(document.activeElement)) give(back(target));
  }, true);
}

/* The same screen again: a tab, a filter, a form that was saved, the way back. ---- */

const KEY = "postroom.focus";
/* Not the name itself: a line of the Inbox is named by its mail, and nothing of mail is left in the browser's storage. */
const markOf = (one) => [...nameOf(one)].reduce((mark, sign) => (Math.imul(mark, 33) ^ sign.codePointAt(0)) >>> 0, 5381);
const stored = () => { try { return JSON.parse(sessionStorage.getItem(KEY)) ?? {}; } catch { return {}; } };

let sent = false; // a form, whose answer is the same screen, whatever its address
addEventListener("submit", (event) => { sent = !event.defaultPrevented; });

addEventListener("pagehide", () => {
  const active = !pointing && !nobody() && document.activeElement.tabIndex >= 0 ? document.activeElement : null;
  const opener = earlier.get(active?.closest(ABOVE))?.element; // of a dialog, which the page that follows has not
  const marks = [active, opener].filter(Boolean).map(markOf);
  try { sessionStorage.setItem(KEY, JSON.stringify({ ...stored(), [location.pathname]: marks, last: location.pathname, sent })); } catch { /* private window */ }
});

function takeUp() {
  const { last, sent: answered, ...places } = stored();
  const again = answered || last === location.pathname || performance.getEntriesByType("navigation")[0]?.type !== "navigate";
  const marks = (again && places[answered ? last : location.pathname]) || [];
  if (!marks.length || !nobody()) return;
  const all = stops(document.body);
  const same = marks.map((mark) => all.find((one) => markOf(one) === mark)).find(Boolean);
  (same ?? (answered && all.find((one) => one.matches("#content [aria-current]"))))?.focus(); // else where one is now: a view that was saved
}
if (document.readyState === "complete") takeUp();
else addEventListener("load", takeUp);

/* From pane to pane --------------------------------------------------------- */

const PANES = ".rail, .folders, .pane-list, .pane-detail, main:not(:has(.pane-list)), .pane-aside, .toasts:has([data-toast])";
const left = new WeakMap(); // of a pane: what had the focus last

document.addEventListener("focusin", ({ target }) => {
  const pane = target.closest(PANES);
  if (pane) left.set(pane, target);
});

function entry(pane) {
  const last = left.get(pane);
  if (last && pane.contains(last) && usable(last)) return last;
  const current = pane.querySelector("[aria-current]");
  return (current && stops(current)[0]) || stops(pane)[0];
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "F6" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog:modal")) return;
  const panes = [...document.querySelectorAll(PANES)].filter((pane) => pane.checkVisibility() && entry(pane));
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const to = panes.at(event.shiftKey ? (at < 0 ? -1 : at - 1) : (at + 1) % panes.length);
  if (!to) return;
  event.preventDefault();
  entry(to).focus();
});
