/* Keeps <time data-time="short|ago"> fresh. The twin of postroom/ui/words.py: same words, same zone (<html data-timezone>). */
const timeZone = document.documentElement.dataset.timezone || undefined;
const STEPS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
const DAY = 86400000;
const LAST_NIGHT = 12 * 3600; // seconds
const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
const day = format({ day: "numeric" });
const clock = format({ hour: "numeric", minute: "2-digit", hourCycle: "h23" });
const weekday = format({ weekday: "short" });
const month = new Intl.DateTimeFormat("en-US", { timeZone, month: "short" });
const year = format({ year: "numeric" });
const calendar = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" });
const dayNumber = (when) => Date.parse(calendar.format(when)) / DAY;

function short(when, now) {
  const days = Math.round(dayNumber(now) - dayNumber(when));
  if (days === 0) return clock.format(when).replace(/^0(\d)/, "$1");
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return weekday.format(when);
  const date = `${day.format(when)} ${month.format(when)}`;
  return year.format(when) === year.format(now) ? date : `${date} ${year.format(when)}`;
}

function ago(when, now) {
  const seconds = Math.round((now - when) / 1000);
  let span = Math.abs(seconds);
  const days = Math.round(dayNumber(now) - dayNumber(when));
  if (span >= LAST_NIGHT && Math.abs(days) === 1) return `${days === 1 ? "yesterday" : "tomorrow"} ${clock.format(when).replace(/^0(\d)/, "$1")}`;
  if (Math.abs(days) >= 2) span = Math.max(span, 2 * 86400);
  if (span >= 30 * 86400) return seconds > 0 ? `on ${short(when, now)}` : short(when, now);
  if (span < 3) return "just now";
  const [size, unit] = STEPS.find(([one]) => span >= 2 * one || one === 1);
  const count = Math.floor(span / size);
  const phrase = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `${phrase} ago` : `in ${phrase}`;
}

const STYLES = { short, ago };

function refresh() {
  if (document.visibilityState !== "visible") return;
  const now = new Date();
  for (const element of document.querySelectorAll("time[data-time]")) {
    const text = STYLES[element.dataset.time]?.(new Date(element.dateTime), now);
    if (text && text !== element.textContent) element.textContent = text;
  }
}

setInterval(refresh, 15000);
document.addEventListener("visibilitychange", refresh);
