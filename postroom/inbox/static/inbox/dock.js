/*
 * Where a message is written: docked beside what one reads (links to /compose/ on pages with #dock, where there is room), in a window of
 * its own ([data-pop-out]), or on a page. It is the same draft everywhere; each way out keeps it first.
 */
const PATIENCE_MS = 10000; // a server that has much to do; without a connection the answer is there at once
const room = matchMedia("(width > 720px)");
const dock = () => document.getElementById("dock");
const docked = () => dock()?.querySelector("form.composer");

/* Kept, or given up waiting for: the text is on this device in any case (keeping.js). */
function keep(form) {
  const saver = form?.querySelector("[data-composer-save]");
  if (!saver) return Promise.resolve();
  return new Promise((resolve) => {
    saver.addEventListener("htmx:afterRequest", resolve, { once: true });
    setTimeout(resolve, PATIENCE_MS);
    htmx.trigger(saver, "composer:save");
  });
}

let from = null; // what had the focus before

function empty() {
  dock()?.replaceChildren();
  if (document.activeElement === document.body && from?.isConnected) from.focus();
}

async function open(url) {
  const before = docked();
  if (!before) from = document.activeElement;
  if (before) await keep(before);
  await htmx.ajax("GET", url, { target: "#dock", swap: "innerHTML" });
  const form = docked();
  if (!form) return;
  const to = form.querySelector(".token") ? form.querySelector("input[name=subject]") : form.querySelector(".recipients-input");
  if (!form.contains(document.activeElement)) to?.focus(); // who was quicker writes on
}

function popOut(link) {
  const form = link.closest("[data-dock-window], form.composer, .reply-slot")?.querySelector("form.composer") ?? link.closest("form.composer");
  const own = window.open("", `postroom-${form.dataset.composition}`, "popup,width=760,height=720");
  if (!own) return false;
  keep(form).then(() => {
    own.location.href = link.href;
    if (form.closest("#dock")) dock().replaceChildren();
    else form.remove();
  });
  return true;
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest?.("a[href]");
  if (link?.matches("[data-pop-out]")) {
    if (popOut(link)) event.preventDefault();
  } else if (link?.matches("[data-leave-saved]")) {
    event.preventDefault();
    keep(link.closest("[data-dock-window]").querySelector("form.composer")).then(() => { location.href = link.href; });
  } else if (link && link.pathname === "/compose/" && dock() && room.matches) {
    event.preventDefault();
    open(link.getAttribute("href"));
  } else if (event.target.closest?.("[data-dock-close]")) {
    const form = docked();
    keep(form).then(empty);
  } else if (event.target.closest?.("[data-dock-fold]")) {
    const button = event.target.closest("[data-dock-fold]");
    const folded = button.closest("[data-dock-window]").classList.toggle("is-folded");
    button.ariaExpanded = String(!folded);
  }
});

/* Sent or discarded: the form is gone, and so is its window. */
document.addEventListener("htmx:afterSettle", () => { if (dock()?.childElementCount && !docked()) empty(); });
document.addEventListener("htmx:afterSwap", () => { setTimeout(() => { if (dock()?.childElementCount && !docked()) empty(); }); });
