/*
 * Comments for colleagues: the box, @ and a name, and a comment being edited is left alone by whatever happens around it.
 */
const WORD = /(^|[\s(])@([^\s@][^@\n]{0,40})?$/;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/* Mentions ------------------------------------------------------------------ */

const listOf = (field) => field.closest("form").querySelector(".mention-list");
const optionsOf = (list) => [...list.querySelectorAll("[data-mention]:not([hidden])")];

function asked(field) {
  return field.value.slice(0, field.selectionStart).match(WORD);
}

function suggest(field) {
  const list = listOf(field);
  const found = asked(field);
  const word = fold(found?.[2] ?? "");
  let shown = 0;
  for (const option of list.children) {
    const names = fold(option.dataset.mention);
    const fits = Boolean(found) && (names.startsWith(word) || names.split(" ").some((one) => one.startsWith(word)) || option.dataset.mentionAlso.startsWith(word));
    option.hidden = !fits || shown >= 8;
    if (!option.hidden) shown += 1;
  }
  list.hidden = shown === 0;
  choose(field, list.hidden ? null : optionsOf(list)[0]);
}

function choose(field, option) {
  const list = listOf(field);
  for (const one of list.children) one.setAttribute("aria-selected", String(one === option));
  if (option) {
    option.id ||= `mention-${[...list.children].indexOf(option)}`;
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

function insert(field, option) {
  const found = asked(field);
  if (!found || option.getAttribute("aria-disabled") === "true") return;
  const start = field.selectionStart - found[0].length + found[1].length;
  field.setRangeText(`@${option.dataset.mention} `, start, field.selectionStart, "end");
  listOf(field).hidden = true;
  choose(field, null);
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("input", ({ target }) => { if (target.matches?.("[data-mentions]")) suggest(target); });
document.addEventListener("focusout", ({ target }) => { if (target.matches?.("[data-mentions]")) listOf(target).hidden = true; });
document.addEventListener("pointerdown", (event) => {
  const option = event.target.closest?.("[data-mention]");
  if (!option) return;
  event.preventDefault(); // the box keeps the focus
  insert(option.closest("form").querySelector("[data-mentions]"), option);
});
document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!field.matches?.("[data-mentions]")) return;
  const list = listOf(field);
  if (list.hidden) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (field.value.trim()) field.blur(); // nothing typed is thrown away by a key
    else field.closest("form").querySelector("[data-comment-cancel]").click();
    return;
  }
  const all = optionsOf(list);
  const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(field, all.at((at + (event.key === "ArrowDown" ? 1 : -1)) % all.length));
  else if (event.key === "Enter" || event.key === "Tab") insert(field, all[Math.max(at, 0)]);
  else if (event.key === "Escape") { list.hidden = true; choose(field, null); }
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);

/* The box ------------------------------------------------------------------- */

const changed = () => document.body.dispatchEvent(new CustomEvent("thread:changed"));

document.addEventListener("click", (event) => {
  const cancel = event.target.closest?.("[data-comment-cancel]");
  if (!cancel || event.ctrlKey || event.metaKey || !document.getElementById("comment-box")) return;
  event.preventDefault();
  const comment = cancel.closest(".comment");
  if (comment) {
    comment.removeAttribute("data-morph-keep");
    changed();
  }
  cancel.closest("form").remove();
});

document.addEventListener("htmx:afterSettle", ({ target }) => {
  const form = target.matches?.("#comment-box, .comment") ? target.querySelector(".comment-form") : null;
  if (!form) return;
  target.toggleAttribute("data-morph-keep", target.matches(".comment"));
  const field = form.querySelector("textarea");
  field.focus({ preventScroll: true });
  field.setSelectionRange(field.value.length, field.value.length);
  form.scrollIntoView({ block: "nearest" });
});

/* One's own comment is seen when it is said. */
let said = false;
document.addEventListener("comment:said", () => {
  for (const one of document.querySelectorAll(".comment[data-morph-keep]")) one.removeAttribute("data-morph-keep");
  said = true;
});
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (!said || target.id !== "thread") return;
  said = false;
  [...target.querySelectorAll(".comment")].at(-1)?.scrollIntoView({ block: "nearest" });
});
