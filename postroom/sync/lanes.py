"""Asking for work, taking it, holding it, giving it back (design.md section 3a).

want -> (wake-up) -> claim -> hold … hold -> finish | postpone | step_aside

Every change is one statement that checks what it relies on: a stale owner's write finds no row, because its fence
number is no longer the lane's.
"""

import json
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from postroom.lib.clock import now
from postroom.sync.models import PRIORITY, Activity, Lane

LEASE = timedelta(seconds=10)
SOON = timedelta(seconds=5)  # what is due within this time is waited for by the worker; the rest is the sweep's
_ADVISORY_CLASS = 0x706F7374  # our own class of advisory locks: one per mailbox, held while claiming and in each step
_WORKING_STATES = ("connecting", "live")
BLOCKING_FAILURES = (
    "reauth", "password_changed", "revoked", "consent", "conditional_access", "disabled", "breaker",
    "no_delegate",
)  # fmt: skip

wake: Callable[..., None] = lambda *mailbox_ids: None  # noqa: E731  # set by sync.jobs: carries wake-ups to workers


class LeaseLost(Exception):
    """Somebody else took the lane over: this run must not write any more."""


def ensure(mailbox_id: int) -> None:
    """Give a mailbox its lanes. Harmless when they are there."""
    Lane.objects.bulk_create(
        [Lane(mailbox_id=mailbox_id, activity=a, priority=PRIORITY[a]) for a in Activity.values],
        ignore_conflicts=True,
    )


def want(mailbox_id: int, activity: str, *, at: datetime | None = None) -> None:
    """Ask for work in the caller's own transaction; a worker is woken when that commits."""
    want_all([mailbox_id], activity, at=at)


def want_all(mailbox_ids: Collection[int], activity: str, *, at: datetime | None = None) -> None:
    """The same of several mailboxes, in one statement."""
    due, mailboxes = at or now(), sorted(mailbox_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE sync_lane SET wanted = wanted + 1, due_at = least(coalesce(due_at, %(due)s), %(due)s)
               WHERE mailbox_id = ANY(%(mailboxes)s) AND activity = %(activity)s""",
            {"due": due, "mailboxes": mailboxes, "activity": activity},
        )
    if due - now() < SOON:
        transaction.on_commit(lambda: wake(*mailboxes))


def want_pushed(mailbox_ids: Collection[int]) -> None:
    """Ask for the live lanes of these mailboxes on behalf of the provider, at once and without waiting for anybody.

    Unlike ``want`` it writes only what is news: where a run that has not begun is due already, that run will see what
    was noted before this call, so a storm costs one write and one wake-up. And it is patient: a lane that waits out a
    failure keeps its date. Call it after what it is about was committed. What a crash of the database takes of this
    (its commits are not waited for) the sweep finds: ``catch_up``.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WANT_PUSHED, {"now": now(), "mailboxes": list(mailbox_ids)})
        to_wake = [mailbox_id for mailbox_id, at_work in cursor.fetchall() if not at_work]
    if to_wake:
        transaction.on_commit(lambda: _wake_together(to_wake))


def _wake_together(mailbox_ids: Collection[int]) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        wake(*mailbox_ids)


_WANT_PUSHED = """
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    news AS (
        SELECT id FROM sync_lane
        WHERE mailbox_id = ANY(%(mailboxes)s) AND activity = 'live'
          AND NOT (wanted > seen AND (lease_until IS NULL OR lease_until <= %(now)s)
                   AND due_at IS NOT NULL AND (due_at <= %(now)s OR failure <> ''))
        ORDER BY id FOR NO KEY UPDATE)
    UPDATE sync_lane l SET wanted = wanted + 1,
           due_at = CASE WHEN failure <> '' AND due_at IS NOT NULL THEN due_at
                         ELSE least(coalesce(due_at, %(now)s), %(now)s) END
    FROM news, quick WHERE l.id = news.id
    RETURNING l.mailbox_id, coalesce(l.lease_until > %(now)s, false) OR l.due_at > %(now)s
"""


def catch_up() -> None:
    """Make due again what was noted and whose wish got lost with the database."""
    with connection.cursor() as cursor:
        cursor.execute(_CATCH_UP, {"now": now(), "long_ago": now() - LEASE})


_CATCH_UP = """
    UPDATE sync_lane l SET wanted = wanted + 1, due_at = %(now)s
    WHERE activity = 'live' AND (due_at IS NULL OR due_at > %(now)s) AND failure = '' AND lease_until IS NULL
      AND EXISTS (SELECT 1 FROM sync_notification n
                  WHERE n.mailbox_id = l.mailbox_id AND n.received_at < %(long_ago)s)
"""


def release_dead(owners: str, alive: Callable[[int], bool]) -> int:
    """End the leases of processes that are gone, instead of waiting for their end. ``owners``: how the names of those
    begin whose life we can tell (``name:process:thread``). Returns how many."""
    held = Lane.objects.filter(lease_until__gt=now(), lease_owner__startswith=f"{owners}:")
    dead = {owner for owner in held.values_list("lease_owner", flat=True) if not _lives(owner, owners, alive)}
    lost = held.filter(lease_owner__in=dead)
    return lost.update(lease_until=None, lease_owner="", fence=F("fence") + 1) if dead else 0


def _lives(owner: str, owners: str, alive: Callable[[int], bool]) -> bool:
    process = owner.removeprefix(f"{owners}:").partition(":")[0]
    return not process.isdecimal() or alive(int(process))


def due(mailbox_ids: Iterable[int] | None = None, *, at: datetime | None = None, limit: int = 500) -> list[int]:
    """Mailboxes that have a lane due now and nobody at work on it: what the sweep wakes."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT l.mailbox_id FROM sync_lane l JOIN mailboxes_mailbox m ON m.id = l.mailbox_id
               WHERE l.due_at <= %(now)s AND NOT l.paused AND m.state = ANY(%(states)s)
                 AND NOT m.failure = ANY(%(blocked)s)
                 AND NOT EXISTS (SELECT 1 FROM sync_lane o
                                 WHERE o.mailbox_id = l.mailbox_id AND o.lease_until > %(now)s)
               LIMIT %(limit)s""",
            {
                "now": at or now(),
                "limit": limit,
                "states": list(_WORKING_STATES),
                "blocked": list(BLOCKING_FAILURES),
            },
        )
        found = [row[0] for row in cursor.fetchall()]
    return found if mailbox_ids is None else [m for m in found if m in set(mailbox_ids)]


def soon(mailbox_id: int) -> float | None:
    """Seconds until a lane of this mailbox comes due, when that is before the next sweep; else None."""
    first = (
        Lane.objects.filter(mailbox_id=mailbox_id, paused=False, due_at__gt=now(), due_at__lt=now() + SOON)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first()
    )
    return max(0.0, (first - now()).total_seconds()) if first else None


def claim(mailbox_id: int, owner: str) -> Lane | None:
    """Take the most urgent due lane of a mailbox, or None when nothing is due or somebody else is at work.

    The advisory lock comes in a statement of its own: the next one then sees every claim made before it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_ADVISORY_CLASS, mailbox_id])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(
            """UPDATE sync_lane SET lease_owner = %(owner)s, lease_until = %(until)s, fence = fence + 1,
                      started_at = %(now)s
               WHERE id = (SELECT l.id FROM sync_lane l JOIN mailboxes_mailbox m ON m.id = l.mailbox_id
                           WHERE l.mailbox_id = %(mailbox)s AND l.due_at <= %(now)s AND NOT l.paused
                             AND m.state = ANY(%(states)s) AND NOT m.failure = ANY(%(blocked)s)
                           ORDER BY l.priority, l.due_at LIMIT 1)
                 AND NOT EXISTS (SELECT 1 FROM sync_lane o
                                 WHERE o.mailbox_id = %(mailbox)s AND o.lease_until > %(now)s)
               RETURNING id""",
            {
                "owner": owner,
                "until": now() + LEASE,
                "now": now(),
                "mailbox": mailbox_id,
                "states": list(_WORKING_STATES),
                "blocked": list(BLOCKING_FAILURES),
            },
        )
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(_END_LAPSED, [mailbox_id, row[0]])
        # Still in here: read a moment later, the row might carry the fence of somebody who has taken it over already.
        lane = Lane.objects.select_related("mailbox__workspace", "mailbox__connection").get(pk=row[0])
        lane.saved = _describe(lane)
        return lane


# Whoever slept through the end of a lease on another lane of this mailbox must not write beside the new owner.
_END_LAPSED = """
    UPDATE sync_lane SET fence = fence + 1, lease_until = NULL, lease_owner = ''
    WHERE mailbox_id = %s AND id <> %s AND lease_until IS NOT NULL
"""


def hold(lane: Lane) -> None:
    """Called first in every step's transaction: nobody can claim the mailbox until it ends. Raises ``LeaseLost`` when
    the lease is no longer ours.

    The live lane's row itself stays free while its lease is young: notifications write it, and whoever posts them must
    not wait for a page of mail to be stored (product.md SY4).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_ADVISORY_CLASS, lane.mailbox_id])
        if lane.activity == Activity.LIVE:
            cursor.execute("SELECT lease_until FROM sync_lane WHERE id = %s AND fence = %s", [lane.pk, lane.fence])
            row = cursor.fetchone()
            if row and row[0] is not None and row[0] - now() > LEASE / 2:
                return
    renew(lane)


def renew(lane: Lane) -> None:
    """A longer lease. Raises ``LeaseLost`` when it is no longer ours or was given back: a late heartbeat must not keep
    the mailbox from the next."""
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [now() + LEASE, lane.pk, lane.fence])
        if not cursor.rowcount:
            raise LeaseLost(str(lane))


_RENEW = "UPDATE sync_lane SET lease_until = %s WHERE id = %s AND fence = %s AND lease_until IS NOT NULL"


def save(lane: Lane) -> None:
    """Store cursor and progress, in the transaction of the step they describe; most steps change neither."""
    if (described := _describe(lane)) != lane.saved:
        _owned(lane).update(cursor=lane.cursor, progress=lane.progress)
        lane.saved = described


def _describe(lane: Lane) -> str:
    return json.dumps([lane.cursor, lane.progress])


def finish(lane: Lane, *, next_due: datetime | None) -> None:
    """Give the lane back after a complete run. What was asked for meanwhile makes it due at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE sync_lane SET seen = %(seen)s, attempts = 0, failure = '', failure_detail = '',
                      due_at = CASE WHEN wanted > %(seen)s THEN %(now)s ELSE %(next)s END,
                      lease_until = NULL, lease_owner = '', finished_at = %(now)s
               WHERE id = %(id)s AND fence = %(fence)s""",
            {"seen": lane.wanted, "now": now(), "next": next_due, "id": lane.pk, "fence": lane.fence},
        )


def step_aside(lane: Lane) -> None:
    """Give the lane back in the middle of its work; it stays due."""
    _owned(lane).update(lease_until=None, lease_owner="", due_at=now())


def postpone(lane: Lane, *, due_at: datetime | None, failure: str, detail: str = "", attempt: bool = True) -> None:
    """Give the lane back after a failure, to be tried again at ``due_at`` (None: not before somebody asks)."""
    _owned(lane).update(
        lease_until=None,
        lease_owner="",
        due_at=due_at,
        failure=failure,
        failure_detail=detail[:400],
        attempts=lane.attempts + 1 if attempt else lane.attempts,
        finished_at=now(),
    )


def must_stop(lane: Lane) -> bool:
    """True when the run should give the lane back after this step: paused, mailbox gone, or a more urgent lane due."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT l.paused OR m.state <> ALL(%(states)s)
                      OR EXISTS (SELECT 1 FROM sync_lane o WHERE o.mailbox_id = l.mailbox_id
                                 AND o.priority < l.priority AND NOT o.paused AND o.due_at <= %(now)s)
               FROM sync_lane l JOIN mailboxes_mailbox m ON m.id = l.mailbox_id WHERE l.id = %(id)s""",
            {"states": list(_WORKING_STATES), "now": now(), "id": lane.pk},
        )
        row = cursor.fetchone()
    return row is None or bool(row[0])


def set_paused(mailbox_id: int, activity: str, paused: bool) -> None:
    Lane.objects.filter(mailbox_id=mailbox_id, activity=activity).update(paused=paused)
    if not paused:
        want(mailbox_id, activity)


def _owned(lane: Lane) -> Any:
    return Lane.objects.filter(pk=lane.pk, fence=lane.fence)
