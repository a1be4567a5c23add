"""Rest: nothing goes wrong any more, and time passes until nothing is left to do.

Two questions on the way: is the mirror true as soon as push alone could make it so (only where every lost notification
was owned up to), and is everything true once each folder was looked at?
"""

from __future__ import annotations

from datetime import datetime, timedelta

from postroom.lib.clock import now
from postroom.mailboxes import hooks, lifecycle
from postroom.mailboxes.models import Connection, Mailbox
from postroom.sync import lanes
from postroom.sync.models import Activity, Lane
from tests.simulation import trouble
from tests.simulation.invariants import untrue
from tests.simulation.world import World

ROUNDS = 300
POLL = timedelta(minutes=6)  # the longest that a mailbox without push waits for its next look, by a clock that goes on
DAY = timedelta(hours=26)


def come_to_rest(world: World, told: list[str]) -> list[str]:
    """What is wrong on the way; the rest is for ``invariants.violations``."""
    _mend(world)
    if wrong := settle(world):
        return wrong
    told.append(f"{world.held.at:%d.%m. %H:%M:%S}  at rest")
    if not world.silent and (wrong := untrue(world)):
        return [f"after push: {one}" for one in wrong]
    if world.silent:
        _days_pass(world)
    for mailbox in world.mailboxes:
        hooks.sync_now(Mailbox.objects.get(pk=mailbox.pk))
    return settle(world)


def _mend(world: World) -> None:
    """Faults end, members do what only they can, workers come to their end."""
    for box in world.boxes():
        box.recover()
    for worker in world.workers.all:
        worker.frozen, worker.fate = False, 0
        world.workers.run(worker)
    for connection in Connection.objects.order_by("pk"):
        if connection.failure in lanes.BLOCKING_FAILURES:
            trouble.signed_in(world, connection)
    for mailbox in Mailbox.objects.order_by("pk"):
        if mailbox.state == Mailbox.State.PAUSED:
            lifecycle.resume(mailbox)
        if not mailbox.history:
            lifecycle.choose_history(mailbox, Mailbox.History.ALL)


def _days_pass(world: World) -> None:
    """Long enough for what happens once a day, twice."""
    for _ in range(3):
        world.advance(DAY)
        settle(world)


def settle(world: World) -> list[str]:
    """Run what is due and go on in time to what will be, until only the daily things are left."""
    polled = now() + POLL + world.skew  # a clock that was set back makes what is planned so much later
    for _ in range(ROUNDS):
        did = _run_due(world) + _sign_in_where_asked(world)
        at = _next(world, polled)
        if at is None or (at <= now() and not did):
            return _stuck()
        world.advance(max(at - now(), timedelta(0)) + timedelta(milliseconds=1), beat=False)
    return ["it does not come to rest", *map(_told, _lanes())]


def _run_due(world: World) -> int:
    world.collect()
    did = len(world.posted)
    world.deliver(world.posted)
    worker = world.workers.all[0]
    for mailbox_id in sorted(lanes.due()):
        worker.begin(mailbox_id)
        world.workers.run(worker)
        did += 1
    world.collect()
    return did


def _sign_in_where_asked(world: World) -> int:
    """A dead grant is found out about when it is used."""
    asked = list(Connection.objects.exclude(failure="").order_by("pk"))
    return sum(trouble.signed_in(world, connection) for connection in asked)


def _told(lane: Lane) -> str:
    box = lane.mailbox
    state = f"mailbox {box.state} {box.failure} {box.failure_detail}"
    return (
        f"{lane} at {now()}: due {lane.due_at}, lease {lane.lease_until}, {lane.failure} {lane.failure_detail}; {state}"
    )


def _next(world: World, polled: datetime) -> datetime | None:
    """When there is something to do again that is not merely a daily look."""
    if world.posted:
        return now()
    lanes_now = _lanes()
    held: dict[int, datetime] = {}
    for lane in lanes_now:
        if lane.lease_until is not None:  # its owner is dead
            held[lane.mailbox_id] = max(lane.lease_until, held.get(lane.mailbox_id, lane.lease_until))
    moments = list(held.values())
    for lane in lanes_now:
        if lane.due_at is None or lane.paused:
            continue
        waiting = lane.failure or lane.activity in (Activity.OUTBOX, Activity.BACKFILL)
        soon = max(now() + timedelta(seconds=10), polled) if lane.activity == Activity.LIVE else now()
        if waiting or lane.due_at <= soon:
            moments.append(max(lane.due_at, held.get(lane.mailbox_id, lane.due_at)))
    return min(moments, default=None)


def _lanes() -> list[Lane]:
    return list(Lane.objects.select_related("mailbox").order_by("pk"))


def _stuck() -> list[str]:
    found = []
    for lane in _lanes():
        for wrong, what in (
            (lane.failure, "has failed"),
            (lane.lease_until is not None, "is held by nobody"),
            (lane.due_at is not None and lane.due_at <= now(), "is due and nobody comes"),
            (lane.due_at is None and lane.activity in _DAILY, "will never run again"),
            (lane.wanted > lane.seen and lane.activity != Activity.BACKFILL, "was asked for and did not run"),
        ):
            if wrong:
                found.append(f"{what}: {_told(lane)}")
    return found


_DAILY = (Activity.LIVE, Activity.RENEWAL, Activity.COVERAGE)
