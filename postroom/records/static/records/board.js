/*
 * [data-board]: cards are dragged between columns, or moved by Alt with an arrow key. The card goes at once; the server is told by
 * posting to its data-move address, in which 0 stands for the stage, and the board is drawn again from the answer's event.
 */
const board = document.querySelector("[data-board]");
let dragged = null;
let late = false; // the board was to be drawn again while a card was in somebody's hand

const columnOf = (element) => element?.closest?.("[data-board-stage]");

function move(card, column) {
  if (!card || !column || columnOf(card) === column) return;
  const place = column.querySelector("[data-board-cards]");
  place.prepend(card);
  htmx.ajax("POST", card.dataset.move.replace(/0\/$/, `${column.dataset.boardStage}/`), { source: card, swap: "none" });
}

function aim(column) {
  for (const one of board.querySelectorAll(".is-target")) if (one !== column) one.classList.remove("is-target");
  column?.classList.add("is-target");
}

/* One menu serves all cards: it opens empty and shows where this card may go as soon as that is fetched. */
board?.addEventListener("click", (event) => {
  if (event.target.closest?.("[popovertarget='board-menu']")) document.getElementById("board-menu").replaceChildren();
});

board?.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target !== board || !dragged) return;
  event.detail.shouldSwap = false;
  late = true;
});

board?.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-board-card]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.querySelector("a").textContent);
  dragged.classList.add("is-dragged");
});

board?.addEventListener("dragover", (event) => {
  const column = columnOf(event.target);
  if (!dragged || !column) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  aim(column);
});

board?.addEventListener("drop", (event) => {
  event.preventDefault();
  move(dragged, columnOf(event.target));
});

board?.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  dragged = null;
  aim(null);
  if (late) htmx.trigger(document.body, "record:changed");
  late = false;
});

board?.addEventListener("keydown", (event) => {
  const card = event.target.closest?.("[data-board-card]");
  if (!card || !event.altKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault(); // Alt and an arrow also mean "back" to a browser
  const columns = [...board.querySelectorAll("[data-board-stage]")];
  move(card, columns[columns.indexOf(columnOf(card)) + (event.key === "ArrowRight" ? 1 : -1)]);
  card.querySelector("a").focus();
});
