/* The theme: system, light or dark, remembered in this browser. early.js applies it before the first paint. */
const KEY = "postroom.theme";

function show() {
  const theme = document.documentElement.dataset.theme ?? "";
  for (const input of document.querySelectorAll("[data-theme-choice] input")) input.checked = input.value === theme;
}

document.addEventListener("change", (event) => {
  if (!event.target.closest?.("[data-theme-choice]")) return;
  const theme = event.target.value;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try { localStorage.setItem(KEY, theme); } catch { /* private window: for this page only */ }
  document.dispatchEvent(new CustomEvent("theme"));
});

show();
