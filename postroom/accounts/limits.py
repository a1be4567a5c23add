"""Rate limits that hold across processes and machines: one counter row per key and window."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db import connection

from postroom.accounts.models import Throttle
from postroom.lib.clock import now

_HIT = """
insert into accounts_throttle as t (key, window_started_at, hits) values (%(key)s, %(now)s, 1)
on conflict (key) do update set
    hits = case when t.window_started_at > %(start)s then t.hits + 1 else 1 end,
    window_started_at = case when t.window_started_at > %(start)s then t.window_started_at else %(now)s end
returning hits
"""


def _key(words: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def hit(*words: str, window: timedelta) -> int:
    """Count one more event for this key and return how many there were in the current window, this one included."""
    moment = now()
    with connection.cursor() as cursor:
        cursor.execute(_HIT, {"key": _key(words), "now": moment, "start": moment - window})
        return int(cursor.fetchone()[0])


def hits(*words: str, window: timedelta) -> int:
    """How many events this key had in the current window."""
    rows = Throttle.objects.filter(key=_key(words), window_started_at__gt=now() - window)
    return rows.values_list("hits", flat=True).first() or 0


def forget(*words: str) -> None:
    """Start over for this key (a successful sign-in)."""
    Throttle.objects.filter(key=_key(words)).delete()


def purge(older_than: timedelta = timedelta(days=1)) -> int:
    """Delete windows that are long over; returns how many."""
    return Throttle.objects.filter(window_started_at__lt=now() - older_than).delete()[0]
