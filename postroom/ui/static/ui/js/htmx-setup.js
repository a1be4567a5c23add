/* What every htmx request carries, and where errors go. Links keep their href, forms their action: all of it works without. */

/* What was swapped in works at once: for a moment htmx would leave it without its own attributes (a button with the id of an earlier one would
   still act on the earlier one's thread). Nothing here animates between two answers. */
htmx.config.defaultSettleDelay = 0;

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

/* A part that looks again because of news and is answered "no such thing" (404): it was deleted, or is not shown to this member any more.
   What the screen still has of it goes, with the pane or page around it ([data-leaves]). */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target, requestConfig } = event.detail;
  if (xhr.status !== 404 || !requestConfig?.triggeringEvent?.type?.startsWith("live:")) return;
  const note = document.createElement("p");
  note.className = "empty";
  note.textContent = "This is not here any more, or no longer shown to you.";
  (target.closest("[data-leaves], #detail") ?? target).replaceChildren(note);
  event.detail.shouldSwap = false;
  event.detail.isError = false;
});

/* What an answer says (HX-Trigger) is said where its asker stands. One that another answer has swapped away meanwhile stands nowhere, and nobody
   would hear of what it did: then the page is told. */
document.addEventListener("htmx:beforeSend", ({ detail: { elt, xhr } }) => {
  xhr.addEventListener("readystatechange", () => {
    const said = xhr.readyState === XMLHttpRequest.DONE && !elt.isConnected && xhr.getResponseHeader("HX-Trigger");
    for (const [name, value] of Object.entries(said ? JSON.parse(said) : {}))
      htmx.trigger(document.body, name, Object(value) === value ? value : { value });
  });
});

/* The title of a page reached by a partial answer: <main data-title> or the answer's own <title>, which htmx takes itself. */
document.addEventListener("htmx:afterSettle", (event) => {
  const title = event.target.querySelector?.("[data-title]")?.dataset.title;
  if (title && event.detail.requestConfig?.elt) document.title = `${title} · Postroom`;
});
