"""The first page: what this is, and where to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..http import Request, Response
from ..users import PERSONAL, SHARED
from . import traffic
from .layout import mail_path, page
from .markup import avatar, esc

if TYPE_CHECKING:
    from ..world import World

_KINDS = {SHARED: "Shared mailbox", PERSONAL: "Personal account"}


def show(world: World, request: Request) -> Response:
    """Mailboxes as cards, and the newest requests."""
    cards = ""
    for user in world.users:
        if not user.has_mailbox:
            continue
        count = sum(len(folder.messages) for folder in world.mailbox(user).tree)
        title = user.details.get("jobTitle") or _KINDS.get(user.kind, "")
        cards += (
            f'<li><a class="mailbox" href="{mail_path(user.address)}">{avatar(user.name, user.address)}'
            f'<span class="who">'
            f'<span class="name">{esc(user.name)}</span><span class="quiet">{esc(title)}</span>'
            f'<span class="quiet">{count:,} messages</span></span></a></li>'
        )
    main = (
        '<div class="head"><h1>The other side</h1><a class="button primary" href="/write">Write a mail</a></div>'
        '<p class="lead">This is the Microsoft 365 that your program talks to. Open a mailbox to see it as its owner, '
        'write to it as a customer, or <a href="/accidents">let something go wrong</a>.</p>'
        f'<section><h2>Mailboxes</h2><ul class="cards">{cards}</ul></section>'
        f"<section><h2>Newest requests</h2><div data-live>{traffic.tail(world, 12)}</div></section>"
    )
    return page(world, request, "The other side", main, current="/")
