/* Suggestions below input[data-suggests]: the last word completed. Arrows choose, Enter or Tab takes, Esc closes; what is not taken changes nothing.
   Where none are shown, down leads to what was found. */
const field = document.querySelector("input[data-suggests]");
const list = document.getElementById("search-suggestions");
let asked = 0;

const options = () => [...list.querySelectorAll("[data-complete]")];
const chosen = () => list.querySelector('[aria-selected="true"]');

function choose(option) {
  for (const one of options()) one.ariaSelected = String(one === option);
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function show(on) {
  list.hidden = !on;
  field.ariaExpanded = String(on);
  if (!on) choose(null);
}

async function ask() {
  const number = (asked += 1);
  if (!field.value.trim() || field.selectionStart !== field.value.length) return show(false);
  const answer = await fetch(`${field.dataset.suggests}?q=${encodeURIComponent(field.value)}`).catch(() => null);
  if (number !== asked || !answer?.ok) return undefined;
  list.innerHTML = await answer.text(); // our own lines, escaped where they were written
  return show(options().length > 0 && document.activeElement === field);
}

function take(option) {
  field.value = option.dataset.complete;
  field.focus();
  show(false);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

if (field && list) {
  field.addEventListener("input", ask);
  field.addEventListener("blur", () => show(false));
  list.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("[data-complete]");
    if (!option) return;
    event.preventDefault();
    take(option);
  });
  field.addEventListener("keydown", (event) => {
    if (list.hidden) {
      const found = event.key === "ArrowDown" && document.querySelector("#threads [data-row] a[href]");
      if (!found) return;
      event.preventDefault();
      found.focus();
      return;
    }
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(all.at((at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1)) % all.length));
    else if (event.key === "Tab" && !event.shiftKey) take(chosen() ?? all[0]);
    else if (event.key === "Enter" && chosen()) take(chosen());
    else if (event.key === "Escape") show(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
