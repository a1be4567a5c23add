/* What every htmx request carries, and where errors go. Links keep their href, forms their action: all of it works without. */
const token = document.querySelector('meta[name="csrf-token"]')?.content;

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get" && token) event.detail.headers["X-CSRFToken"] = token;
});

/* A form that comes back with its errors (422) is shown like any answer; other failures become a toast (toast.js). */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

/* The title of a page reached by a partial answer: <main data-title> or the answer's own <title>, which htmx takes itself. */
document.addEventListener("htmx:afterSettle", (event) => {
  const title = event.target.querySelector?.("[data-title]")?.dataset.title;
  if (title && event.detail.requestConfig?.elt) document.title = `${title} · Postroom`;
});
