"""The live lane: what the provider named to us, then every folder whose delta is due."""

from collections.abc import Sequence
from datetime import timedelta

from postroom.lib.clock import now
from postroom.mail.sync.following import follow
from postroom.mail.sync.states import RESOURCE, Phase, folder_states
from postroom.mail.sync.taking import read, take
from postroom.mail.sync.tree import folder_tree, unknown_folders
from postroom.providers.contract import Gone, RemoteMessage, Unusable, Urgency
from postroom.sync import quarantine
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Notification, SyncState
from postroom.sync.push import is_on as push_is_on
from postroom.sync.schedule import poll_interval

NAMED_AT_ONCE = 200  # notifications taken in one step
SETTLE = timedelta(seconds=2)  # push makes it fast, a delta of the touched folders soon after makes it true


def live(run: Run) -> Steps:
    """Take in what was named to us, then follow every folder whose delta is due."""
    yield from _named(run)
    yield from folder_tree(run)
    yield from _set_aside(run)
    for state in _due_folders(run):
        yield from follow(run, state)
    _schedule(run)


def _named(run: Run) -> Steps:
    while True:
        rows = list(Notification.objects.filter(mailbox=run.mailbox).order_by("id")[:NAMED_AT_ONCE])
        if not rows:
            return
        ids = list(dict.fromkeys(row.remote_id for row in rows if row.remote_id))
        answers = run.source.get(ids, urgency=Urgency.PUSH) if ids else []
        yield from unknown_folders(run, answers)
        yield _take_named(run, rows, answers)


def _take_named(run: Run, rows: Sequence[Notification], answers: Sequence[RemoteMessage | Gone | Unusable]) -> Work:
    batch = read(run, answers)

    def work() -> None:
        touched = take(run, batch)
        if touched:
            folder_states(run).filter(scope__in=touched, phase=Phase.FOLLOWING).update(due_at=now() + SETTLE)
        Notification.objects.filter(pk__in=[row.pk for row in rows]).delete()

    return work


def _set_aside(run: Run) -> Steps:
    """Ask once more for what an older version of Postroom could not read (SY15); what fails again waits."""
    ids = quarantine.retry(run.mailbox, RESOURCE)
    for start in range(0, len(ids), NAMED_AT_ONCE):
        some = ids[start : start + NAMED_AT_ONCE]
        answers = run.source.get(some, urgency=Urgency.DELTA)
        yield from unknown_folders(run, answers)
        yield _take_set_aside(run, some, answers)


def _take_set_aside(run: Run, ids: list[str], answers: Sequence[RemoteMessage | Gone | Unusable]) -> Work:
    batch = read(run, answers)

    def work() -> None:
        quarantine.release(run.mailbox, RESOURCE, ids)
        take(run, batch)  # sets aside again what still cannot be read

    return work


def _due_folders(run: Run) -> list[SyncState]:
    return list(folder_states(run).filter(phase__in=[Phase.FOLLOWING, Phase.RELISTING], due_at__lte=now()))


def _schedule(run: Run) -> None:
    """When to run again: the daily delta with push on, an adaptive interval without (SY7, SY11)."""
    followed = [Phase.FOLLOWING, Phase.RELISTING]  # the others are the backfill's to list first
    states = SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, due_at__isnull=False, phase__in=followed)
    for due in states.order_by("due_at").values_list("due_at", flat=True)[:1]:
        run.due_by(due)
    if not push_is_on(run.mailbox):
        wait = poll_interval(run.mailbox, now())
        folder_states(run).filter(phase=Phase.FOLLOWING).update(due_at=now() + wait)
        run.due_by(now() + wait)
