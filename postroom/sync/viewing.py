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

# Never waiting: who holds a lane or a state is just asking for its mail. Nothing is followed while the first history is
# pulled, and a mailbox with push needs no asking.
_LOOK = """
    WITH seen AS (
        SELECT id, viewed_at FROM mailboxes_mailbox
        WHERE id = ANY(%(mailboxes)s) AND (viewed_at IS NULL OR viewed_at < %(again)s)
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED),
    stamped AS (
        UPDATE mailboxes_mailbox m SET viewed_at = %(now)s FROM seen WHERE m.id = seen.id
        RETURNING m.id, seen.viewed_at IS NULL OR seen.viewed_at <= %(left_alone)s AS was_left_alone),
    held AS (
        SELECT l.id, l.mailbox_id FROM sync_lane l JOIN stamped ON stamped.id = l.mailbox_id AND was_left_alone
        WHERE l.activity = 'live' AND NOT EXISTS (
            SELECT FROM sync_subscription s WHERE s.mailbox_id = l.mailbox_id AND s.expires_at > %(now)s)
        ORDER BY l.id FOR NO KEY UPDATE OF l SKIP LOCKED),
    late AS (
        SELECT s.id, s.mailbox_id FROM sync_syncstate s JOIN held ON held.mailbox_id = s.mailbox_id
        WHERE s.phase = 'following' AND s.scope <> '' AND s.due_at > %(now)s FOR NO KEY UPDATE OF s SKIP LOCKED),
    asked AS (UPDATE sync_syncstate s SET due_at = %(now)s FROM late WHERE s.id = late.id RETURNING s.mailbox_id)
    UPDATE sync_lane l SET wanted = wanted + 1, due_at = least(coalesce(due_at, %(now)s), %(now)s)
    FROM held WHERE l.id = held.id AND l.mailbox_id IN (SELECT mailbox_id FROM asked) RETURNING l.mailbox_id
"""


def is_stale(viewed_at: datetime | None) -> bool:
    """Whether it is time to note once more that somebody looks."""
    return viewed_at is None or viewed_at < now() - SEEN_AGAIN


def looked_into(mailbox_ids: Collection[int]) -> None:
    """Note that somebody looks at these mailboxes. Those that are polled and were left alone are asked at once.
    One statement."""
    if not mailbox_ids:
        return
    at = now()
    told = {"again": at - SEEN_AGAIN, "left_alone": at - LOOKED_AT_WITHIN, "now": at}
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, {"mailboxes": list(mailbox_ids), **told})
        woken = [mailbox_id for (mailbox_id,) in cursor.fetchall()]
    if woken:
        transaction.on_commit(lambda: lanes.wake(*woken))


def is_here(member: Membership) -> None:
    """A member has a screen open and visible (`/events` is let go of by hidden ones)."""
    working = (Mailbox.State.CONNECTING, Mailbox.State.LIVE)
    rows = mailboxes_visible_to(member).filter(state__in=working).order_by().values_list("pk", "viewed_at")
    looked_into([pk for pk, viewed_at in rows if is_stale(viewed_at)])
