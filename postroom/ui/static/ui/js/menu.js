/* Menus are popovers: arrow keys walk them, a choice closes them, and browsers without CSS anchors get a position. */
const GAP = 4;
const items = (menu) => [...menu.querySelectorAll("a[href], button, input")].filter((item) => item.checkVisibility());

function put(menu) {
  const openers = [...document.querySelectorAll(`[popovertarget="${CSS.escape(menu.id)}"]`)];
  const opener = (openers.find((one) => one === document.activeElement) ?? openers[0])?.getBoundingClientRect();
  if (!opener) return;
  const size = menu.getBoundingClientRect();
  const above = menu.dataset.menuSide === "above" || opener.bottom + size.height + GAP > innerHeight;
  menu.style.insetBlockStart = `${above ? Math.max(GAP, opener.top - size.height - GAP) : opener.bottom}px`;
  menu.style.insetInlineStart = `${Math.max(GAP, Math.min(opener.left, innerWidth - size.width - GAP))}px`;
  menu.style.position = "fixed";
}

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("[data-menu]") || event.newState !== "open") return;
  if (!CSS.supports("position-area: block-end")) put(menu);
}, true);

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[data-menu]");
  if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("input")) return;
  event.preventDefault();
  const all = items(menu);
  all.at((all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)) % all.length)?.focus();
});

document.addEventListener("click", (event) => {
  event.target.closest?.(".menu-item")?.closest(":popover-open")?.hidePopover();
});
