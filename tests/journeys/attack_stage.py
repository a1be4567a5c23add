"""A stage for attack samples: a page full of real message components, and ears for everything a sample could do.

Every frame is the product's own component with the product's own address, policy and script; only the page around them
is made here, so that one load shows many. What is heard lands in ``Heard``.
"""

import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.template import Context, Template
from django.templatetags.static import static
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route

from postroom.mail.tests.attacks.marks import SIGN
from postroom.ui import assets

STAGE = "/stage"
FENCED = 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"'
_MESSAGES = Template(
    '{% load ui %}{% for pk, name in rows %}{% ui "message" id=name who=name frame_url=pk open=True %}{% endfor %}'
)
# Everything a reader can do to what is in a frame, done at once; answers what stands in the frames and where they are.
_POKE = """
async () => {
  // Taken from the prototypes: a name in a mail may hide an element's own.
  const query = Document.prototype.querySelectorAll, names = Element.prototype.getAttributeNames;
  const fire = EventTarget.prototype.dispatchEvent, goes = new Set(["a", "area", "button", "input"]);
  const gestures = ["dblclick", "auxclick", "contextmenu", "mousedown", "mouseup", "mouseover", "mousemove",
    "mouseenter", "mouseout", "wheel", "pointerdown", "pointerover", "pointerrawupdate", "gotpointercapture", "drag",
    "dragstart", "drop", "keydown", "keypress", "keyup", "input", "beforeinput", "change", "copy", "cut", "paste",
    "beforecopy", "selectstart", "select", "selectionchange", "search", "focus", "focusin", "toggle",
    "touchstart", "load", "error"];
  const honest = new Set(["http:", "https:", "mailto:", "tel:"]);
  const poked = (frame) => {
    const inside = frame.contentDocument;
    const faults = [];
    for (const one of inside ? query.call(inside, "body *") : []) {
      const address = one.localName === "a" ? String(one.href?.baseVal ?? one.href ?? "") : "";
      const dishonest = address !== "" && !honest.has(URL.parse(address, inside.baseURI)?.protocol ?? "");
      if (dishonest) faults.push(address.slice(0, 80));
      for (const name of names.call(one)) if (name.startsWith("on")) faults.push(`${one.localName} ${name}`);
      if (one.localName === "details") one.open = true;
      for (const kind of gestures) fire.call(one, new Event(kind));
      // Not bubbling: a click on what stands in an honest link is a reader who follows it.
      if (dishonest || !goes.has(one.localName)) fire.call(one, new MouseEvent("click", { cancelable: true }));
      if (typeof one.focus === "function") one.focus();
    }
    return faults;
  };
  const frames = [...document.querySelectorAll("iframe[data-mail-frame]")];
  const faults = frames.map(poked);
  scrollTo(0, 0);
  await new Promise((done) => setTimeout(done, 250));
  const told = frames.map((frame, n) => {
    const box = frame.getBoundingClientRect();
    const around = frame.closest(".message-body").getBoundingClientRect();
    const fits = box.left >= around.left && box.right <= around.right + 1 && box.top >= around.top
      && box.bottom <= around.bottom + 1 && box.height <= 30001;
    const at = frame.contentDocument?.location.pathname ?? "elsewhere";
    const read = Boolean(frame.contentDocument?.body);
    return { name: frame.closest("details").id, at, fits, faults: faults[n], read };
  });
  const root = document.documentElement;
  return { told, wide: root.scrollWidth > root.clientWidth };
}
"""


class _Canary(socketserver.ThreadingTCPServer):
    """The attackers' host: it counts who connects, if only to be ready (preconnect), and says nothing."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.connections = 0

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.connections += 1
        return False


@contextmanager
def canary() -> Iterator[_Canary]:
    with _Canary() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()


@dataclass
class Heard:
    """What samples did. ``ran``: addresses of documents in which one ran. ``asked``: addresses a frame wanted,
    even if the policy then forbade it."""

    ran: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    frames: int = 0
    blank: int = 0

    def nothing(self) -> bool:
        return not (self.ran or self.asked or self.opened or self.left or self.faults)


class Stage:
    """``show`` puts samples on; ``heard`` is what came of all that were shown."""

    def __init__(self, browser: Browser, base: str, cookie: dict[str, Any], *, sandbox: str = FENCED) -> None:
        self._base, self._sandbox = base, sandbox
        self._expected: list[str] = []
        self._told_to: list[str] = []
        self._shown = ""
        self.heard = Heard()
        self._window: BrowserContext = browser.new_context(viewport={"width": 1200, "height": 900}, base_url=base)
        self._window.add_cookies([{**cookie, "url": base}])  # type: ignore[list-item]
        self._window.route(f"**{STAGE}*", self._play)
        self._page: Page = self._window.new_page()
        self._window.on("console", self._said)
        self._window.on("dialog", lambda dialog: (self.heard.ran.append("dialog"), dialog.dismiss()))
        self._window.on("request", self._requested)
        self._window.on("page", lambda page: self.heard.opened.append(page.url))

    def show(self, rows: Sequence[tuple[str, str]], number: int) -> None:
        """``rows``: the address of each message's text and the sample's name."""
        self._told_to = [address for address, _ in rows]
        self._expected = list(self._told_to)
        html = _MESSAGES.render(Context({"rows": rows}))
        assert FENCED in html and html.count('loading="lazy"') == len(rows)
        self._shown = html.replace('loading="lazy"', "").replace(FENCED, self._sandbox)
        self._page.goto(f"{STAGE}?{number}", wait_until="load")
        self._look(self._page.evaluate(_POKE))

    def close(self) -> None:
        self._window.close()

    def _look(self, seen: dict[str, Any]) -> None:
        for frame, address in zip(seen["told"], self._told_to, strict=True):
            self.heard.frames += 1
            self.heard.blank += not frame["read"]
            self.heard.faults += [f"{frame['name']}: {fault}" for fault in frame["faults"]]
            if frame["at"] != address or not frame["fits"]:
                self.heard.left.append(frame["name"])
        if seen["wide"] or urlsplit(self._page.url).path != STAGE:
            self.heard.left.append("the page itself")
        self.heard.left += [f"never asked: {address}" for address in self._expected]

    def _play(self, route: Route) -> None:
        sheets = "".join(f'<link rel=stylesheet href="{static(one)}">' for one in assets.STYLES)
        script = f'<script type=module src="{static("ui/js/frame.js")}"></script>'
        head = f'<!doctype html><link rel=icon href="data:,">{sheets}<style>html,body{{overflow:auto}}</style>'
        route.fulfill(content_type="text/html", body=head + self._shown + script)

    def _said(self, message: ConsoleMessage) -> None:
        if message.text == SIGN:
            self.heard.ran.append(urlsplit(message.location["url"]).path)

    def _requested(self, request: Request) -> None:
        parts = urlsplit(request.url)
        ours = request.url.startswith(self._base)
        if ours and parts.path in self._expected:
            self._expected.remove(parts.path)
        elif parts.scheme not in {"data", "blob"} and not (ours and parts.path.startswith((STAGE, "/static/"))):
            self.heard.asked.append(request.url)
