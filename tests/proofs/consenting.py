"""A member at the browser, by hand of a test: pages of the product on one side, of the sandbox on the other.

member = Person(client, both, ADDRESS)
text = member.connect("sending", "shared", refuse={"Mail.Send"})
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlsplit

import httpx2
from django.test import Client

from tests.proofs.together import Together

PERMISSIONS = "/mailboxes/connect/microsoft/"
LIST = "/settings/integrations/outlook/"
HERE = "localhost"  # the sandbox takes any loopback address for the registered one


@dataclass
class Person:
    """Signs in at the sandbox as ``address``; declines a consent page that lists any scope of ``refuse``."""

    client: Client
    both: Together
    address: str
    refuse: Collection[str] = ()
    seen: list[str] = field(default_factory=list)  # the headings of the sandbox's pages, in order

    def __post_init__(self) -> None:
        self.client.defaults["SERVER_NAME"] = HERE
        self.there = httpx2.Client(base_url=self.both.sandbox.url, timeout=60)

    # -- at the product

    def connect(self, *features: str, refuse: Collection[str] = (), direction: str = "two_way") -> str:
        """From the review screen to wherever the trip ends; the text of that page."""
        return self.press(PERMISSIONS, {"feature": list(features), "direction": direction}, refuse=refuse)

    def press(self, path: str, data: dict[str, object] | None = None, *, refuse: Collection[str] = ()) -> str:
        """A button of the product's that may lead to the provider."""
        self.refuse, self.seen = refuse, []
        answer = self.client.post(path, data or {})
        return self._follow(answer["Location"]) if answer.status_code == 302 else answer.content.decode()

    def open(self, url: str) -> str:
        """An address that somebody was sent, opened in this browser."""
        self.refuse, self.seen = (), []
        return self._follow(url)

    def look(self, path: str = LIST) -> str:
        return self.client.get(path).content.decode()

    def _follow(self, url: str) -> str:
        while True:
            parts = urlsplit(url)
            if parts.hostname not in (HERE, None):
                url = self._through(url)
                continue
            answer = self.client.get(f"{parts.path}?{parts.query}")
            if answer.status_code != 302:
                return answer.content.decode()
            url = answer["Location"]

    # -- at the provider

    def _through(self, url: str) -> str:
        """Past the sandbox's pages; the address that it sends the browser back to."""
        answer = self.there.get(url)
        while answer.status_code not in (301, 302, 303):
            answer = self._act(answer.text)
        return answer.headers["Location"]

    def _act(self, page: str) -> httpx2.Response:
        heading = _one(r"<h1>(.*?)</h1>", page)
        self.seen.append(heading)
        flow = _one(r'name="flow" value="([^"]+)"', page)
        base = _one(r'action="(/[^"]+?)/(?:signin|consent)"', page)
        if heading in ("Pick an account", "Sign in"):
            assert 'role="alert"' not in page, page
            return self.there.post(f"{base}/signin", data={"flow": flow, "account": self.address})
        decision = self._decision(heading, page)
        return self.there.post(f"{base}/consent", data={"flow": flow, "decision": decision})

    def _decision(self, heading: str, page: str) -> str:
        if heading == "Need admin approval":
            return "return"
        if heading == "Verify your identity":
            return "verified"
        assert heading.startswith("Permissions"), page
        listed = set(re.findall(r'<span class="code">([^<]+)</span>', page))
        return "cancel" if listed.intersection(self.refuse) else "accept"


def link_for_admin(page: str) -> str:
    """The address on a page of the product's that is meant for an administrator."""
    return unescape(_one(r'id="admin-link"[^>]*?value="([^"]+)"', page.replace("\n", " ")))


def _one(pattern: str, page: str) -> str:
    found = re.search(pattern, page, re.DOTALL)
    assert found, f"{pattern} is not in the page: {page[:2000]}"
    return unescape(found[1])
