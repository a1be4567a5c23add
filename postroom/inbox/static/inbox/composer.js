/*
 * Templates in the composer: chosen from the menu, or by "/" on an empty line; fields nobody filled in are named below the
 * text, and a press on one selects it there.
 */
const FIELD = /\{\{\s*[A-Za-z_]\w{0,40}\s*\}\}/g;
const textOf = (form) => form?.querySelector("textarea.composer-text");

function select(area, field) {
  const at = area.value.indexOf(field);
  if (at < 0) return;
  area.focus();
  area.setSelectionRange(at, at + field.length);
}

function nameFields(area) {
  const note = area.form?.querySelector("[data-composer-missing]");
  if (!note) return;
  const fields = [...new Set(area.value.match(FIELD) ?? [])];
  note.hidden = !fields.length;
  note.querySelector("[data-composer-fields]").replaceChildren(...fields.map((field) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-link button-small";
    button.textContent = field;
    button.addEventListener("click", () => select(area, field));
    return button;
  }));
}

function insert(area, text) {
  const slash = area.dataset.slash !== undefined;
  delete area.dataset.slash;
  const end = area.selectionEnd;
  const start = slash && area.value[area.selectionStart - 1] === "/" ? area.selectionStart - 1 : area.selectionStart;
  area.setRangeText(text, start, end, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
  const field = text.match(FIELD)?.[0];
  if (field) select(area, field);
}

document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("[data-snippet]");
  if (!chosen) return;
  const area = textOf(chosen.closest("form"));
  chosen.closest(":popover-open")?.hidePopover();
  insert(area, chosen.dataset.snippet);
});

document.addEventListener("input", ({ target, data, inputType }) => {
  if (!target.matches?.("textarea.composer-text")) return;
  nameFields(target);
  const line = target.value.slice(0, target.selectionStart).split("\n").at(-1);
  const opener = target.form.querySelector("[data-snippets-open]");
  if (data !== "/" || inputType !== "insertText" || line.trim() !== "/" || !opener) return;
  target.dataset.slash = "";
  opener.click(); // the menu stands where its button is
});

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.matches?.("[data-snippets]")) target.querySelector("[data-snippet]")?.focus();
});
document.addEventListener("toggle", ({ target, newState }) => {
  const area = target.matches?.("[data-snippets]") && newState === "closed" ? textOf(target.closest("form")) : null;
  if (area && area.dataset.slash !== undefined) {
    setTimeout(() => { delete area.dataset.slash; });
    area.focus();
  }
}, true);
document.addEventListener("htmx:load", ({ target }) => {
  for (const area of target.querySelectorAll?.("textarea.composer-text") ?? []) nameFields(area);
});
for (const area of document.querySelectorAll("textarea.composer-text")) nameFields(area);
