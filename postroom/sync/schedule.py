"""When to look without being told: once a day with push on, often without (product.md SY7, SY11). All of it is pure.

The day: every listing has a moment of the day of its own, made from its mailbox and its name. So a thousand mailboxes,
and the folders of one, come one by one, whenever they were connected, resumed or looked at last.

Without push: seconds while somebody reads in the mailbox, minutes when nobody does, and never more than a share of what
the provider allows: of many folders the liveliest are looked at each time and the others in turn.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from postroom.providers.budget import REQUESTS, WINDOW

DAY = timedelta(hours=24)
LATELY = timedelta(minutes=30)  # a listing looked at so short a time ago waits for its moment of the next day

QUICK, RECENT, IDLE = timedelta(seconds=4), timedelta(minutes=1), timedelta(minutes=5)
LOOKED_AT_WITHIN, LOOKED_AT_LATELY = timedelta(minutes=3), timedelta(minutes=30)
DOUBT = timedelta(minutes=4)  # between two looks while push may have gone silent; well above ``silence.GRACE``
TREE = timedelta(minutes=1)  # new folders are rarer than new mail
SHARE = 0.4  # of the provider's allowance, for looking; the rest is for what the looking brings, and for people
IN_TURN = 0.25  # of the requests of one look, for the folders that are not looked at each time


def next_daily(mailbox_id: int, scope: str, at: datetime) -> datetime:
    """The next of the daily moments of one listing, not before ``LATELY`` has passed."""
    digest = blake2b(f"{mailbox_id}/{scope}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    moment = DAY * (int.from_bytes(digest) / 2**64)
    earliest = at + LATELY
    midnight = earliest.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = midnight + moment
    return found if found >= earliest else found + DAY


def poll_interval(viewed_at: datetime | None, at: datetime) -> timedelta:
    """Between two looks at a mailbox that nobody tells us about."""
    if viewed_at is None or at - viewed_at >= LOOKED_AT_LATELY:
        return IDLE
    return QUICK if at - viewed_at < LOOKED_AT_WITHIN else RECENT


def poll_plan(
    liveliest_first: Sequence[str],
    due: Mapping[str, datetime | None],
    interval: timedelta,
    at: datetime,
    *,
    looked_at: Collection[str] = (),
) -> dict[str, datetime]:
    """When to look at each folder again. ``due``: what was planned; ``looked_at``: those that had their turn just now.

    Looks come every ``interval``; the folders that do not fit into each of them take turns.
    """
    room = max(4, int(SHARE * REQUESTS / WINDOW * interval.total_seconds()))
    if len(liveliest_first) <= room:
        return {scope: _sooner(due.get(scope), at + interval) for scope in liveliest_first}
    in_turn = max(1, int(room * IN_TURN))
    each_time, others = liveliest_first[: room - in_turn], liveliest_first[room - in_turn :]
    plan = {scope: _sooner(due.get(scope), at + interval) for scope in each_time}
    turn = -(-len(others) // in_turn) * interval  # until all of them were looked at
    for place, scope in enumerate(others):
        planned = due.get(scope)
        if scope in looked_at:
            plan[scope] = at + turn
        elif planned is None or planned > at + turn:
            plan[scope] = at + (1 + place // in_turn) * interval
        else:
            plan[scope] = planned
    return plan


def _sooner(planned: datetime | None, at: datetime) -> datetime:
    """What is planned already is not put off."""
    return at if planned is None else min(planned, at)
