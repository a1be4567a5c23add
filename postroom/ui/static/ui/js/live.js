/*
 * One stream of server-sent events for the page: <body data-live="/events">. The event {"mailbox": 7, "threads": [41, 42]} of topic
 * "mail" becomes, on the body: live:mail, live:mail:mailbox:7, live:mail:threads:41, live:mail:threads:42 (and live:mail:all when it names no
 * single thing). So a part says which news concern it: hx-trigger="{% live 'mail' threads=41 %}". live:resync means: look again at everything.
 * Of a burst the names are told twice at most; "live" with {topic, told} is each piece of news by itself, for scripts.
 *
 * Read with fetch instead of EventSource: topics need no list, a dead connection is noticed, and a page that let go of its connection
 * while out of sight (browsers allow six per host) resumes where it was, by Last-Event-ID.
 */
const HIDDEN_MS = 20000;
const NOTE_MS = 3000;
const SILENT_MS = 50000; // the server says something every 20 s
const TOGETHER_MS = 250; // the first of a burst is told at once, the rest together
const SLOWEST_MS = 30000;
const address = document.body.dataset.live;

let stream = null;
let last = "";
let attempts = 0;
let hiddenTimer = 0;
let noteTimer = 0;
let retryTimer = 0;
let silenceTimer = 0;

/* Telling ---------------------------------------------------------------- */

const told = new Map();

function tell(name, detail) {
  const earlier = told.get(name);
  if (earlier) {
    earlier.detail = detail;
    earlier.again = true;
    return;
  }
  document.body.dispatchEvent(new CustomEvent(name, { detail }));
  const burst = { detail, again: false };
  told.set(name, burst);
  setTimeout(() => {
    told.delete(name);
    if (burst.again) tell(name, burst.detail);
  }, TOGETHER_MS);
}

function namesOf(topic, news) {
  const lists = Object.entries(news).map(([key, value]) => [key, [value].flat()]);
  const named = lists.flatMap(([key, values]) => values.map((value) => `live:${topic}:${key}:${value}`));
  const vague = news.all || lists.some(([, values]) => !values.length);
  return [`live:${topic}`, ...named, ...(vague ? [`live:${topic}:all`] : [])];
}

function receive(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const [, name, value] = line.match(/^(\w+): ?(.*)$/) ?? [];
    if (name) fields[name] = name === "data" && fields.data !== undefined ? `${fields.data}\n${value}` : value;
  }
  if (fields.id) last = fields.id;
  if (!fields.event || fields.event === "hello") return;
  let news = {};
  try { news = JSON.parse(fields.data ?? "{}"); } catch { /* the topic alone still says that something happened */ }
  document.body.dispatchEvent(new CustomEvent("live", { detail: { topic: fields.event, told: news } }));
  for (const name of namesOf(fields.event, news)) tell(name, news);
}

/* The connection --------------------------------------------------------- */

function note(shown) {
  clearTimeout(noteTimer);
  const element = document.getElementById("live-note");
  if (!element) return;
  if (shown) noteTimer = setTimeout(() => { element.hidden = false; }, NOTE_MS);
  else element.hidden = true;
}

function heard(own) {
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(() => own.abort(), SILENT_MS);
}

/* True when the server wants no further attempt (signed out). */
async function read(own) {
  const asked = `ago-${Math.ceil(performance.now())}`; // the first stream also tells what happened since this page was asked for
  const headers = { Accept: "text/event-stream", "Last-Event-ID": last || asked };
  const answer = await fetch(address, { headers, signal: own.signal, cache: "no-store" });
  if (answer.status === 204) return true;
  if (!answer.ok) throw new Error(`events: ${answer.status}`);
  attempts = 0;
  note(false);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    heard(own);
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    blocks.forEach(receive);
  }
}

async function open() {
  if (stream) return;
  const own = new AbortController();
  stream = own;
  heard(own);
  let finished = false;
  try { finished = await read(own); } catch { /* told by the note */ }
  if (stream !== own) return; // let go on purpose
  close();
  if (finished) return;
  note(true);
  const wait = Math.min(SLOWEST_MS, 500 * 2 ** attempts) * (0.5 + Math.random() / 2);
  attempts += 1;
  retryTimer = setTimeout(open, wait);
}

function close() {
  clearTimeout(retryTimer);
  clearTimeout(silenceTimer);
  const own = stream;
  stream = null;
  own?.abort();
}

function follow() {
  clearTimeout(hiddenTimer);
  if (document.visibilityState === "visible" || "stayLive" in document.body.dataset) open();
  else hiddenTimer = setTimeout(() => { close(); note(false); }, HIDDEN_MS);
}

if (address) {
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", close);
  addEventListener("pageshow", follow);
  document.body.addEventListener("live:stay", follow); // notify.js: this tab tells for all of them, also while out of sight
  addEventListener("online", () => { close(); attempts = 0; follow(); });
  follow();
}
