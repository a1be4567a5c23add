/*
 * Dialogs: data-dialog-open="id" opens one, data-dialog-close closes the one around it, a press beside it too. An htmx answer
 * swapped into [data-dialog-slot] is shown at once; the event dialog:close (HX-Trigger) closes it. hx-confirm asks in a dialog.
 */
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
  if (event.target.closest?.("[data-dialog-close]") || event.target.nodeName === "DIALOG") event.target.closest("dialog")?.close();
});

document.addEventListener("htmx:afterSwap", (event) => {
  const slot = event.target;
  if (slot.matches?.("[data-dialog-slot]") && slot.childElementCount && !slot.open) slot.showModal();
});

document.addEventListener("dialog:close", () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
});

document.addEventListener("close", (event) => {
  if (event.target.matches?.("[data-dialog-slot]")) event.target.replaceChildren();
}, true);

document.addEventListener("htmx:confirm", (event) => {
  const dialog = document.getElementById("confirm");
  if (!event.detail.question || !dialog) return;
  event.preventDefault();
  dialog.querySelector("[data-confirm-text]").textContent = event.detail.question;
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && event.detail.issueRequest(true), { once: true });
});
