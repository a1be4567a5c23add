/*
 * Files for a composer: [data-attachments] with data-upload-url inside a form[data-dropzone]. Dropped, pasted or chosen files are uploaded
 * one by one with progress; the answer is the finished chip (ui/components/attachment.html with a hidden value). Without a
 * script the file field itself is sent.
 */
const uploading = new WeakMap();
const shelfOf = (form) => form?.querySelector("[data-attachments][data-upload-url]");
const say = (form, text) => { const state = form.querySelector("[data-composer-state]"); if (state) state.textContent = text; };

function count(form, by) {
  uploading.set(form, (uploading.get(form) ?? 0) + by);
  say(form, uploading.get(form) ? `Uploading ${uploading.get(form)} ${uploading.get(form) === 1 ? "file" : "files"}…` : "");
}

function chipFor(form, file) {
  const chip = form.querySelector("[data-attachment-template]").content.firstElementChild.cloneNode(true);
  chip.querySelector(".attachment-name").textContent = file.name;
  chip.querySelector(".attachment-note").textContent = "Uploading…";
  chip.querySelector("[data-attachment-remove]").ariaLabel = `Remove ${file.name}`;
  return chip;
}

function fail(chip, text) {
  chip.classList.add("attachment-failed");
  chip.querySelector(".attachment-note").textContent = text;
  chip.querySelector("progress")?.remove();
}

/* With `inside` the file is a picture for the text: the answer is handed over instead of standing in the shelf. */
function upload(form, shelf, file, inside = null) {
  const chip = chipFor(form, file);
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("file", file);
  if (inside) body.append("inside", "1");
  shelf.append(chip);
  request.open("POST", shelf.dataset.uploadUrl);
  request.setRequestHeader("X-CSRFToken", document.querySelector('meta[name="csrf-token"]').content);
  request.setRequestHeader("HX-Request", "true");
  request.upload.onprogress = ({ loaded, total }) => { const bar = chip.querySelector("progress"); if (bar) bar.value = (100 * loaded) / total; };
  request.onload = () => {
    if (request.status < 300 && inside && request.responseText.startsWith("<img")) { chip.remove(); inside(request.responseText); }
    else if (request.status < 300) chip.outerHTML = request.responseText;
    else fail(chip, request.status === 413 ? "Too large to attach" : request.responseText.slice(0, 120) || "Upload failed");
  };
  request.onerror = () => {
    chip.querySelector(".attachment-note").textContent = "No connection. Goes on by itself";
    addEventListener("online", () => { if (chip.isConnected) { chip.remove(); upload(form, shelf, file, inside); } }, { once: true });
  };
  request.onloadend = () => count(form, -1);
  chip.addEventListener("click", (event) => event.target.closest("[data-attachment-remove]") && request.abort());
  count(form, 1);
  request.send(body);
}

function take(form, files) {
  const shelf = shelfOf(form);
  if (!shelf || !files.length) return false;
  for (const file of files) upload(form, shelf, file);
  return true;
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.matches?.("[data-attachments-input]") && take(input.form, input.files)) input.value = "";
});
document.addEventListener("picture:upload", ({ target, detail }) => {
  const form = target.closest("form[data-dropzone]");
  const shelf = shelfOf(form);
  if (shelf) upload(form, shelf, detail.file, detail.done);
});
document.addEventListener("paste", (event) => {
  const form = event.target.closest?.("form[data-dropzone]");
  if (form && !event.defaultPrevented && event.clipboardData.files.length && take(form, event.clipboardData.files)) event.preventDefault();
});
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.closest?.("form[data-dropzone]");
    if (!form || !event.dataTransfer?.types.includes("Files") || !shelfOf(form)) return;
    const taken = event.defaultPrevented; // a picture that goes into the text
    event.preventDefault();
    form.classList.toggle("is-dropping", name === "dragover");
    if (name === "drop" && !taken) take(form, event.dataTransfer.files);
  });
}
document.addEventListener("click", (event) => {
  event.target.closest?.("[data-attachment-remove]")?.closest("[data-attachment]").remove();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target.closest?.("form[data-dropzone]");
  if (form && event.target === form && uploading.get(form)) {
    event.preventDefault();
    say(form, "Still uploading. Send again in a moment.");
  }
});
