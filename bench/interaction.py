"""How soon the screen answers a key or a click on a slow machine (interaction to next paint in Chromium).

And what the first screen transferred.

`postroom demo` in a home of its own, a connected mailbox, the processor of the page slowed down four times. The browser
itself measures (PerformanceObserver, entries of type "event"): from the key or click to the next frame it painted.

Beside it stands what of that the page's own thread computed (a trace with thread clocks): it says what the screen costs
also on a machine that has other things to do, where most of the wait is somebody else's.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from bench import common
from bench.push import FLAGS, MEMBER, connect, demo

SLOWER = 4
TARGET = 200  # milliseconds
LIGHT = 200_000  # bytes
SHORTEST = 16  # milliseconds; the browser tells of nothing quicker
WATCH = """
window.interactions = [];
new PerformanceObserver((list) => {
  const found = list.getEntries().filter((one) => one.interactionId);
  window.interactions.push(...found.map((one) => [one.interactionId, one.duration]));
}).observe({ type: "event", durationThreshold: 16, buffered: true });
"""
TWO_FRAMES = (
    "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))"
)
HEADING = "#detail h1.pane-title"
INPUT = {"keydown", "keypress", "input", "keyup", "pointerdown", "mousedown", "pointerup", "mouseup", "click"}
DRAWING = {"FireAnimationFrame", "UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize"}
TRACE = "-*,devtools.timeline"
Traced = list[dict[str, Any]]


def _open_by_click(page: Any) -> None:
    before = page.locator(HEADING).text_content() if page.locator(HEADING).count() else ""
    rows = page.locator("#threads .row-link")
    rows.nth(3 if "current" in (rows.nth(2).get_attribute("class") or "") else 2).click()
    _shown(page, before)


def _key(key: str) -> Callable[[Any], None]:
    def press(page: Any) -> None:
        page.keyboard.press(key)

    return press


def _next(key: str) -> Callable[[Any], None]:
    def press(page: Any) -> None:
        before = page.locator(HEADING).text_content() if page.locator(HEADING).count() else ""
        page.keyboard.press(key)
        _shown(page, before)

    return press


def _shown(page: Any, before: str | None) -> None:
    """Wait for another thread; there is none when the list ends or two have the same subject."""
    path = f"document.querySelector({HEADING!r})?.textContent"
    with contextlib.suppress(Exception):
        page.wait_for_function(f"(before) => ({path} ?? '') !== before", arg=before or "", timeout=5_000)


def _letters(page: Any) -> None:
    page.keyboard.type("renewal", delay=60)


Act = Callable[[Any], None]
ESCAPE = _key("Escape")
ACTS: dict[str, tuple[Act, Act, Act]] = {  # name -> what comes before, what is measured, what comes after
    "open a thread": (ESCAPE, _open_by_click, lambda page: None),
    "the next thread": (lambda page: None, _next("j"), lambda page: None),
    "the one before": (lambda page: None, _next("k"), lambda page: None),
    "done": (lambda page: None, _key("e"), _key("z")),
    "the palette": (lambda page: None, _key("Control+k"), ESCAPE),
    "a letter in the search": (_key("Control+k"), _letters, ESCAPE),
    "the reply box": (_open_by_click, _key("r"), ESCAPE),
}


def run(size: int) -> Iterator[dict[str, Any]]:
    """A result for the first screen and one for each interaction. `size`: how often each."""
    with common.home() as home, demo(home) as (web, _):
        connect(home)
        with _page(web) as (page, weight, trace):
            yield common.result(
                "interaction: first screen", "bytes of everything, cold cache", weight, met=weight < LIGHT
            )
            for name, (before, act, after) in ACTS.items():
                found: list[float] = []
                computed: list[float] = []
                for _ in range(size):
                    with trace() as events:
                        found += _measured(page, before, act, after)
                    computed += _computed(events)
                yield _result(name, size, found, computed)


def _page(web: str) -> Any:
    """The Inbox in a slowed-down Chromium, and what it transferred."""
    from playwright.sync_api import sync_playwright

    @contextlib.contextmanager
    def opened() -> Iterator[tuple[Any, int, Callable[[], contextlib.AbstractContextManager[Traced]]]]:
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        if executable is None:
            raise RuntimeError("no Chromium on this machine")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(WATCH)
            page.goto(f"{web}/demo/sign-in?as={MEMBER.partition('@')[0]}")
            tools = page.context.new_cdp_session(page)
            tools.send("Network.enable")
            tools.send("Network.clearBrowserCache")
            sizes: list[int] = []
            tools.on("Network.loadingFinished", lambda told: sizes.append(int(told["encodedDataLength"])))
            page.goto(f"{web}/inbox/")
            page.wait_for_selector("#threads .row-subject")
            page.wait_for_timeout(2_000)
            tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            yield page, sum(sizes), _traces(browser.new_browser_cdp_session(), page)
            browser.close()

    return opened()


def _traces(tools: Any, page: Any) -> Callable[[], contextlib.AbstractContextManager[Traced]]:
    """What the threads of the browser do while it is looked, each with its own clock."""
    arrived: Traced = []
    ended: list[bool] = []
    tools.on("Tracing.dataCollected", lambda told: arrived.extend(told["value"]))
    tools.on("Tracing.tracingComplete", lambda _: ended.append(True))

    @contextlib.contextmanager
    def looked() -> Iterator[Traced]:
        arrived.clear()
        ended.clear()
        tools.send("Tracing.start", {"transferMode": "ReportEvents", "categories": TRACE})
        yield arrived
        tools.send("Tracing.end")
        while not ended:
            page.wait_for_timeout(20)

    return looked


def _computed(events: Traced) -> list[float]:
    """Milliseconds of the page's own thread for each input: to deal with it, and to draw the next frame."""
    named = (one for one in events if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain")
    threads = {(one["pid"], one["tid"]) for one in named}
    whole = (one for one in events if one.get("ph") == "X" and "tdur" in one and (one["pid"], one["tid"]) in threads)
    own = sorted(whole, key=lambda one: one["ts"])
    found: list[float] = []
    over = 0.0
    for one in own:
        if one["name"] == "EventDispatch" and one["args"]["data"]["type"] in INPUT and one["ts"] >= over:
            over = one["ts"] + one["dur"]
            found.append((one["tdur"] + _drawn(own, over)) / 1000)
    return [one for one in found if one >= SHORTEST]


def _drawn(own: Traced, since: float) -> float:
    """Microseconds of the thread for the first frame drawn after a moment."""
    spent = 0.0
    over = since
    for one in own:
        if one["ts"] >= over and one["name"] in DRAWING:
            over = one["ts"] + one["dur"]
            spent += one["tdur"]
            if one["name"] == "Layerize":
                break
    return spent


def _measured(page: Any, before: Act, act: Act, after: Act) -> list[float]:
    """Milliseconds of each interaction of one act."""
    before(page)
    page.evaluate(TWO_FRAMES)
    page.evaluate("() => { window.interactions.length = 0; }")
    act(page)
    page.evaluate(TWO_FRAMES)
    longest: dict[int, float] = {}
    for number, took in page.evaluate("() => window.interactions"):
        longest[number] = max(longest.get(number, 0), took)
    after(page)
    page.wait_for_timeout(300)
    return list(longest.values()) or [SHORTEST]


def _result(name: str, size: int, found: list[float], computed: list[float]) -> dict[str, Any]:
    last = common.percentile(found, 0.98)
    work = f"{size} times at a {SLOWER} times slower processor; interaction to next paint, median milliseconds"
    return common.result(
        f"interaction: {name}",
        work,
        round(statistics.median(found)),
        p98=round(last),
        computed=round(statistics.median(computed or [0])),
        computed_p98=round(common.percentile(computed or [0], 0.98)),
        target=TARGET,
        met=last < TARGET,
    )
