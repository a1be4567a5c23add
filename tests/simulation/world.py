"""The company of a history: a workspace, its mailboxes on both sides, a clock that only moves when told, workers."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.db import connection, connections, transaction

from postroom.accounts.models import User
from postroom.lib import clock
from postroom.mail.checks import FolderCheck
from postroom.mail.models import Folder, Message, Thread
from postroom.mail.sync import backfill
from postroom.mailboxes import grants, hooks, lifecycle
from postroom.mailboxes.models import Connection, Mailbox
from postroom.mailboxes.session import budget_key
from postroom.providers import budget, registry
from postroom.providers.memory import Memory
from postroom.providers.memory.mailbox import Box
from postroom.sync import lanes, push, runner
from postroom.sync.models import Lane, Notification, OutboxEntry, SyncState
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership
from tests.simulation.ledger import Ledger
from tests.simulation.workers import Watched, Workers

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
OWN = ("ana@northwind.example", "ben@northwind.example")
SHARED = "sales@northwind.example"
OUTSIDE = tuple(f"{name}@contoso.example" for name in ("carla", "dirk", "edda"))


@dataclass
class Posted:
    """A notification on its way to us, with the moment at which it may arrive."""

    address: str
    body: bytes
    lifecycle: bool
    at: datetime


@dataclass
class World:
    """One history's state. ``held`` is the clock of Postroom; the provider's differs from it by ``skew``."""

    held: clock.Clock
    memory: Memory
    member: Membership
    workers: Workers
    mailboxes: list[Mailbox] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    skew: timedelta = timedelta(0)
    honest: bool = True  # whenever a notification gets lost, the provider says so
    silent: bool = False  # a notification was lost and nobody said so
    jumped: bool = False  # our clock went back: what is later is not certain any more
    ticks: float = 0.0
    _open: Callable[[Mailbox], Any] | None = None

    def box(self, mailbox: Mailbox) -> Box:
        return self.memory.mailbox(mailbox.address)

    def boxes(self) -> list[Box]:
        return [self.box(mailbox) for mailbox in self.mailboxes]

    def there(self) -> datetime:
        """The provider's time."""
        return self.held.at + self.skew

    def advance(self, by: timedelta, *, beat: bool = True) -> None:
        """Time passes. Both clocks go on; a backward jump is ours alone."""
        if by < timedelta(0):
            self.skew -= by
            self.jumped = True
        else:
            self.ticks += by.total_seconds()
        self.held.advance(by)
        if beat:
            self.workers.beat()

    def collect(self, delay: timedelta = timedelta(0)) -> None:
        """What the provider has posted is on its way from now on."""
        for box in self.boxes():
            for body in box.notifications():
                told = any(item.lifecycle for item in self.memory.notified(body))
                self.posted.append(Posted(box.address, body, told, self.held.at + delay))

    def deliver(self, some: list[Posted]) -> int:
        """Notifications reach our web process. Returns how many items were for us."""
        taken = {id(one) for one in some}
        ours = sum(push.take(self.memory.notified(one.body), provider="memory") for one in some)
        self.posted = [one for one in self.posted if id(one) not in taken]
        return ours


@contextmanager
def company(seed: int, *, workers: int = 3) -> Iterator[World]:
    """A fresh company; everything it did to the database is undone at the end."""
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        held = stack.enter_context(clock.frozen(START))
        stack.enter_context(_counting_from_one())
        stack.enter_context(_one_transaction())
        random.seed(seed)
        memory = registry.connector("memory")
        assert isinstance(memory, Memory)
        memory.clear()
        world = World(held=held, memory=memory, member=_member(), workers=Workers(workers))
        for hook in _hooks(world):
            stack.enter_context(hook)
        _mailboxes(world, seed)
        stack.enter_context(world.workers.watching())
        try:
            yield world
        finally:
            for worker in world.workers.all:
                world.workers.kill(worker)
            memory.clear()


_OUR_SEQUENCES = "^(accounts|workspaces|mailboxes|sync|mail|files|records|timeline)_"


@contextmanager
def _counting_from_one() -> Iterator[None]:
    """Ids as in every other telling of the story: moments of the day follow from them."""
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCES, [_OUR_SEQUENCES])
        before = [(name, last or 1, last is not None) for name, last in cursor.fetchall()]
    _count_on([(name, 1, False) for name, _, _ in before])
    try:
        yield
    finally:
        _count_on(before)


_SEQUENCES = """
SELECT format('%%I.%%I', schemaname, sequencename), last_value FROM pg_sequences WHERE sequencename ~ %s
"""


_COUNT_ON = """
SELECT setval(name::regclass, last, used) FROM unnest(%s::text[], %s::bigint[], %s::bool[]) AS s (name, last, used)
"""


def _count_on(sequences: list[tuple[str, int, bool]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_ON, [list(column) for column in zip(*sequences, strict=True)])


def sweep() -> None:
    """Between two histories: what the one that was undone left in the tables makes the next one slower and slower."""
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM {', '.join(model._meta.db_table for model in _WRITTEN_OFTEN)}")


_WRITTEN_OFTEN = (Lane, SyncState, OutboxEntry, Notification, Mailbox, Connection, Folder, FolderCheck, Message, Thread)


def _member() -> Membership:
    workspace = create_workspace("Northwind", slug="northwind-simulated")
    return add_member(workspace, User.objects.create_user(email=OWN[0], password=None), role="Admin")


def _mailboxes(world: World, seed: int) -> None:
    rng = random.Random(f"company {seed}")
    for address in OWN if seed % 3 else OWN[:1]:
        world.mailboxes.append(_own(world, address, rng))
    if seed % 3 == 0:
        world.mailboxes.append(_borrowed(world, world.mailboxes[0], rng))
    for mailbox in world.mailboxes:
        _furnish(world, world.box(mailbox), rng)


def _own(world: World, address: str, rng: random.Random) -> Mailbox:
    world.memory.mailbox(address)
    mailbox = lifecycle.connect(world.member, "memory", world.memory.accounts.grant(address))
    if history := rng.choice(["all", "all", "30d", "90d", ""]):
        lifecycle.choose_history(mailbox, Mailbox.History(history))
    return mailbox


def _borrowed(world: World, lender: Mailbox, rng: random.Random) -> Mailbox:
    world.memory.mailbox(SHARED)
    mailbox = Mailbox.objects.create(
        workspace_id=world.member.workspace_id,
        connection=lender.connection,
        owner=world.member,
        provider="memory",
        kind=Mailbox.Kind.SHARED,
        address=SHARED,
    )
    hooks.tell("connected", mailbox)
    lifecycle.choose_history(mailbox, Mailbox.History(rng.choice(["all", "30d"])))
    return mailbox


def _furnish(world: World, box: Box, rng: random.Random) -> None:
    """What is in a mailbox before Postroom sees it."""
    box.page, box.stale, box.now = rng.choice([5, 30, 50]), True, world.there
    for unused in ("outbox", "junk"):  # nothing happens there, and every folder costs a listing
        box.remove_folder(unused)
    folders = ["inbox", "archive", box.folder("Customers"), box.folder("Projects")]
    for number in range(rng.randint(4, 14)):
        box.deliver(
            subject=f"Before {number}",
            from_=rng.choice(OUTSIDE),
            folder=rng.choice(folders),
            received=world.held.at - timedelta(days=rng.choice([0, 1, 5, 20, 60, 200]), minutes=number),
            is_read=rng.random() < 0.5,
        )
    box.notifications()


# --- where the engine meets the real world -------------------------------------------------------------------------


def _hooks(world: World) -> Iterator[Any]:
    yield patch.object(lanes, "wake", lambda *mailbox_ids: None)
    yield patch.object(lanes, "soon", lambda mailbox_id: None)
    yield patch.object(grants, "_apart", lambda work: work())
    yield patch.object(backfill, "ThreadPoolExecutor", _Inline)
    yield patch.object(backfill, "NEWEST", 5)  # of mailboxes with a dozen messages the rest shall come as of large ones
    yield patch.object(settings, "POSTROOM_PUBLIC_URL", "https://crm.northwind.example")
    yield patch.object(budget, "_budgets", _Budgets(world))
    open_mail = runner.open_mail
    yield patch.object(runner, "open_mail", lambda mailbox: Watched(open_mail(mailbox), world.workers.moment))


class _Inline:
    """Reads ahead at once: in one thread there is no beside."""

    def __init__(self, *_: object, **__: object) -> None: ...
    def __enter__(self) -> _Inline:
        return self

    def __exit__(self, *_: object) -> None: ...
    def submit(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args))
        except Exception as trouble:
            done.set_exception(trouble)
        return done


class _Budgets(dict[str, budget.Budget]):
    """Budgets that count virtual time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def setdefault(self, key: str, default: Any = None) -> budget.Budget:
        if key not in self:
            self[key] = budget.Budget(clock=lambda: self._world.ticks, wait=_never)
        return self[key]


def _never(condition: object, seconds: float | None) -> None:
    raise AssertionError("nobody waits for a place in a simulation")


@contextmanager
def _one_transaction() -> Iterator[None]:
    outer = transaction.atomic()
    outer._from_testcase = True
    connections["default"].ensure_connection()
    outer.__enter__()
    try:
        yield
    finally:
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """The engine logs what goes wrong; here everything does, on purpose."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


__all__ = ["OUTSIDE", "OWN", "SHARED", "START", "Posted", "World", "budget_key", "company"]
