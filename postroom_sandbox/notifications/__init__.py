"""Change notifications: subscriptions and what is sent to their webhooks (graph.md 3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ..http import Request, Response, Route
from . import handlers
from .service import Notifications, drop_subscriptions, notifications, send_lifecycle

if TYPE_CHECKING:
    from ..world import World

_LOCKED: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("GET", "/v1.0/subscriptions", handlers.listing),
    ("GET", "/v1.0/subscriptions/{subscription}", handlers.get),
    ("DELETE", "/v1.0/subscriptions/{subscription}", handlers.delete),
    ("POST", "/v1.0/subscriptions/{subscription}/reauthorize", handlers.reauthorize),
    ("POST", "/sandbox/mailboxes/{address}/drop-subscriptions", handlers.drop),
    ("POST", "/sandbox/mailboxes/{address}/lifecycle/{event}", handlers.lifecycle),
    ("GET", "/sandbox/notifications", handlers.sent),
    ("GET", "/sandbox/subscriptions", handlers.subscriptions),
)


def routes(world: World) -> list[Route]:
    """Every route; from here on changes are announced to subscribers."""
    notifications(world)
    locked = [Route(method, pattern, partial(_run, world, handler)) for method, pattern, handler in _LOCKED]
    return [
        Route("POST", "/v1.0/subscriptions", partial(handlers.create, world)),
        Route("PATCH", "/v1.0/subscriptions/{subscription}", partial(handlers.change, world)),
        *locked,
    ]


def _run(world: World, handler: Callable[..., Response], request: Request, **params: str) -> Response:
    with world.operation():
        return handler(world, request, **params)


__all__ = ["Notifications", "drop_subscriptions", "notifications", "routes", "send_lifecycle"]
