"""The heartbeat of a process: its own row, written every few seconds, and what can be read from all of them."""

from __future__ import annotations

import logging
import os
import socket
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from django.db.models import Q

import postroom
from postroom.lib.clock import now
from postroom.operations.counters import counters, providers
from postroom.operations.models import Process

log = logging.getLogger(__name__)

EVERY = 10.0  # seconds
DEAD_AFTER = timedelta(seconds=60)
FORGET_AFTER = timedelta(hours=24)
LOOKED_AT = 400  # processes of a kind, the latest heard of first


class Beat:
    """This process's row."""

    def __init__(self, kind: str, threads: int) -> None:
        self._row = Process(
            kind=kind, host=socket.gethostname()[:120], pid=os.getpid(), threads=threads, version=postroom.__version__
        )

    def write(self) -> None:
        """Say that we are alive, and what we have done so far. Makes the row anew when it was forgotten meanwhile."""
        sums, busy = providers()
        self._row.seen_at = now()
        self._row.counters = {**counters.snapshot(), **sums}
        self._row.budgets = busy
        if self._row.pk and not Process.objects.filter(pk=self._row.pk).update(
            seen_at=self._row.seen_at, counters=self._row.counters, budgets=busy
        ):
            self._row.pk = None
        if not self._row.pk:
            self._row.save(force_insert=True)

    def goodbye(self) -> None:
        """A stop that was asked for is no death."""
        if self._row.pk:
            Process.objects.filter(pk=self._row.pk).update(stopped_at=now(), seen_at=now(), budgets=[])


def alive(kind: str, at: datetime | None = None) -> int:
    """How many processes of a kind are alive."""
    since = (at or now()) - DEAD_AFTER
    return Process.objects.filter(kind=kind, stopped_at=None, seen_at__gte=since).count()


class Heard(NamedTuple):
    """The processes of a kind. ``gone``: they fell silent without a goodbye and were not followed by another on the
    same machine. ``last``: the last sign of any, of those that stopped too; ``None``: for a day there was none."""

    living: list[Process]
    gone: list[Process]
    last: Process | None


def heard(kind: str, at: datetime | None = None) -> Heard:
    """Who of a kind is alive, and who is missed. One query."""
    since = (at or now()) - DEAD_AFTER
    rows = list(Process.objects.filter(kind=kind).defer("counters", "budgets").order_by("-seen_at")[:LOOKED_AT])
    running = [one for one in rows if one.stopped_at is None]
    latest = {one.host: one.started_at for one in sorted(rows, key=attrgetter("started_at"))}
    silent = [one for one in running if one.seen_at < since]
    gone = [one for one in silent if latest[one.host] <= one.seen_at]
    return Heard([one for one in running if one.seen_at >= since], gone, rows[0] if rows else None)


def forget(at: datetime | None = None) -> int:
    """Drop the rows of processes that are long gone; the dead stay as long as nobody lives who took their place."""
    at = at or now()
    old = Process.objects.filter(seen_at__lt=at - FORGET_AFTER)
    replaced = Q(kind__in=[kind for kind in Process.Kind.values if alive(kind, at)])
    return old.filter(replaced | Q(stopped_at__isnull=False)).delete()[0]
