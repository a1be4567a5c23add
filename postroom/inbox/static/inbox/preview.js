/*
 * Attachments shown over the thread: a[data-preview="picture|pdf|page"] opens in a dialog, the others of its message are an arrow key away.
 * Without a script the link opens the same in a tab of its own.
 */
const icons = document.getElementById("preview-icons");
const icon = (name) => icons?.content.querySelector(`[data-icon="${name}"] .icon`)?.cloneNode(true) ?? "";
let dialog = null;
let files = [];
let at = 0;

function tool(label, name, run) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-quiet button-icon", ariaLabel: label, title: label });
  button.append(icon(name));
  button.addEventListener("click", run);
  return button;
}

function link(label, name, more) {
  const one = Object.assign(document.createElement("a"), { className: "button button-quiet button-icon", ariaLabel: label, title: label, ...more });
  one.append(icon(name));
  return one;
}

function shown(file) {
  const name = file.textContent.trim();
  if (file.dataset.preview === "picture") return Object.assign(document.createElement("img"), { src: file.href, alt: name, className: "preview-picture" });
  const frame = Object.assign(document.createElement("iframe"), { src: file.href, title: name, className: "preview-frame" });
  if (file.dataset.preview === "page") {
    frame.sandbox = "allow-same-origin"; // no scripts: only so that it takes the page's theme
    frame.addEventListener("load", () => { frame.contentDocument.documentElement.style.colorScheme = getComputedStyle(document.documentElement).colorScheme; });
  }
  return frame;
}

function show(index) {
  at = (index + files.length) % files.length;
  const file = files[at];
  const name = file.textContent.trim();
  const title = Object.assign(document.createElement("h2"), { className: "dialog-title preview-name", textContent: name });
  const count = Object.assign(document.createElement("span"), { className: "preview-count", textContent: files.length > 1 ? `${at + 1} of ${files.length}` : "" });
  const tools = Object.assign(document.createElement("div"), { className: "preview-tools" });
  if (files.length > 1) tools.append(tool("Previous file", "arrow-left", () => show(at - 1)), tool("Next file", "arrow-right", () => show(at + 1)));
  tools.append(link("Save", "download", { href: file.dataset.save, download: "" }), link("Open in a tab of its own", "external-link", { href: file.href, target: "_blank", rel: "noopener" }), tool("Close", "x", () => dialog.close()));
  const head = Object.assign(document.createElement("header"), { className: "dialog-head" });
  head.append(title, count, tools);
  const body = Object.assign(document.createElement("div"), { className: `preview-body preview-${file.dataset.preview}` });
  body.append(shown(file));
  const pressed = dialog.contains(document.activeElement) ? document.activeElement.ariaLabel : "";
  dialog.ariaLabel = name;
  dialog.replaceChildren(head, body);
  if (dialog.open) ([...tools.children].find((one) => one.ariaLabel === pressed) ?? dialog).focus(); // arrow keys go on working
}

function open(file) {
  files = [...(file.closest(".attachments") ?? document).querySelectorAll("a[data-preview]")];
  dialog = Object.assign(document.createElement("dialog"), { className: "dialog preview", tabIndex: -1 });
  document.body.append(dialog);
  dialog.addEventListener("close", () => { dialog.remove(); file.focus(); });
  dialog.addEventListener("keydown", (event) => {
    if (files.length < 2 || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    show(at + (event.key === "ArrowRight" ? 1 : -1));
  });
  show(files.indexOf(file));
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const file = event.target.closest?.("a[data-preview]");
  if (!file || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(file);
});

/* Printing: the page made for it, in a frame nobody sees; without a script the link opens it. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-print]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  document.getElementById("print-frame")?.remove();
  const frame = Object.assign(document.createElement("iframe"), { id: "print-frame", src: link.href, title: "To be printed", className: "visually-hidden", ariaHidden: "true", tabIndex: -1 });
  frame.sandbox = "allow-same-origin allow-modals";
  frame.addEventListener("load", () => frame.contentWindow.print());
  document.body.append(frame);
});
