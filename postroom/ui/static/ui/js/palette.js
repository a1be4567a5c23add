/*
 * The command palette (Ctrl K): every element with data-palette="words" is something to jump to or do; what is typed and fits nothing is
 * searched for. A press on [data-palette-open] opens it; without a script that link is the search page.
 */
const dialog = document.querySelector("[data-palette-dialog]");
const input = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
let options = [];
let chosen = 0;

function places(words) {
  const seen = new Set();
  return [...document.querySelectorAll("[data-palette]")].filter((element) => {
    const label = element.dataset.palette.toLowerCase();
    const key = `${label} ${element.getAttribute("href") ?? ""}`;
    return words.every((word) => label.includes(word)) && !seen.has(key) && seen.add(key);
  });
}

function option(label, icon, keys, run) {
  const line = document.createElement("li");
  line.className = "palette-option";
  line.role = "option";
  line.id = `palette-option-${options.length}`;
  if (icon) line.append(icon.cloneNode(true));
  line.append(Object.assign(document.createElement("span"), { textContent: label }));
  if (keys && !keys.includes(",")) line.append(Object.assign(document.createElement("kbd"), { className: "key keys", textContent: keys.toUpperCase(), ariaHidden: "true" }));
  line.addEventListener("click", run);
  line.addEventListener("pointermove", () => choose([...list.children].indexOf(line)));
  options.push({ line, run });
  return line;
}

function choose(index) {
  chosen = Math.max(0, Math.min(options.length - 1, index));
  options.forEach(({ line }, at) => { line.ariaSelected = String(at === chosen); });
  input.setAttribute("aria-activedescendant", options[chosen]?.line.id ?? "");
  options[chosen]?.line.scrollIntoView({ block: "nearest" });
}

function fill() {
  const text = input.value.trim();
  options = [];
  const lines = places(text.toLowerCase().split(/\s+/)).map((element) =>
    option(element.dataset.palette, element.querySelector(".icon"), element.dataset.key, () => { dialog.close(); element.click(); }));
  if (text) {
    const search = option(`Search for “${text}”`, dialog.querySelector("form .icon"), "", () => input.form.requestSubmit());
    lines.push(search);
  }
  list.replaceChildren(...lines);
  choose(0);
}

const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };

if (dialog) {
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-palette-open]")) return;
    event.preventDefault();
    document.querySelector(".rail:popover-open")?.hidePopover();
    input.value = "";
    fill();
    if (!dialog.open) dialog.showModal();
    input.focus();
  });
  input.addEventListener("input", fill);
  input.addEventListener("keydown", (event) => {
    if (event.key in MOVES) choose(chosen + MOVES[event.key]);
    else if (event.key === "Enter" && options.length) options[chosen].run();
    else return;
    event.preventDefault();
  });
}
