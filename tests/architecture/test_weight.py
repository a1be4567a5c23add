"""What the first look at a screen transfers: the page and all it needs, compressed as it is served (design.md)."""

import re
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from postroom.workspaces.models import Membership
from tests.architecture.many import Multiplier
from tests.architecture.test_crawler import box, browser, connect, mailbox, member, settle, victim

__all__ = ["box", "connect", "mailbox", "member", "settle", "victim"]

MOST = 200_000
ROUNDS = 8  # of copies, so that lists are full
IN_PAGE = re.compile(r"""<(?:link|script|img|iframe)\b[^>]*?\b(?:href|src)=["']([^"'#]+)""")
LATER = re.compile(r"""hx-get=["']([^"']+)["'][^>]*hx-trigger=["']load["']""")
IN_SCRIPT = re.compile(r"""(?:from|import)\s*\(?["'](\.{0,2}/[^"']+)["']""")
IN_STYLE = re.compile(r"""url\(["']?((?!data:)[^"')]+)""")
NEEDS = {"text/html": (IN_PAGE, LATER), "text/javascript": (IN_SCRIPT,), "text/css": (IN_STYLE,)}


def transferred(client: Client, start: str) -> dict[str, int]:
    """Bytes of every answer a browser with nothing in its cache gets, headers included, by path."""
    found: dict[str, int] = {}
    todo, parts = [start], set[str]()
    while todo:
        path = todo.pop()
        if path in found or not path.startswith("/"):
            continue
        body, headers, kind = fetched(client, path, part=path in parts)
        found[path] = len(body[0]) + sum(len(name) + len(value) + 4 for name, value in headers.items())
        text = body[1].decode(errors="replace")
        todo += [join(path, unescape(one)) for pattern in NEEDS.get(kind, ()) for one in pattern.findall(text)]
        parts |= {join(path, unescape(one)) for one in LATER.findall(text)}
    return found


def fetched(client: Client, path: str, *, part: bool) -> tuple[tuple[bytes, bytes], Any, str]:
    """(as sent, as meant), headers and type; twice asked, because a client without gzip gets it plain. ``part``: asked
    for by the page's script, of which only a begun reply looks at where it is to stand."""
    script = {"HX-Request": "true", "HX-Target": "reply-draft"} if part else {}
    answers = [client.get(path, headers={"Accept-Encoding": how, **script}) for how in ("gzip", "identity")]
    sent, meant = [b"".join(one.streaming_content) if one.streaming else one.content for one in answers]
    assert answers[0].status_code == 200, path
    return (sent, meant), answers[0].headers, answers[0].headers.get("Content-Type", "").partition(";")[0]


def join(base: str, path: str) -> str:
    told = urlsplit(urljoin(f"http://testserver{base}", path))
    return told.path + (f"?{told.query}" if told.query else "") if told.netloc == "testserver" else ""


@pytest.fixture
def client(member: Membership, victim: dict[str, Any]) -> Client:
    Multiplier().grow(ROUNDS)
    return browser(member)


SCREENS = ("inbox:list", "records:contacts", "records:deals", "records:tasks", "mailboxes:list")


def test_a_first_screen_is_light(client: Client, victim: dict[str, Any]) -> None:
    thread = reverse("inbox:thread", args=[victim["inbox"]["pk"]])
    contact = reverse("records:contact", args=[victim["records"]["pk"]])
    for start in ("/", *map(reverse, SCREENS), thread, contact):
        found = transferred(client, client.get(start).headers.get("Location", start))
        assert len(found) > 20, found  # scripts and styles were found
        assert sum(found.values()) < MOST, (
            start,
            sum(found.values()),
            sorted(found.items(), key=lambda one: -one[1])[:12],
        )
