"""What goes wrong, and what time and workers do meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Connection, Mailbox
from postroom.providers.errors import ProviderError, ReauthNeeded, Throttled, Transient
from postroom.sync import lanes
from tests.simulation.workers import Worker
from tests.simulation.world import OWN, Posted, World

READS = ("folders", "roles", "spine", "pull", "get", "count")
WRITES = ("apply", "create_draft", "send", "find_sent", "subscribe", "renew")

# --- workers -------------------------------------------------------------------------------------------------------


def work(world: World, rng: Random) -> str:
    """A worker goes on with what it does, or begins with what is due, as the sweep or a wake-up would have it."""
    worker = _awake(world, rng)
    if worker is None or not (worker.busy or _begin(world, worker, rng)):
        return ""
    mailbox_id, moments = worker.mailbox_id, rng.choice([1, 3, 6, 12, 40, 400])
    world.workers.run(worker, moments)
    world.collect(timedelta(seconds=rng.choice([0, 0, 1, 5, 60])))
    end = "" if worker.busy else ", done"
    return f"worker {worker.number} passes up to {moments} moments of mailbox {mailbox_id}{end}"


def kill(world: World, rng: Random) -> str:
    """A worker dies within its next moments, before or after what it does there."""
    return _doom(world, rng, "kill")


def lose_database(world: World, rng: Random) -> str:
    """A worker's connection breaks within its next moments."""
    return _doom(world, rng, "cut")


def _doom(world: World, rng: Random, how: str) -> str:
    worker = _awake(world, rng)
    if worker is None or not (worker.busy or _begin(world, worker, rng)):
        return ""
    worker.how, worker.fate = how, rng.randint(1, 40)
    number = worker.fate
    if rng.random() < 0.7:
        world.workers.run(worker, number + 3)
    world.collect()
    return f"worker {worker.number}: {how} at moment {number}"


def restart_database(world: World, rng: Random) -> str:
    world.workers.drop_connections()
    return "the database restarts"


def freeze(world: World, rng: Random) -> str:
    """A worker stands still for long enough to lose its lease, or comes back to life as a stale owner."""
    busy = [one for one in world.workers.all if one.busy]
    if not busy:
        return ""
    worker = rng.choice(busy)
    worker.frozen = not worker.frozen
    if worker.frozen and rng.random() < 0.7:
        world.advance(timedelta(seconds=11))
    return f"worker {worker.number} {'stands still' if worker.frozen else 'goes on after standing still'}"


def _awake(world: World, rng: Random) -> Worker | None:
    awake = [one for one in world.workers.all if not one.frozen]
    busy = [one for one in awake if one.busy]
    return rng.choice(busy if busy and rng.random() < 0.7 else awake) if awake else None


def _begin(world: World, worker: Worker, rng: Random) -> bool:
    woken = [one.pk for one in world.mailboxes] if rng.random() < 0.3 else sorted(lanes.due())  # wakers do not look
    if not woken:
        return False
    worker.begin(rng.choice(woken))
    return True


# --- time ----------------------------------------------------------------------------------------------------------


def seconds(world: World, rng: Random) -> str:
    return _later(world, timedelta(seconds=rng.choice([1, 2, 3, 5, 10])))


def minutes(world: World, rng: Random) -> str:
    return _later(world, timedelta(minutes=rng.choice([1, 6, 20])))


def hours(world: World, rng: Random) -> str:
    return _later(world, timedelta(hours=rng.choice([1, 7, 25])))


def forty_days(world: World, rng: Random) -> str:
    return _later(world, timedelta(days=40), beat=False)


def backwards(world: World, rng: Random) -> str:
    return _later(world, -timedelta(seconds=rng.choice([1, 5, 90])), beat=False)


def _later(world: World, by: timedelta, *, beat: bool = True) -> str:
    world.advance(by, beat=beat)
    return f"{by.total_seconds():+.0f} s"


# --- notifications -------------------------------------------------------------------------------------------------


def notify(world: World, rng: Random) -> str:
    """What is due arrives, in order or not."""
    world.collect(timedelta(seconds=rng.choice([0, 0, 0, 2, 30, 180])))
    there = [one for one in world.posted if one.at <= world.held.at]
    if not there:
        return ""
    if rng.random() < 0.3:
        rng.shuffle(there)
    some = there[: rng.choice([1, 3, len(there)])]
    doubled = [*some, rng.choice(some)] if rng.random() < 0.2 else some
    if rng.random() < 0.08:
        return _die_of(world, doubled, rng)
    ours = world.deliver(doubled)
    return f"{len(doubled)} notifications arrive, {ours} for us"


def _die_of(world: World, some: list[Posted], rng: Random) -> str:
    """The web process dies while it takes them in. The provider got no answer and tells them again."""
    web = world.workers.web
    web.do(lambda: world.deliver(some))
    web.how, web.fate = "kill", rng.randint(1, 10)
    world.workers.run(web)
    return f"{len(some)} notifications arrive, the web process {'lives' if web.done else 'dies of them'}"


def lose(world: World, rng: Random) -> str:
    """Notifications get lost, and the provider says so (graph.md 3: ``missed``)."""
    world.collect()
    box = world.box(rng.choice(world.mailboxes))
    there = [one for one in world.posted if one.address == box.address and not one.lifecycle]
    some = rng.sample(there, min(len(there), rng.choice([1, 5, 100])))
    if not some:
        return ""
    world.posted = [one for one in world.posted if one not in some]
    box.subscriptions.post(lifecycle="missed")
    world.collect(timedelta(seconds=rng.choice([0, 5, 60])))
    return f"{len(some)} notifications for {box.address} get lost, and the provider says so"


def lose_silently(world: World, rng: Random) -> str:
    world.collect()
    some = rng.sample(world.posted, min(len(world.posted), rng.choice([1, 5])))
    if not some or world.honest:
        return ""
    world.silent = True
    world.posted = [one for one in world.posted if one not in some]
    return f"{len(some)} notifications get lost, and nobody says so"


def end_subscription(world: World, rng: Random) -> str:
    box = world.box(rng.choice(world.mailboxes))
    if not box.subscriptions.living:
        return ""
    box.subscriptions.end()
    world.collect()
    return f"the subscription of {box.address} ends"


def ask_for_renewal(world: World, rng: Random) -> str:
    box = world.box(rng.choice(world.mailboxes))
    box.subscriptions.post(lifecycle="reauthorizationRequired")
    world.collect()
    return f"the subscription of {box.address} shall be renewed"


# --- the provider's bad days ---------------------------------------------------------------------------------------


def fail(world: World, rng: Random) -> str:
    """A call fails, before or after it did what it was asked."""
    after = rng.random() < 0.5
    error = Transient("a bad moment", maybe_done=after, retry_after=rng.choice([None, None, 3.0]))
    return _fault(world, rng, lambda: error, on=rng.choice([*READS, *WRITES, *WRITES, ""]), after=after)


def throttle(world: World, rng: Random) -> str:
    error = Throttled("slow down", retry_after=rng.choice([0.5, 10.0, 120.0]))
    return _fault(world, rng, lambda: error, on=rng.choice([*READS, *WRITES, ""]))


def _fault(world: World, rng: Random, error: Callable[[], ProviderError], *, on: str, after: bool = False) -> str:
    box, times = world.box(rng.choice(world.mailboxes)), rng.choice([1, 1, 2, 6])
    box.fail_next(error(), on=on, times=times, after=after)
    when = "after it was done" if after else "before anything is done"
    return f"the next {times} calls of {on or 'anything'} in {box.address} fail {when}: {type(error()).__name__}"


def expire(world: World, rng: Random) -> str:
    """Every cursor of a mailbox is forgotten (410)."""
    box = world.box(rng.choice(world.mailboxes))
    box.expire_cursors()
    return f"cursors of {box.address} are forgotten"


def protect(world: World, rng: Random) -> str:
    box = world.box(rng.choice(world.mailboxes))
    if not box.messages:
        return ""
    found = rng.choice(list(box.messages))
    box.protected.add(found)
    return f"{found} of {box.address} refuses changes"


def spoil(world: World, rng: Random) -> str:
    box = world.box(rng.choice(world.mailboxes))
    found = box.deliver(subject="Odd", from_="robot@contoso.example")
    box.spoil(found)
    return f"{found} arrives in {box.address} and cannot be read"


def withdraw(world: World, rng: Random) -> str:
    if world.mailboxes[-1].kind != Mailbox.Kind.SHARED:
        return ""
    box = world.box(world.mailboxes[-1])
    box.withdrawn = not box.withdrawn
    return f"access to {box.address} is {'withdrawn' if box.withdrawn else 'given back'}"


# --- the grant -----------------------------------------------------------------------------------------------------


def end_sign_in(world: World, rng: Random) -> str:
    address, reason = rng.choice(OWN), rng.choice(["expired", "password", "claims", "claims"])
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}' if reason == "claims" else ""
    world.memory.accounts.end(address, ReauthNeeded("sign in again", reason=reason, claims=claims))
    return f"{address} must sign in again ({reason})"


def sign_in(world: World, rng: Random) -> str:
    connection = rng.choice(list(Connection.objects.order_by("pk")))
    return f"{connection.address} signs in" if signed_in(world, connection) else f"{connection.address} is refused"


def signed_in(world: World, connection: Connection) -> bool:
    """A member presses Reconnect; the challenge that ended the grant goes along (product.md CN5)."""
    try:
        grant = world.memory.accounts.sign_in(connection.address, claims=connection.failure_claims)
    except ReauthNeeded:
        return False
    lifecycle.reconnect(connection, grant)
    return True
