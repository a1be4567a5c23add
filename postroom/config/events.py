"""`/events`: Server-Sent Events to the screens of one member.

The session is checked once, in a thread; after that an open screen costs a socket and a queue, no thread and no
database connection. Each event is `event: <topic>`, `data: <JSON of ids>`, `id: <process>-<number>`. A stream ends
after an hour, so that a session that was ended or a role that changed takes effect; browsers reconnect by themselves.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.db import DatabaseError, close_old_connections
from django.utils.crypto import constant_time_compare

from postroom.accounts import signing_in
from postroom.accounts.models import User
from postroom.config.bridge import Receive, Scope, Send, header, send_text
from postroom.lib.live import Event, Hub, Listener
from postroom.sync import viewing
from postroom.workspaces.middleware import SESSION_KEY as WORKSPACE_KEY
from postroom.workspaces.middleware import lacks_second_factor, membership_of
from postroom.workspaces.models import Membership

log = logging.getLogger(__name__)

HERE_SECONDS = 60.0  # between two notes that this member looks at a screen
HEARTBEAT_SECONDS = 20.0  # proxies cut silent connections after 30 to 60
LIFE_SECONDS = 3600.0
RETRY_MS = 1000
AGO = "ago"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back
    (b"x-content-type-options", b"nosniff"),
]


class EventStream:
    """The ASGI application of `/events`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._process = secrets.token_hex(4)  # event numbers mean something in this process only
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every open stream; browsers come back by themselves, to whoever answers then."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET" or _foreign(scope):
            await send_text(send, 405, "Only GET from our own pages.\n")
            return
        member = await sync_to_async(_look_up, thread_sensitive=False)(header(scope, b"cookie") or b"")
        if member is None:
            # 204 tells an EventSource to stop trying; the page finds out at its next click
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        async with self._hub.listen(member.workspace_id, member.pk, after=self._resume(scope)) as listener:
            presence = asyncio.create_task(_present(member))
            try:
                await self._stream(listener, receive, send)
            finally:
                presence.cancel()

    def _resume(self, scope: Scope) -> int | None:
        """The last event the browser saw; -1 when it was numbered by another process.

        A page's first stream says how many milliseconds ago the page was asked for ("ago-250"): what happened since may
        be missing in it.
        """
        last = (header(scope, b"last-event-id") or b"").decode("latin-1")
        process, _, number = last.rpartition("-")
        if not last:
            return None
        if process == AGO and number.isdecimal():
            return self._hub.number_ago(int(number) / 1000)
        return int(number) if process == self._process and number.isdecimal() else -1

    async def _stream(self, listener: Listener, receive: Receive, send: Send) -> None:
        """Send until the browser leaves, the server stops, or the hour is over."""
        writer = asyncio.create_task(self._write(listener, send))
        reader = asyncio.create_task(_until_disconnect(receive))
        closing = asyncio.create_task(self._closing.wait())
        tasks: set[asyncio.Task[Any]] = {writer, reader, closing}
        try:
            await asyncio.wait(tasks, timeout=LIFE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alive = not reader.done()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if alive:
            await send({"type": "http.response.body", "body": b""})

    async def _write(self, listener: Listener, send: Send) -> None:
        async for piece in self._pieces(listener):
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _pieces(self, listener: Listener) -> AsyncIterator[bytes]:
        yield f"retry: {RETRY_MS}\nid: {self._process}-{self._hub.number}\nevent: hello\ndata: {{}}\n\n".encode()
        while True:
            try:
                event = await asyncio.wait_for(listener.queue.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": still here\n\n"
            else:
                yield self._frame(event)

    def _frame(self, event: Event) -> bytes:
        return f"id: {self._process}-{event.number}\nevent: {event.topic}\ndata: {event.data}\n\n".encode()


async def _present(member: Membership) -> None:
    """While a screen is open, mail that nobody pushes is asked for often (product.md SY11)."""
    while True:
        try:
            await sync_to_async(_note_presence, thread_sensitive=False)(member)
        except DatabaseError as problem:
            log.warning("who looks could not be noted: %s", type(problem).__name__)
        await asyncio.sleep(HERE_SECONDS)


def _note_presence(member: Membership) -> None:
    close_old_connections()
    viewing.is_here(member)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _foreign(scope: Scope) -> bool:
    """Does the request come from a page of another site? (Browsers say so; others cannot have the cookie.)"""
    origin = (header(scope, b"origin") or b"").decode("latin-1")
    host = (header(scope, b"host") or b"").decode("latin-1")
    return bool(origin) and urlsplit(origin).netloc != host


def _look_up(cookie: bytes) -> Membership | None:
    """`member_of_cookie` in a thread of its own, where connections may have died since the last time."""
    close_old_connections()
    return member_of_cookie(cookie)


def member_of_cookie(cookie: bytes) -> Membership | None:
    """The member whose session a Cookie header carries; as Django's own sign-in check, without a request."""
    try:
        found = SimpleCookie(cookie.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if found is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(found.value)
    try:
        pk = int(session.get(SESSION_KEY, ""))
    except (TypeError, ValueError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    stored = session.get(HASH_SESSION_KEY, "")
    if user is None or not constant_time_compare(stored, user.get_session_auth_hash()):
        return None
    member = membership_of(user, session.get(WORKSPACE_KEY), tenant=signing_in.mark(session).get("tenant", ""))
    return None if member is None or lacks_second_factor(member, session) else member
