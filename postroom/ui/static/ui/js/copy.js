/* data-copy="text" on a button copies it; on anything else a click does, too. */
document.addEventListener("click", async (event) => {
  const source = event.target.closest?.("[data-copy]");
  if (!source) return;
  try {
    await navigator.clipboard.writeText(source.dataset.copy || source.textContent.trim());
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: "Copied" } }));
  } catch {
    document.dispatchEvent(new CustomEvent("toast", { detail: { kind: "error", text: "Your browser did not allow copying. Select the text and copy it yourself." } }));
  }
});
