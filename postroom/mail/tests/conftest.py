"""A mailbox of the in-process provider, connected to a workspace; ``settle`` runs the engine until nothing is due."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from postroom.accounts.models import User
from postroom.lib import clock
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.sync import lanes, runner
from postroom.sync.models import Lane
from postroom.workspaces.models import FIRST_ROLES, Membership, Role, Workspace

ADDRESS = "adele@northwind.example"


@pytest.fixture
def member(db: None, settings: Any) -> Membership:
    settings.POSTROOM_PUBLIC_URL = "https://crm.northwind.example"  # where push could reach us
    workspace = Workspace.objects.create(name="Northwind", slug="northwind")
    role = Role.objects.create(workspace=workspace, name="Admin", permissions=FIRST_ROLES["Admin"])
    user = User.objects.create_user(email=ADDRESS, password="long-enough-word")
    return Membership.objects.create(workspace=workspace, user=user, role=role)


@pytest.fixture
def box() -> Iterator[Box]:
    """The mailbox at the provider."""
    memory = connector("memory")
    memory.clear()  # type: ignore[attr-defined]
    yield memory.mailbox(ADDRESS)  # type: ignore[attr-defined]
    memory.clear()  # type: ignore[attr-defined]


@pytest.fixture
def connect(member: Membership, box: Box) -> Callable[..., Mailbox]:
    """Connect the mailbox with a history (a value of ``Mailbox.History``, or "" for the question left open)."""

    def connected(history: str = "all") -> Mailbox:
        grant = connector("memory").authority().grant(ADDRESS)  # type: ignore[attr-defined]
        mailbox = lifecycle.connect(member, "memory", grant)
        if history:
            lifecycle.choose_history(mailbox, Mailbox.History(history))
        return mailbox

    return connected


@pytest.fixture
def mailbox(connect: Callable[..., Mailbox]) -> Mailbox:
    return connect()


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Mailbox], int]]:
    """Run everything that is due now or comes due within ``ahead``, moving the clock instead of waiting."""
    monkeypatch.setattr(lanes, "wake", lambda *mailbox_ids: None)
    monkeypatch.setattr(runner, "Heartbeat", _NoHeartbeat)
    with clock.frozen() as held:

        def run(mailbox: Mailbox, *, ahead: timedelta = timedelta(minutes=1)) -> int:
            until, runs = held.at + ahead, 0
            while True:
                made = runner.run_mailbox(mailbox.pk)
                runs += made
                due = Lane.objects.filter(mailbox=mailbox, paused=False, due_at__lte=until).order_by("due_at").first()
                if due is None or due.due_at is None or runs > 500 or (not made and due.due_at <= held.at):
                    return runs  # nothing due, or nobody may do it: a mailbox that waits for a person
                held.at = max(held.at, due.due_at)

        yield run


class _NoHeartbeat:
    """Tests run in one thread and one transaction; a lease cannot be renewed from another."""

    def __init__(self, lane: Lane) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...
