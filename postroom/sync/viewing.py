"""Somebody is looking (product.md SY11): where nothing is pushed, mail is then asked for every few seconds.

Screens of mail and open streams of events call `looked_into`: it writes a mailbox at most once a minute, never waits.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection

from postroom.lib.clock import now
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes
from postroom.sync.models import Activity, Subscription, SyncState
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


def _look_now(mailbox_ids: Collection[int], at: datetime) -> None:
    told = Subscription.objects.filter(mailbox_id__in=mailbox_ids, expires_at__gt=at)
    polled = set(mailbox_ids) - set(told.values_list("mailbox_id", flat=True))
    for mailbox_id in sorted(polled):
        following = SyncState.objects.filter(mailbox_id=mailbox_id, phase=SyncState.Phase.FOLLOWING, due_at__gt=at)
        if following.exclude(scope="").update(due_at=at):  # nothing is followed while the first history is pulled
            lanes.want(mailbox_id, Activity.LIVE)


def is_here(member: Membership) -> None:
    """A member has a screen open and visible (`/events` is let go of by hidden ones)."""
    working = (Mailbox.State.CONNECTING, Mailbox.State.LIVE)
    rows = mailboxes_visible_to(member).filter(state__in=working).order_by().values_list("pk", "viewed_at")
    looked_into([pk for pk, viewed_at in rows if is_stale(viewed_at)])
