"""What happened, told to open screens: commit -> PostgreSQL NOTIFY (ids only) -> one listener per web process -> SSE.

    publish(workspace.pk, "mail", {"mailbox": 7, "threads": [41]})

`publish` runs in the caller's transaction: PostgreSQL delivers when that commits, and never if it rolls back. The
payload names things, it never contains them; a screen fetches what it may see. An event can get lost (a restart of the
database, a full queue): the listener then says "resync", and screens look again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import connection

log = logging.getLogger("postroom.live")

CHANNEL = "postroom_live"
MAX_BYTES = 7900  # PostgreSQL's limit is 8000
MOST_NAMED = 500  # members in one notification: ids have up to 15 digits
QUEUE_LENGTH = 200  # events a slow browser may be behind before it is told to look at everything again
REMEMBERED = 2000  # recent events, for a browser that comes back with Last-Event-ID
RECONNECT_DELAYS = (0.1, 0.5, 1.0, 2.0, 5.0)
RESYNC = "resync"


def publish(workspace_id: int, topic: str, payload: Mapping[str, Any], *, members: Iterable[int] | None = None) -> None:
    """Tell the members of a workspace (or only those named, by membership id) that something changed.

    `payload` holds ids and counts. When it is too long for one notification it is left out: screens then fetch
    everything of that topic. Very many members are told in several notifications.
    """
    event: dict[str, Any] = {"w": workspace_id, "t": topic, "d": dict(payload)}
    named = None if members is None else sorted(set(members))
    portions = [None] if named is None else [named[at : at + MOST_NAMED] for at in range(0, len(named), MOST_NAMED)]
    for some in portions:
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_notify(%s, %s)", [CHANNEL, _written(event if some is None else {**event, "m": some})]
            )


def _written(event: dict[str, Any]) -> str:
    text = json.dumps(event, separators=(",", ":"))
    return text if len(text.encode()) <= MAX_BYTES else json.dumps({**event, "d": {"all": True}}, separators=(",", ":"))


@dataclass(frozen=True)
class Event:
    """One thing that happened, numbered within this process."""

    number: int
    topic: str
    data: str  # JSON
    workspace_id: int | None = None  # None: everybody
    members: frozenset[int] | None = None
    at: float = field(default_factory=time.monotonic)


@dataclass(eq=False)
class Listener:
    """One open screen."""

    workspace_id: int
    member_id: int
    queue: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))

    def wants(self, event: Event) -> bool:
        if event.workspace_id is None:
            return True
        return event.workspace_id == self.workspace_id and (event.members is None or self.member_id in event.members)


class Hub:
    """Fans the notifications of one connection out to every screen of this process. Lives on one event loop."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._listeners: set[Listener] = set()
        self._recent: deque[Event] = deque(maxlen=REMEMBERED)
        self._number = 0
        self._connected = asyncio.Event()

    @asynccontextmanager
    async def listen(self, workspace_id: int, member_id: int, *, after: int | None = None) -> AsyncIterator[Listener]:
        """Hold a screen's place; with `after` (its Last-Event-ID) it first gets what it missed, or "resync"."""
        listener = Listener(workspace_id, member_id)
        for event in self._missed(listener, after):
            listener.queue.put_nowait(event)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    @property
    def size(self) -> int:
        """How many screens are open."""
        return len(self._listeners)

    @property
    def number(self) -> int:
        """The number of the latest event."""
        return self._number

    def number_ago(self, seconds: float) -> int:
        """The number of the latest event that is at least that old: what a page asked for then may already show."""
        then = time.monotonic() - seconds
        known = next((event.number for event in reversed(self._recent) if event.at < then), None)
        return known if known is not None else self._recent[0].number - 1 if self._recent else self._number

    async def wait_connected(self) -> None:
        await self._connected.wait()

    def _missed(self, listener: Listener, after: int | None) -> list[Event]:
        if after is None:
            return []
        oldest = self._recent[0].number if self._recent else self._number + 1
        wanted = [event for event in self._recent if event.number > after and listener.wants(event)]
        if after > self._number or after + 1 < oldest or len(wanted) >= QUEUE_LENGTH:
            return [Event(self._number, RESYNC, "{}")]  # another process's number, or too long ago
        return wanted

    async def run(self) -> None:
        """Listen until cancelled; a lost connection is made anew, and screens are told to look again."""
        failures = 0
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as db:
                    await db.execute(f"listen {CHANNEL}")
                    if self._number or failures:
                        self._announce(None, RESYNC, "{}")
                    self._connected.set()
                    failures = 0
                    async for notification in db.notifies():
                        self.receive(notification.payload)
            except psycopg.Error as problem:
                if not failures:
                    log.warning("live updates wait for the database: %s", str(problem).split("\n")[0])
            self._connected.clear()
            await asyncio.sleep(RECONNECT_DELAYS[min(failures, len(RECONNECT_DELAYS) - 1)])
            failures += 1

    def receive(self, payload: str) -> None:
        """Hand one notification on."""
        with suppress(ValueError, KeyError, TypeError):
            event = json.loads(payload)
            members = frozenset(event["m"]) if "m" in event else None
            data = json.dumps(event["d"], separators=(",", ":"))
            self._announce(event["w"], event["t"], data, members)

    def _announce(self, workspace_id: int | None, topic: str, data: str, members: frozenset[int] | None = None) -> None:
        self._number += 1
        event = Event(self._number, topic, data, workspace_id, members)
        self._recent.append(event)
        for listener in self._listeners:
            if listener.wants(event):
                _offer(listener.queue, event)


def _offer(queue: asyncio.Queue[Event], event: Event) -> None:
    """Put it in; a screen that is too far behind gets one "resync" instead of everything it missed."""
    try:
        queue.put_nowait(event)
    except asyncio.QueueFull:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(Event(event.number, RESYNC, "{}"))
