/*
 * Toasts: dispatch the event "toast" (or answer with HX-Trigger) with {text, kind, undo_url, undo_label, seconds}. They leave by themselves,
 * errors stay; the pointer or the focus on one holds it. Failed htmx requests say what happened.
 */
const STAY_MS = 6000;
const STAY_WITH_UNDO_MS = 10000;
const region = () => document.getElementById("toasts");

function leave(toast) {
  toast.classList.add("is-leaving");
  setTimeout(() => toast.remove(), 160);
}

/* A toast with data-toast-seconds goes when they are over, whoever looks at it: what it offers is over, too. */
function countDown(toast) {
  const end = performance.now() + Number(toast.dataset.toastSeconds) * 1000;
  const left = toast.querySelector(".toast-left");
  left.hidden = false;
  const timer = setInterval(() => {
    const seconds = Math.ceil((end - performance.now()) / 1000);
    left.textContent = Math.max(0, seconds);
    if (seconds > 0 && toast.isConnected) return;
    clearInterval(timer);
    leave(toast);
  }, 250);
}

function live(toast) {
  if (toast.dataset.toastSeconds) { countDown(toast); return; }
  const undo = toast.querySelector(".toast-undo:not([hidden])");
  let timer = 0;
  const start = () => {
    if (!toast.classList.contains("toast-error")) timer = setTimeout(() => leave(toast), undo ? STAY_WITH_UNDO_MS : STAY_MS);
  };
  for (const hold of ["pointerenter", "focusin"]) toast.addEventListener(hold, () => clearTimeout(timer));
  for (const go of ["pointerleave", "focusout"]) toast.addEventListener(go, start);
  start();
}

export function show({ text, kind = "info", undo_url: undoUrl, undo_label: undoLabel, seconds }) {
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.classList.replace("toast-info", `toast-${kind}`);
  toast.role = kind === "error" ? "alert" : "status";
  toast.querySelector(".toast-text").textContent = text;
  if (seconds) {
    toast.dataset.toastSeconds = seconds;
    toast.querySelector(".toast-left").textContent = seconds;
  }
  const undo = toast.querySelector(".toast-undo");
  if (undoUrl) {
    undo.hidden = false;
    undo.action = undoUrl;
    undo.setAttribute("hx-post", undoUrl);
    undo.setAttribute("hx-swap", "none");
    if (undoLabel) undo.querySelector("button").textContent = undoLabel;
    undo.addEventListener("htmx:afterRequest", () => leave(toast));
  }
  region().append(toast);
  while (region().childElementCount > 3) region().firstElementChild.remove();
  htmx.process(toast);
  live(toast);
}

document.addEventListener("toast", (event) => show(event.detail));
document.addEventListener("click", (event) => {
  const close = event.target.closest?.("[data-toast-close]");
  if (close) leave(close.closest("[data-toast]"));
});
document.addEventListener("htmx:sendError", ({ target }) => target.closest?.("[data-says-itself]") || show({ kind: "error", text: "No connection to Postroom. Your change was not saved; try again." }));
document.addEventListener("htmx:responseError", ({ target, detail: { xhr } }) => {
  if (target.closest?.("[data-says-itself]")) return;
  if (xhr.getResponseHeader("HX-Trigger")?.includes('"toast"')) return;
  const reference = xhr.getResponseHeader("X-Reference");
  show({ kind: "error", text: `That didn't work (${xhr.status})${reference ? `, reference ${reference}` : ""}. Try again, or reload the page.` });
});
for (const toast of document.querySelectorAll("#toasts [data-toast]")) live(toast);
