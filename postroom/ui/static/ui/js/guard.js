/* form[data-guard]: what was typed is not lost by leaving the page or by a swap that would throw the form away. */
const dirty = new WeakSet();
const unsaved = () => [...document.querySelectorAll("form[data-guard]")].filter((form) => dirty.has(form));

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-guard]");
  if (form) dirty.add(form);
});

/* Sent or kept as a draft: clean again. */
document.addEventListener("submit", (event) => dirty.delete(event.target));
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form[data-guard]");
  if (form && event.detail.successful) dirty.delete(form);
});

addEventListener("beforeunload", (event) => {
  if (unsaved().length) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, shouldSwap, requestConfig } = event.detail;
  if (!shouldSwap || requestConfig?.triggeringEvent?.type?.startsWith("live:")) return;
  const lost = unsaved().filter((form) => target.contains(form) && !form.contains(event.detail.elt));
  if (lost.length && !confirm("What you wrote here has not been sent. Leave it?")) event.detail.shouldSwap = false;
});
