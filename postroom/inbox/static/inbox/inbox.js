/*
 * What the screens of mail add to the shell: the open thread and its list stay together, drafts say that they are kept,
 * pictures are shown when asked for.
 */
const pane = () => document.getElementById("detail"); // asked anew: going back exchanges the whole page
const sideBySide = matchMedia("(width > 720px)");
const openThread = () => pane()?.querySelector("[data-thread]")?.dataset.thread ?? "";
const rowOf = (thread) => document.getElementById(`thread-${thread}`);

/* The list looks again: as many lines as it has, and the open one in any case. */
document.addEventListener("htmx:configRequest", ({ target, detail: { parameters } }) => {
  if (!target.matches?.("[data-look-again]")) return;
  parameters.shown = document.querySelectorAll("#threads > [data-row]").length;
  const current = document.querySelector("#threads a[aria-current]")?.closest("[data-row]")?.id ?? "";
  const open = current.startsWith("thread-") ? current.slice(7) : openThread();
  if (open) parameters.open = open;
});

/* A thread that was opened is shown from the message that was looked for or its newest one on; what stands above can be scrolled to. */
function showNewest() {
  const scroller = pane()?.querySelector(".pane-scroll");
  const asked = pane()?.querySelector("[data-show]")?.dataset.show;
  const first = (asked && document.getElementById(asked)) || scroller?.querySelector(".message[open]");
  if (!first) return;
  const top = first.offsetTop - scroller.offsetTop;
  scroller.scrollTop = first.previousElementSibling && top > scroller.clientHeight / 2 ? top - 64 : 0;
}
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "detail") showNewest();
});
if (location.hash) document.querySelector(location.hash)?.scrollIntoView({ block: "nearest" });
else showNewest();

/* Closing, and what left the list ----------------------------------------- */

function close() {
  const thread = openThread();
  pane().replaceChildren(document.getElementById("nothing-open").content.cloneNode(true));
  document.getElementById("aside")?.replaceChildren();
  history.pushState({ htmx: true }, "", pane().dataset.close);
  const link = rowOf(thread)?.querySelector("a[href]");
  for (const one of document.querySelectorAll("#threads a[aria-current]")) one.removeAttribute("aria-current");
  link?.focus();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-close-thread]") || event.ctrlKey || event.metaKey) return;
  if (!document.getElementById("threads")) return;
  event.preventDefault();
  close();
});

document.addEventListener("thread:gone", ({ detail: { thread } }) => {
  const row = rowOf(thread);
  const next = row?.nextElementSibling?.matches("[data-row]") ? row.nextElementSibling : row?.previousElementSibling;
  const link = next?.matches("[data-row]") ? next.querySelector("a[href]") : null;
  row?.remove();
  if (String(thread) !== openThread()) return;
  if (link && sideBySide.matches) {
    link.focus();
    link.click();
  } else {
    close();
  }
});

/* A menu that shows what is true now is fetched each time it opens. */
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("[data-fresh]") && event.newState === "open") htmx.trigger(event.target, "menu:open");
}, true);

/* A draft was changed in Outlook while it is open here: show that, unless something was typed that is not saved yet. */
document.addEventListener("live:drafts", ({ detail }) => {
  const form = document.querySelector(`form.composer[data-composition="${Number(detail?.composition) || 0}"]`);
  if (form?.querySelector("[data-composer-state]")?.textContent === "Saved" || form?.dataset.touched === undefined) {
    if (form?.closest("#dock")) htmx.ajax("GET", `/compose/${Number(form.dataset.composition)}/`, { target: "#dock", swap: "innerHTML" });
    else if (form) location.reload();
  }
});
document.addEventListener("input", ({ target }) => { const form = target.closest?.("form.composer"); if (form) form.dataset.touched = ""; });

/* Writing ------------------------------------------------------------------ */

/* The same answer again only takes you to it. */
document.addEventListener("htmx:beforeRequest", (event) => {
  const asked = event.target.closest?.("[data-how]");
  const form = document.querySelector("#reply-box form.composer");
  if (!asked || asked === form || !form || asked.dataset.how !== form.dataset.how) return;
  event.preventDefault();
  form.querySelector("[data-editor]").editor.focus();
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "reply-box") return;
  const form = event.target.querySelector("form.composer");
  if (!form) return;
  const to = form.querySelector(".token") ? null : form.querySelector(".recipients-input");
  (to ?? form.querySelector("[data-editor]").editor).focus({ preventScroll: true });
  form.scrollIntoView({ block: "end" });
});

/* A new message begins with whom it is for. */
addEventListener("load", () => {
  const page = document.querySelector(".compose-page");
  if (!page || document.activeElement !== document.body) return;
  page.querySelector(page.querySelector(".token") ? "input[name=subject]" : ".recipients-input")?.focus();
});

/* Taken off for good, also when the page is left before it is sent. */
document.addEventListener("click", (event) => {
  const chip = event.target.closest?.("[data-attachment-remove]")?.closest("[data-attachment]");
  const file = chip?.querySelector("input[type=hidden]")?.value;
  const upload = chip?.closest("[data-upload-url]")?.dataset.uploadUrl;
  if (!file || !upload) return;
  const token = document.querySelector('meta[name="csrf-token"]').content;
  fetch(`${upload}${file}/remove/`, { method: "POST", headers: { "X-CSRFToken": token, "HX-Request": "true" }, keepalive: true });
}, true);

/* Pictures ----------------------------------------------------------------- */

function lookForPictures(frame) {
  const note = frame.parentElement.querySelector(":scope > [data-pictures]");
  if (note) note.hidden = !frame.contentDocument?.querySelector("img[data-remote]:not(details.quoted *)") || frame.src.includes("pictures=1");
}
document.addEventListener("frame:ready", ({ target }) => lookForPictures(target));
for (const frame of document.querySelectorAll("iframe[data-mail-frame]")) lookForPictures(frame);

/* From now on this sender's pictures are loaded: what is open of theirs is asked for anew. */
document.addEventListener("pictures:always", () => {
  for (const note of document.querySelectorAll("[data-pictures]:not([hidden])")) {
    const frame = note.parentElement.querySelector(":scope > iframe");
    if (frame) frame.src = frame.src; // eslint-disable-line no-self-assign
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-pictures-show]");
  if (!button) return;
  const frame = button.closest(".message-body").querySelector("iframe");
  const address = new URL(frame.src);
  address.searchParams.set("pictures", "1");
  frame.src = address.href;
  button.closest("[data-pictures]").hidden = true;
});
