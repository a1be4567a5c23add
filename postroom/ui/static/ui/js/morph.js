/*
 * hx-swap="morph" (the element itself) and "morph-inner" (its children), also out of band: the page is changed where it differs.
 *
 * Children are matched by id or data-key, so that a line that stays keeps its node, focus and scroll position; the rest is
 * matched by place. What a person did stays: open details, typed text, script-made styles; data-morph-keep is left alone.
 */
const KEPT_ATTRIBUTES = new Set(["style", "data-sized"]);
const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.key || "" : "");
const alike = (old, fresh) => old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName;

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.hasAttribute("data-morph-keep") || old.isEqualNode(fresh)) return;
  syncAttributes(old, fresh);
  if (old.nodeName === "TEXTAREA" && old === document.activeElement) return;
  morphChildren(old, fresh);
}

function syncAttributes(old, fresh) {
  const opened = ["DETAILS", "DIALOG"].includes(old.nodeName);
  const kept = (name) => KEPT_ATTRIBUTES.has(name) || (opened && name === "open");
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !kept(name)) old.setAttribute(name, value);
  }
}

function morphChildren(parent, source) {
  const wanted = new Set([...source.children].map(keyOf).filter(Boolean));
  const keyed = new Map();
  for (const child of [...parent.children]) {
    const key = keyOf(child);
    if (key && wanted.has(key)) keyed.set(key, child);
    else if (key) child.remove();
  }
  let cursor = parent.firstChild;
  for (const fresh of [...source.childNodes]) {
    const key = keyOf(fresh);
    const match = key ? keyed.get(key) : cursor && !keyOf(cursor) ? cursor : null;
    if (match && alike(match, fresh)) {
      if (match === cursor) cursor = cursor.nextSibling;
      else place(parent, match, cursor);
      morph(match, fresh);
    } else {
      parent.insertBefore(fresh, cursor);
    }
  }
  while (cursor) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
}

/* moveBefore keeps focus, frames and animations alive where the browser has it. */
const place = (parent, node, before) =>
  parent.moveBefore ? parent.moveBefore(node, before) : parent.insertBefore(node, before);

htmx.defineExtension("morph", {
  isInlineSwap: (style) => style === "morph",
  handleSwap(style, target, fragment) {
    if (style === "morph-inner") {
      morphChildren(target, fragment);
      return [target];
    }
    if (style !== "morph") return false;
    const fresh = fragment.nodeType === Node.ELEMENT_NODE && alike(target, fragment) ? fragment : fragment.firstElementChild;
    if (!fresh) return [];
    if (!alike(target, fresh)) {
      target.replaceWith(fresh);
      return [fresh];
    }
    morph(target, fresh);
    return [target];
  },
});
