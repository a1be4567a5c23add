/*
 * Browser notifications: <body data-notify="/home/news/" data-notify-for="address">. Off until a press on [data-notify-switch] asks the
 * browser for its permission; the wish is this browser's and this member's. Of several tabs one holds a lock and tells for all; it keeps its
 * stream while it is out of sight, and the next takes over when it is closed. What was told is remembered across tabs by the mark of
 * the last answer. The server decides what there is to tell: it answers only what this member may read.
 */
const { notify: address, notifyFor: member } = document.body.dataset;
const WISH = "postroom.notify";
const MARK = `postroom.notify.mark.${member}`;
const LOCK = "postroom.notify";
const NEWS = ["live:told", "live:mail", "live:refused", "live:sending", "live:resync"];
const MOST = 3; // of one answer; the rest is summed up
const icon = document.querySelector('link[rel="icon"]')?.href;

let leave = null; // gives the lock back
let asking = false;
let again = false;

const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const store = (key, value) => { try { if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value); } catch { /* this tab only, then */ } };
const isPossible = () => "Notification" in window && window.isSecureContext;
const isWanted = () => isPossible() && Notification.permission === "granted" && stored(WISH) === member;

/* Telling ---------------------------------------------------------------- */

function tell({ key, title, body, url }) {
  const shown = new Notification(title, { body, tag: `postroom-${key}`, icon });
  shown.onclick = () => {
    window.focus();
    shown.close();
    if (url) location.assign(url);
  };
}

/* No timers: a browser slows them to one a minute in a tab that is out of sight. */
async function look() {
  again = asking;
  if (asking || !leave) return;
  asking = true;
  try {
    const answer = await fetch(`${address}?after=${encodeURIComponent(stored(MARK) ?? "")}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const { mark, news } = await answer.json();
    store(MARK, mark);
    news.slice(0, MOST).forEach(tell);
    if (news.length > MOST) tell({ key: "more", title: `${news.length - MOST} more in Postroom`, body: "", url: "/" });
  } catch { /* the next news ask again, from the same mark */ } finally { asking = false; }
  if (again) look();
}

/* One tab for all --------------------------------------------------------- */

function lead() {
  return new Promise((done) => {
    leave = done;
    document.body.dataset.stayLive = "";
    document.body.dispatchEvent(new CustomEvent("live:stay"));
    for (const name of NEWS) document.body.addEventListener(name, look);
    look();
  });
}

function stop() {
  delete document.body.dataset.stayLive;
  for (const name of NEWS) document.body.removeEventListener(name, look);
  leave?.();
  leave = null;
}

let waiting = false;

function follow() {
  draw();
  if (!isWanted()) { stop(); return; }
  if (waiting || leave) return;
  waiting = true;
  const led = navigator.locks ? navigator.locks.request(LOCK, () => (isWanted() ? lead() : null)) : lead();
  led.finally(() => {
    waiting = false;
    if (isWanted()) follow(); // turned on again before the lock was given back
  });
}

/* The switch in the settings ---------------------------------------------- */

function draw() {
  const panel = document.querySelector("[data-notify-panel]");
  if (!panel) return;
  const state = !isPossible() ? "impossible" : Notification.permission === "denied" ? "denied" : isWanted() ? "on" : "off";
  for (const part of panel.querySelectorAll("[data-notify-state]")) part.hidden = part.dataset.notifyState !== state;
}

document.addEventListener("click", async (event) => {
  const pressed = event.target.closest?.("[data-notify-switch]");
  if (!pressed) return;
  const on = pressed.dataset.notifySwitch === "on";
  if (on && (await Notification.requestPermission()) !== "granted") { draw(); return; }
  store(MARK, null); // from now on
  store(WISH, on ? member : null);
  follow();
  document.querySelector("[data-notify-panel] [data-notify-state]:not([hidden]) [data-notify-switch]")?.focus();
});

if (address) {
  addEventListener("storage", (event) => { if (event.key === WISH) follow(); });
  follow();
}
