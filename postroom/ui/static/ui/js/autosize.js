/* textarea[data-autosize] grows with its text. CSS does it (field-sizing); this is for browsers that don't know that yet. */
if (!CSS.supports("field-sizing", "content")) {
  const fit = (area) => {
    area.style.blockSize = "auto";
    area.style.blockSize = `${area.scrollHeight + 2}px`;
  };
  document.addEventListener("input", (event) => event.target.matches?.("textarea[data-autosize]") && fit(event.target));
  document.addEventListener("focusin", (event) => event.target.matches?.("textarea[data-autosize]") && fit(event.target));
}
