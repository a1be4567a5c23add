/*
 * Fields edited in place: form[data-inplace] takes the focus when it appears, Escape puts the value back, and after saving the focus
 * returns to the button it came from. form[data-clear] is empty again once it was sent. A page that is a form begins in its first field.
 */
addEventListener("load", () => {
  if (document.activeElement !== document.body) return;
  document.querySelector(".records-form")?.querySelector(":is(.field-invalid, .field) :is(input:not([type=hidden]), select, textarea)")?.focus();
});

document.addEventListener("htmx:load", (event) => {
  const form = event.target.querySelector?.("form[data-inplace]");
  const input = form?.querySelector("input:not([type=hidden]), textarea, select");
  input?.focus();
  input?.select?.();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) event.target.closest?.("form[data-inplace]")?.querySelector("[data-inplace-cancel]")?.click();
});

document.addEventListener("htmx:afterSwap", (event) => {
  const from = event.detail.requestConfig?.elt;
  if (!from?.closest?.("form[data-inplace]")) return;
  const field = document.getElementById(event.detail.requestConfig.target.id);
  if (field && !field.querySelector("form[data-inplace]")) field.querySelector(".record-edit")?.focus();
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form[data-clear]");
  if (form && event.detail.successful && !event.detail.xhr.getResponseHeader("HX-Trigger")?.includes('"error"')) form.reset();
});
