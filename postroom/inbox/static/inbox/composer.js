/*
 * Templates in the composer: chosen from the menu, or by "/" on an empty line; fields nobody filled in are named below the
 * text, and a press on one selects it there.
 */
const FIELD = /\{\{\s*[A-Za-z_]\w{0,40}\s*\}\}/g;
const editorOf = (form) => form?.querySelector("[data-editor]")?.editor;

function nameFields(form) {
  const editor = editorOf(form);
  const note = form?.querySelector("[data-composer-missing]");
  if (!note || !editor) return;
  const fields = [...new Set(editor.text.match(FIELD) ?? [])];
  note.hidden = !fields.length;
  note.querySelector("[data-composer-fields]").replaceChildren(...fields.map((field) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-link button-small";
    button.textContent = field;
    button.addEventListener("click", () => editor.select(field));
    return button;
  }));
}

function insert(editor, text) {
  editor.focus();
  if (editor.slash && editor.before.endsWith("/")) editor.back(1);
  editor.slash = false;
  editor.insertText(text);
  const field = text.match(FIELD)?.[0];
  if (field) editor.select(field);
}

document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("[data-snippet]");
  if (!chosen) return;
  const editor = editorOf(chosen.closest("form"));
  chosen.closest(":popover-open")?.hidePopover();
  if (editor) insert(editor, chosen.dataset.snippet);
});

document.addEventListener("input", ({ target, data, inputType }) => {
  if (!target.matches?.("[data-editor-text]")) return;
  const form = target.closest("form");
  const editor = editorOf(form);
  nameFields(form);
  const opener = form?.querySelector("[data-snippets-open]");
  if (data !== "/" || inputType !== "insertText" || editor.before.trim() !== "/" || !opener) return;
  editor.slash = true;
  opener.click(); // the menu stands where its button is
});

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.matches?.("[data-snippets]")) target.querySelector("[data-snippet]")?.focus();
});
document.addEventListener("toggle", ({ target, newState }) => {
  const editor = target.matches?.("[data-snippets]") && newState === "closed" ? editorOf(target.closest("form")) : null;
  if (editor?.slash) {
    setTimeout(() => { editor.slash = false; });
    editor.focus();
  }
}, true);

/* Signatures come with their styles beside them, as the text does. */
function dress(scope) {
  for (const one of scope.querySelectorAll?.("[data-styled] [data-style]") ?? []) {
    one.style.cssText = one.dataset.style;
    delete one.dataset.style;
  }
}

function adopt(scope) {
  dress(scope);
  for (const form of scope.querySelectorAll?.("form.composer") ?? []) nameFields(form);
}
document.addEventListener("htmx:load", ({ target }) => adopt(target.parentElement ?? target));
document.addEventListener("htmx:oobAfterSwap", ({ target }) => dress(target.parentElement ?? target));
adopt(document);
