/* Before the first paint: the remembered theme and pane sizes, so that nothing jumps. A classic script on purpose. */
(() => {
  const root = document.documentElement;
  const remembered = (key) => {
    try { return localStorage.getItem(`postroom.${key}`); } catch { return null; }
  };
  const theme = remembered("theme");
  if (theme) root.dataset.theme = theme;
  if (remembered("aside") === "hidden") root.dataset.aside = "hidden";
  const list = parseFloat(remembered("pane-list"));
  if (list) root.style.setProperty("--pane-list", `${list}px`);
})();
