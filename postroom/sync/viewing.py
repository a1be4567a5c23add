"""Somebody is looking (product.md SY11): where nothing is pushed, mail is then asked for every few seconds.

Screens of mail and open streams of events call `looked_into`: it writes a mailbox at most once a minute, never waits.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection, transaction

from postroom.lib.clock import now
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes
from postroom.sync.schedule import LOOKED_AT_WITHIN
from postroom.workspaces.models import Membership

SEEN_AGAIN = timedelta(minutes=1)

_STAMP = """
    WITH seen AS (
        SELECT id, viewed_at FROM mailboxes_mailbox
        WHERE id = ANY(%(mailboxes)s) AND (viewed_at IS NULL OR viewed_at < %(again)s)
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE mailboxes_mailbox m SET viewed_at = %(now)s FROM seen WHERE m.id = seen.id RETURNING m.id, seen.viewed_at
"""


def is_stale(viewed_at: datetime | None) -> bool:
    """Whether it is time to note once more that somebody looks."""
    return viewed_at is None or viewed_at < now() - SEEN_AGAIN


def looked_into(mailbox_ids: Collection[int]) -> None:
    """Note that somebody looks at these mailboxes. Those that are polled and were left alone are asked at once."""
    if not mailbox_ids:
        return
    at = now()
    with connection.cursor() as cursor:
        cursor.execute(_STAMP, {"mailboxes": list(mailbox_ids), "again": at - SEEN_AGAIN, "now": at})
        stamped = cursor.fetchall()
    woken = [pk for pk, before in stamped if before is None or at - before >= LOOKED_AT_WITHIN]
    if woken:
        _look_now(woken, at)


# Lanes first, as a run does; and never waiting: who holds a state is just asking for its mail.
_LOOK_NOW = """
    WITH held AS (
        SELECT l.id, l.mailbox_id FROM sync_lane l WHERE l.mailbox_id = ANY(%(mailboxes)s) AND l.activity = 'live'
        AND NOT EXISTS (SELECT FROM sync_subscription s WHERE s.mailbox_id = l.mailbox_id AND s.expires_at > %(now)s)
        ORDER BY l.id FOR NO KEY UPDATE SKIP LOCKED),
    late AS (
        SELECT s.id, s.mailbox_id FROM sync_syncstate s JOIN held ON held.mailbox_id = s.mailbox_id
        WHERE s.phase = 'following' AND s.scope <> '' AND s.due_at > %(now)s FOR NO KEY UPDATE OF s SKIP LOCKED),
    asked AS (UPDATE sync_syncstate s SET due_at = %(now)s FROM late WHERE s.id = late.id RETURNING s.mailbox_id)
    UPDATE sync_lane l SET wanted = wanted + 1, due_at = least(coalesce(due_at, %(now)s), %(now)s)
    FROM held WHERE l.id = held.id AND l.mailbox_id IN (SELECT mailbox_id FROM asked) RETURNING l.mailbox_id
"""


def _look_now(mailbox_ids: Collection[int], at: datetime) -> None:
    """Those without push are due at once; nothing is followed while the first history is pulled."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_NOW, {"mailboxes": list(mailbox_ids), "now": at})
        woken = [mailbox_id for (mailbox_id,) in cursor.fetchall()]
    if woken:
        transaction.on_commit(lambda: lanes.wake(*woken))


def is_here(member: Membership) -> None:
    """A member has a screen open and visible (`/events` is let go of by hidden ones)."""
    working = (Mailbox.State.CONNECTING, Mailbox.State.LIVE)
    rows = mailboxes_visible_to(member).filter(state__in=working).order_by().values_list("pk", "viewed_at")
    looked_into([pk for pk, viewed_at in rows if is_stale(viewed_at)])
