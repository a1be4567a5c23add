"""A browser without scripts: follows forms of the sign-in pages by their fields."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

FLOW = re.compile(r'name="flow" value="([^"]+)"')
HEADING = re.compile(r"<h1>(.*?)</h1>")


class Browser:
    """Keeps cookies; `page` is the last page, `arrived` the address outside the sandbox it was sent to."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.client = httpx2.Client(base_url=base, follow_redirects=False)
        self.page = ""
        self.status = 0
        self.arrived = ""

    def open(self, url: str) -> Browser:
        """Goes to an address."""
        return self._take(self.client.get(url))

    def _take(self, response: httpx2.Response) -> Browser:
        self.status, self.page = response.status_code, response.text
        target = response.headers.get("location", "")
        if target.startswith((self.base, "/")):
            return self.open(urljoin(self.base, target))
        self.arrived = target
        return self

    def _post(self, step: str, **fields: str) -> Browser:
        action = re.search(rf'action="([^"]*/{step})"', self.page)
        flow = FLOW.search(self.page)
        assert action and flow, f"no form for {step} on the page {self.heading!r}"
        return self._take(self.client.post(action[1], data={"flow": unescape(flow[1]), **fields}))

    def sign_in(self, address: str) -> Browser:
        """Chooses an account or types its address."""
        return self._post("signin", account=address)

    def decide(self, decision: str, **more: str) -> Browser:
        """Presses a button of the consent page."""
        return self._post("consent", decision=decision, **more)

    @property
    def heading(self) -> str:
        """The heading of the page."""
        found = HEADING.search(self.page)
        return unescape(found[1]) if found else ""

    @property
    def answer(self) -> dict[str, Any]:
        """The parameters it was sent back to the application with (query or fragment)."""
        parts = urlsplit(self.arrived)
        return dict(parse_qsl(parts.query or parts.fragment))
