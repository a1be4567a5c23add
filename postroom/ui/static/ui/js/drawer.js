/* The rail and the aside open as popovers without a script; this closes them once they have led somewhere. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".rail:popover-open a[href], .pane-aside:popover-open a[href]");
  link?.closest(":popover-open").hidePopover();
});

/* Wider again: what was a drawer is a column now. */
for (const query of ["(width <= 720px)", "(width <= 1100px)"]) {
  matchMedia(query).addEventListener("change", () => {
    for (const pane of document.querySelectorAll(".rail:popover-open, .pane-aside:popover-open")) pane.hidePopover();
  });
}
