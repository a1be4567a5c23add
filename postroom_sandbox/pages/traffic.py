"""The newest requests to Graph and Entra and the newest notifications, as they come."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..http import Request, Response
from ..notifications import notifications
from .layout import page
from .markup import esc

if TYPE_CHECKING:
    from ..world import World

SHOWN = 60


def tail(world: World, count: int) -> str:
    """A table of the newest exchanges, newest first."""
    newest = [json.loads(line) for line in world.traffic.lines(max(world.traffic.count - count, 0))]
    rows = "".join(_exchange(item) for item in reversed(newest))
    if not rows:
        return '<p class="empty">Nobody has asked for anything yet.</p>'
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Newest requests"><table><thead><tr>'
        '<th scope="col">Time</th><th scope="col">Method</th><th scope="col">Path</th><th scope="col">Mailbox</th>'
        f'<th scope="col">Status</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _exchange(item: dict[str, Any]) -> str:
    parts = urlsplit(item["url"])
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return _row(item["t"], item["method"], path[:160], item["mailbox"] or "", item["status"])


def _row(moment: float, method: str, path: str, mailbox: str, status: int) -> str:
    css = "ok" if 200 <= status < 400 else "bad"
    when = datetime.fromtimestamp(moment, UTC)
    return (
        f'<tr><td><time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%H:%M:%S}</time></td><td>{esc(method)}</td>'
        f'<td class="path">{esc(path)}</td><td>{esc(mailbox)}</td><td class="{css}">{status or "none"}</td></tr>'
    )


def _notifications(world: World) -> str:
    newest = list(islice(reversed(notifications(world).courier.log), SHOWN // 2))
    rows = "".join(
        _row(item["t"], item["kind"], item["url"][:120], f"{len(item['items'])} items", item["status"])
        for item in newest
    )
    if not rows:
        return '<p class="empty">None sent yet: nobody has subscribed.</p>'
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Newest notifications"><table><thead><tr>'
        '<th scope="col">Time</th><th scope="col">Kind</th><th scope="col">To</th><th scope="col">What</th>'
        f'<th scope="col">Answer</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def show(world: World, request: Request) -> Response:
    """The page."""
    main = (
        '<div class="head"><h1>Requests</h1><span class="quiet">UTC, newest first</span></div>'
        f"<div data-live>{tail(world, SHOWN)}<h2>Notifications</h2>{_notifications(world)}</div>"
    )
    return page(world, request, "Requests", main, current="/traffic")
