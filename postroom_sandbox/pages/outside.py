"""People outside the company, who have no mailbox here: what they were sent, and writing back as them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ..company.people import CUSTOMERS
from ..http import Request, Response
from ..mime import Parsed
from ..text import html_to_text
from . import letters
from .layout import page
from .markup import avatar, esc

if TYPE_CHECKING:
    from ..world import World

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Received:
    """A mail that left a mailbox of ours for somebody outside."""

    number: int
    sent: str
    parsed: Parsed


def _received(world: World, address: str) -> list[Received]:
    pattern = "%" + address.lower().replace("%", "").replace("_", r"\_") + "%"
    sql = r"SELECT id, sent, raw FROM outgoing WHERE lower(recipients) LIKE ? ESCAPE '\' ORDER BY id DESC LIMIT ?"
    rows = world.db.query(sql, (pattern, _SHOWN))
    return [Received(row[0], row[1], letters.parse(row[2])) for row in rows]


def _counts(world: World) -> dict[str, int]:
    counts: dict[str, int] = {}
    for (recipients,) in world.db.query("SELECT recipients FROM outgoing"):
        for address in recipients.lower().split("\n"):
            if world.user_by_address(address) is None:
                counts[address] = counts.get(address, 0) + 1
    return counts


def show_people(world: World, request: Request) -> Response:
    """Everybody at the customers, and whoever else was written to."""
    counts = _counts(world)
    known = {contact.address for customer in CUSTOMERS for contact in customer.contacts}
    groups = "".join(
        f'<section><h2>{esc(customer.name)}</h2><ul class="cards">'
        f"{''.join(_card(item.name, item.address, item.job_title, counts) for item in customer.contacts)}"
        "</ul></section>"
        for customer in CUSTOMERS
    )
    others = sorted(set(counts) - known)
    if others:
        cards = "".join(_card(address, address, "", counts) for address in others)
        groups = f'<section><h2>Others who were written to</h2><ul class="cards">{cards}</ul></section>' + groups
    main = (
        '<div class="head"><h1>People outside</h1></div>'
        '<p class="lead">They have no mailbox in this Microsoft 365. Open one to read what was sent to them and to '
        "answer as them: that is how you play the customer.</p>"
    )
    return page(world, request, "People outside", main + groups, current="/people")


def _card(name: str, address: str, title: str, counts: dict[str, int]) -> str:
    count = counts.get(address, 0)
    badge = f'<span class="count" aria-label="{count} received">{count}</span>' if count else ""
    return (
        f'<li><a class="mailbox" href="/people/{esc(address)}">{avatar(name, address)}<span class="who">'
        f'<span class="name">{esc(name)}</span><span class="quiet">{esc(title or address)}</span></span>'
        f"{badge}</a></li>"
    )


def show_person(world: World, request: Request, address: str) -> Response:
    """What somebody outside received from the company, newest first, each with a way to answer."""
    name = letters.name_of(world, address) or address
    received = _received(world, address)
    rows = "".join(_mail(address, name, item) for item in received)
    query = urlencode({"as": address})
    main = (
        f'<div class="head"><h1>{esc(name)}</h1><span class="quiet">{esc(address)}</span>'
        f'<a class="button primary" href="/write?{esc(query)}">Write as {esc(name.split()[0])}</a></div>'
    )
    main += f"<div data-live>{rows or '<p class=empty>Nothing has been sent to them yet.</p>'}</div>"
    return page(world, request, name, main, current="/people")


def _mail(address: str, name: str, item: Received) -> str:
    sender = item.parsed.from_ or ("", "")
    text = item.parsed.text if item.parsed.text is not None else html_to_text(item.parsed.html)
    query = urlencode({"as": address, "outgoing": item.number})
    files = ", ".join(esc(file.name) for file in item.parsed.attachments if not file.is_inline)
    attached = f'<p class="quiet">Attached: {files}</p>' if files else ""
    when = item.sent.replace("T", " ").rstrip("Z")
    return (
        f'<article class="letter"><h2>{esc(item.parsed.subject or "(no subject)")}</h2>'
        f'<p class="quiet">{esc(sender[0])} &lt;{esc(sender[1])}&gt; · {esc(when)} UTC</p>'
        f'<pre class="text">{esc(text[:4000])}</pre>{attached}'
        f'<a class="button" href="/write?{esc(query)}">Answer as {esc(name.split()[0])}</a></article>'
    )
