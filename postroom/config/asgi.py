"""The web process: `/events` is answered here, everything else by Django in a thread pool, on one port.

`application` is an ASGI application with lifespan; `postroom serve` runs it, any ASGI server could.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.db import connection  # noqa: E402
from psycopg.conninfo import make_conninfo  # noqa: E402

from postroom.config.bridge import Bridge, Receive, Scope, Send, header  # noqa: E402
from postroom.config.events import EventStream  # noqa: E402
from postroom.lib.live import Hub  # noqa: E402
from postroom.sync.views import keep_in_a_thread  # noqa: E402

HOOK_THREADS = 16  # nearly all of them wait: what they bring is kept together (postroom.sync.views)
ANONYMOUS_BODY_LIMIT = 5_000_000  # webhooks and sign-in forms; who has a session may upload


def body_limit(scope: Scope) -> int:
    """Bytes a request may have: large only for browsers that carry a session."""
    signed_in = settings.SESSION_COOKIE_NAME.encode() in (header(scope, b"cookie") or b"")
    return settings.POSTROOM_BODY_LIMIT if signed_in else ANONYMOUS_BODY_LIMIT


class Application:
    """Routes and the life of the process."""

    def __init__(self) -> None:
        handler = WSGIHandler()
        self._pages = Bridge(handler, threads=settings.WEB_THREADS, body_limit=body_limit)
        # Providers judge us by our slowest answers (graph.md 3.6): notifications never queue behind pages.
        keep_in_a_thread()
        self._hooks = Bridge(handler, threads=HOOK_THREADS, body_limit=body_limit)
        parameters = connection.get_connection_params()
        known = ("dbname", "host", "port", "user", "password", "sslmode", "sslrootcert")
        self.hub = Hub(make_conninfo("", **{key: parameters[key] for key in known if parameters.get(key)}))
        self.events = EventStream(self.hub)
        self._listening: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/events":
            await self.events(scope, receive, send)
        elif scope["type"] == "http":
            await (self._hooks if scope["path"].startswith("/hooks/") else self._pages)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        """ASGI lifespan: the listener starts with the process; open streams end before it does."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._listening = asyncio.create_task(self.hub.run(), name="live updates")
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _stop(self) -> None:
        self.events.close()
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        self._pages.close()
        self._hooks.close()


application = Application()
