"""Mail as a synced resource: what happens in each lane (design.md section 3).

backfill   folders -> the newest hundred -> spine of every folder -> bodies, newest first -> what is still missing
live       messages the provider named -> folders whose delta is due -> (folder tree when something is unknown)
coverage   nightly: the provider's counts and ids against ours

Each generator talks to the provider between its yields and yields the work of one transaction.
"""

from collections.abc import Callable, Mapping

from postroom.mail import outbox as waiting
from postroom.mail import sending
from postroom.mail.sync import backfill, categories, coverage, drafts, folder_changes, live, one_way, outgoing
from postroom.mail.sync.states import RESOURCE
from postroom.sync.contract import Run, Steps
from postroom.sync.models import Activity, OutboxEntry

Kind = OutboxEntry.Kind


class Mail:
    name = RESOURCE

    def activities(self) -> Mapping[str, Callable[[Run], Steps]]:
        return {
            Activity.OUTBOX: outbox,
            Activity.LIVE: follow,
            Activity.BACKFILL: backfill.backfill,
            Activity.COVERAGE: coverage.coverage,
        }

    def one_way(self) -> Mapping[str, Callable[[Run], Steps]]:
        return {Activity.OUTBOX: one_way.outbox, Activity.LIVE: one_way.live}


resource = Mail()


# What people sent first, then what they changed; folders before the mail that goes into them.
_OUTGOING: tuple[tuple[Callable[[Run], Steps], frozenset[str]], ...] = (
    (sending.send_due, frozenset({Kind.SEND})),
    (drafts.carry_out, frozenset({Kind.DRAFT})),
    (folder_changes.carry_out, frozenset({Kind.FOLDER})),
    (outgoing.carry_out, frozenset(waiting.OF_MESSAGES)),
    (categories.carry_out, frozenset({Kind.CATEGORY})),
)


def outbox(run: Run) -> Steps:
    """Carry out every kind of entry that waits; what is noted meanwhile has asked for a run of its own."""
    rows = OutboxEntry.objects.filter(mailbox=run.mailbox, state__in=OutboxEntry.OPEN)
    kinds = set(rows.values_list("kind", flat=True).distinct())
    for part, served in _OUTGOING:
        if kinds & served:
            yield from part(run)


def follow(run: Run) -> Steps:
    """What changed in the mail, then in the list of categories."""
    yield from live.live(run)
    yield from categories.follow(run)
