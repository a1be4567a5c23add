"""The frame of "the other side": sidebar with mailboxes, notices, the main pane."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from ..http import Request, Response
from ..store.model import INBOX
from ..users import SHARED, User
from .markup import avatar, document, esc

if TYPE_CHECKING:
    from ..world import World

_MARK = (
    '<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M4 5h16v14H4z" fill="none" '
    'stroke="currentColor" stroke-width="2"/><path d="M4 6l8 7 8-7" fill="none" stroke="currentColor" '
    'stroke-width="2"/></svg>'
)


def mail_path(address: str, *parts: str) -> str:
    """`/mail/<address>/…` with every part escaped."""
    return "/mail/" + "/".join(quote(part, safe="") for part in (address, *parts))


def page(
    world: World, request: Request, title: str, main: str, *, current: str = "", status: int = 200, folders: str = ""
) -> Response:
    """A page in the frame. `current` is the address or the name of the entry that is open."""
    notice = request.query.get("said", "")
    said = f'<p class="notice" role="status">{esc(notice[:200])}</p>' if notice else ""
    body = (
        '<a class="skip" href="#main">Skip to the content</a>'
        f'<header class="top"><a class="brand" href="/">{_MARK}<span>The other side</span></a>'
        '<span class="quiet hide-small">a local Microsoft 365</span>'
        f'<nav aria-label="Main">{_entry("/write", "Write", current)}{_entry("/people", "People outside", current)}'
        f"{_entry('/accidents', 'Accidents', current)}{_entry('/traffic', 'Requests', current)}</nav></header>"
        f'<div class="frame"><aside class="side">{_mailboxes(world, current)}{folders}</aside>'
        f'<main id="main" tabindex="-1">{said}{main}</main></div>'
        '<script type="module" src="/sandbox/page.js"></script>'
    )
    return document(f"{title} · Sandbox", body, status=status)


def _entry(href: str, label: str, current: str) -> str:
    here = ' aria-current="page"' if current == href else ""
    return f'<a href="{href}"{here}>{esc(label)}</a>'


def _mailboxes(world: World, current: str) -> str:
    rows = "".join(_mailbox(world, user, current) for user in world.users if user.has_mailbox)
    empty = '<li class="quiet">Nobody here yet.</li>'
    wide = "" if current.count("@") else " wide"
    return (
        f'<details class="mailboxes{wide}"><summary>Mailboxes</summary>'
        f'<nav aria-label="Mailboxes"><ul>{rows or empty}</ul></nav></details>'
    )


def _mailbox(world: World, user: User, current: str) -> str:
    unread = world.mailbox(user).tree[INBOX].unread
    here = ' aria-current="page"' if user.address == current else ""
    count = f'<span class="count" aria-label="{unread} unread">{unread}</span>' if unread else ""
    tag = '<span class="tag">Shared</span>' if user.kind == SHARED else ""
    return (
        f'<li><a class="mailbox" href="{mail_path(user.address)}"{here}>{avatar(user.name, user.address)}'
        f'<span class="who"><span class="name">{esc(user.name)}</span>'
        f'<span class="quiet">{esc(user.address)}</span></span>{tag}{count}</a></li>'
    )
