/*
 * iframe[data-mail-frame]: as tall as the mail in it. The sandbox has allow-same-origin but no allow-scripts, and the mail was sanitised and
 * comes with its own CSP: no code can run inside, so sharing the origin gives the mail nothing and lets the page measure it.
 * Keys pressed inside reach the page's shortcuts. Without this script the frame has a fixed height and scrolls.
 * What stands below must not slip away under a finger: while the page is pressed no frame changes, and frame:ready says when one is in place.
 */
const TALLEST = 30000;
const MOST_CHANGES = 80; // a mail that sizes itself by its window would grow for ever

let pressed = false;
const waiting = [];

function whenStill(change) {
  if (pressed) waiting.push(change);
  else change();
}

function released() {
  pressed = false;
  for (const change of waiting.splice(0)) change();
}

document.addEventListener("pointerdown", () => { pressed = true; }, true);
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => setTimeout(released), true); // after the click
addEventListener("blur", released);

function fit(frame, root) {
  const bar = root.scrollWidth > root.clientWidth ? 16 : 0;
  const height = Math.min(TALLEST, Math.ceil(root.getBoundingClientRect().height) + bar);
  if (Math.abs(height - frame.clientHeight) > 1) frame.style.blockSize = `${height}px`;
}

/* A mail of a fixed width (newsletters) is made smaller rather than cut off. */
const SMALLEST = 0.5;
function shrink(frame, inside) {
  inside.body.style.zoom = "";
  const ratio = frame.clientWidth / inside.documentElement.scrollWidth;
  if (ratio < 0.995) inside.body.style.zoom = String(Math.max(SMALLEST, ratio));
}

function paint(root) {
  root.style.colorScheme = getComputedStyle(document.documentElement).colorScheme;
}

function adopt(frame) {
  const inside = frame.contentDocument;
  const root = inside?.documentElement;
  if (!root || inside.URL === "about:blank") return;
  let changes = 0;
  const observer = new ResizeObserver(() => {
    changes += 1;
    if (changes > MOST_CHANGES) observer.disconnect();
    else whenStill(() => fit(frame, root));
  });
  observer.observe(root);
  paint(root);
  shrink(frame, inside);
  fit(frame, root);
  let width = frame.clientWidth;
  inside.defaultView.addEventListener("resize", () => {
    if (frame.clientWidth === width) return;
    width = frame.clientWidth;
    shrink(frame, inside);
  });
  frame.dataset.sized = "";
  frame.dispatchEvent(new CustomEvent("frame:ready", { bubbles: true }));
  inside.addEventListener("keydown", (event) => {
    const { key, code, ctrlKey, metaKey, altKey, shiftKey } = event;
    const again = new KeyboardEvent("keydown", { key, code, ctrlKey, metaKey, altKey, shiftKey, bubbles: true, cancelable: true });
    if (!frame.dispatchEvent(again)) event.preventDefault();
  });
}

document.addEventListener("load", ({ target }) => target.matches?.("iframe[data-mail-frame]") && whenStill(() => adopt(target)), true);
document.addEventListener("theme", () => {
  for (const frame of document.querySelectorAll("iframe[data-mail-frame]")) {
    if (frame.contentDocument) paint(frame.contentDocument.documentElement);
  }
});
for (const frame of document.querySelectorAll("iframe[data-mail-frame]")) if (frame.contentDocument?.readyState === "complete") adopt(frame);
