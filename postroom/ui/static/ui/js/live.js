/*
 * One stream of events for the page: <body data-live="/events">. Each message is JSON {"topic": "thread", "id": 12, …}; it becomes the
 * events live:<topic> and live:<topic>:<id> on the body, so that a part of a page says hx-trigger="live:thread:12 from:body".
 *
 * A page out of sight lets go of its connection after a while (browsers allow six per host) and asks for what it missed, by
 * ?since=<last id>, when it is seen again. A topic "reset" means: too much was missed, refresh what you show.
 */
const HIDDEN_MS = 20000;
const NOTE_MS = 3000;
const address = document.body.dataset.live;

let stream = null;
let last = "";
let hiddenTimer = 0;
let noteTimer = 0;
let retryTimer = 0;
let attempts = 0;

function note(shown) {
  clearTimeout(noteTimer);
  const element = document.getElementById("live-note");
  if (!element) return;
  if (!shown) element.hidden = true;
  else noteTimer = setTimeout(() => { element.hidden = false; }, NOTE_MS);
}

function receive(event) {
  if (event.lastEventId) last = event.lastEventId;
  let news;
  try { news = JSON.parse(event.data); } catch { return; }
  const names = [`live:${news.topic}`, ...(news.id === undefined ? [] : [`live:${news.topic}:${news.id}`])];
  for (const name of names) document.body.dispatchEvent(new CustomEvent(name, { detail: news }));
}

function open() {
  if (stream) return;
  const url = new URL(address, location.href);
  if (last) url.searchParams.set("since", last);
  stream = new EventSource(url);
  stream.onopen = () => { attempts = 0; note(false); };
  stream.onmessage = receive;
  stream.onerror = () => {
    note(true);
    // The browser tries again by itself (with Last-Event-ID) unless the answer was an error: then we do, ever more slowly.
    if (stream?.readyState === EventSource.CLOSED) {
      close();
      attempts += 1;
      retryTimer = setTimeout(open, Math.min(30000, 1000 * 2 ** attempts) * (0.5 + Math.random() / 2));
    }
  };
}

function close() {
  clearTimeout(retryTimer);
  stream?.close();
  stream = null;
}

function follow() {
  clearTimeout(hiddenTimer);
  if (document.visibilityState === "visible") open();
  else hiddenTimer = setTimeout(() => { close(); note(false); }, HIDDEN_MS);
}

if (address) {
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", close);
  addEventListener("pageshow", follow);
  addEventListener("online", () => { close(); follow(); });
  follow();
}
