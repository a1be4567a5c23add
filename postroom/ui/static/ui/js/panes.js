/*
 * Panes: a [data-pane-resize="list"] separator sets --pane-list by dragging or with the arrow keys; [data-pane-toggle] hides the right
 * pane where it is a column (below that width its popover opens instead). Both are remembered in this browser (early.js).
 */
const MIN = 240;
const MAX = 560;
const STEP = 16;
const root = document.documentElement;
const column = matchMedia("(width > 1100px)");

const remember = (key, value) => { try { localStorage.setItem(`postroom.${key}`, value); } catch { /* private window */ } };

function size(handle, width) {
  const fitting = Math.round(Math.max(MIN, Math.min(MAX, width)));
  root.style.setProperty(`--pane-${handle.dataset.paneResize}`, `${fitting}px`);
  handle.ariaValueNow = String(fitting);
  remember(`pane-${handle.dataset.paneResize}`, fitting);
}

const widthOf = (handle) => handle.parentElement.querySelector(".pane-list").getBoundingClientRect().width;

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest?.("[data-pane-resize]");
  if (!handle) return;
  event.preventDefault();
  handle.setPointerCapture(event.pointerId);
  const [start, width] = [event.clientX, widthOf(handle)];
  const direction = getComputedStyle(root).direction === "rtl" ? -1 : 1;
  const move = (moved) => size(handle, width + direction * (moved.clientX - start));
  handle.addEventListener("pointermove", move);
  handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", move), { once: true });
});

document.addEventListener("keydown", (event) => {
  const handle = event.target.closest?.("[data-pane-resize]");
  const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
  if (handle && by) size(handle, widthOf(handle) + by);
});

function tellState() {
  for (const button of document.querySelectorAll("[data-pane-toggle]")) {
    if (column.matches) button.ariaExpanded = String(root.dataset.aside !== "hidden");
    else button.removeAttribute("aria-expanded");
  }
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-pane-toggle]") || !column.matches) return;
  event.preventDefault(); // the button would open the popover
  if (root.dataset.aside === "hidden") delete root.dataset.aside;
  else root.dataset.aside = "hidden";
  remember("aside", root.dataset.aside ?? "");
  tellState();
});

document.addEventListener("htmx:afterSettle", tellState);
column.addEventListener("change", tellState);
tellState();
