"""What a synced resource supplies to the engine, and what the engine supplies to it.

A resource (mail; later calendars, contacts …) is a table ``Activity -> function``. Such a function is a generator:
between its yields it talks to the provider, and each ``yield`` hands the engine a piece of work that the engine
carries out in one fenced transaction. So network and database never mix, a page is stored together with the cursor
that covers it (product.md SY15), and the engine can stop a run after any step: pause, a more urgent lane, SIGTERM.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings

from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import MailSource
from postroom.sync.models import Activity, Lane

Work = Callable[[], None]
Steps = Iterator[Work]


@dataclass(slots=True)
class Tally:
    """What a run has done so far; shown by "Sync now" and the mailbox card."""

    new: int = 0
    changed: int = 0
    removed: int = 0
    requests: int = 0

    def add(self, *, new: int = 0, changed: int = 0, removed: int = 0) -> None:
        self.new += new
        self.changed += changed
        self.removed += removed

    def as_dict(self) -> dict[str, int]:
        return {"new": self.new, "changed": self.changed, "removed": self.removed, "requests": self.requests}


@dataclass(slots=True)
class Run:
    """One lease on one lane. ``next_due`` is when the lane wants to run again if nobody asks earlier."""

    lane: Lane
    mailbox: Mailbox
    source: MailSource
    tally: Tally = field(default_factory=Tally)
    next_due: datetime | None = None

    @property
    def cursor(self) -> dict[str, object]:
        return cast(dict[str, object], self.lane.cursor)

    @property
    def progress(self) -> dict[str, object]:
        return cast(dict[str, object], self.lane.progress)

    def due_by(self, at: datetime | None) -> None:
        """Ask to run again no later than ``at``."""
        if at is not None and (self.next_due is None or at < self.next_due):
            self.next_due = at


class Halted(Exception):
    """Raised by a step to say: not even this may be applied. The step is rolled back, the run ends with the steps of
    ``aftermath``, and the lane stays due."""

    def aftermath(self, run: Run) -> Steps:
        return iter(())


class Resource(Protocol):
    name: str

    def activities(self) -> Mapping[str, Callable[[Run], Steps]]:
        """What this resource does in which lane."""
        ...

    def one_way(self) -> Mapping[str, Callable[[Run], Steps]]:
        """The same for a mailbox from which nothing is pulled (product.md CN11)."""
        ...


def resources() -> list[Resource]:
    """The synced resources, from the readable list ``settings.SYNCED_RESOURCES`` ("module:attribute")."""
    found = []
    for path in settings.SYNCED_RESOURCES:
        module, _, name = path.partition(":")
        found.append(cast(Resource, getattr(import_module(module), name)))
    return found


def steps(run: Run) -> Steps:
    """The work of a lane: that of every resource that takes part in it, one after the other."""
    one_way = run.mailbox.direction == Mailbox.Direction.ONE_WAY
    for resource in resources():
        table = resource.one_way() if one_way else resource.activities()
        activity = table.get(Activity(run.lane.activity))
        if activity is not None:
            yield from activity(run)
