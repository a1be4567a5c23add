"""The live lane: what the provider named to us, then every folder whose delta is due."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from postroom.lib.clock import now
from postroom.mail import backlog
from postroom.mail.sync.asking import ask
from postroom.mail.sync.backfill import spines
from postroom.mail.sync.following import follow
from postroom.mail.sync.states import RESOURCE, Phase, folder_states
from postroom.mail.sync.taking import read, take
from postroom.mail.sync.tree import folder_tree, unknown_folders
from postroom.mailboxes.models import Failure
from postroom.providers.contract import FolderRole, Gone, RemoteMessage, Unusable, Urgency
from postroom.sync import quarantine, schedule, silence
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, Notification, SyncState
from postroom.sync.push import is_on as push_is_on

NAMED_AT_ONCE = 200  # messages asked for one by one; when more are named, deltas say it with fewer requests
SETTLE = timedelta(seconds=2)  # push makes it fast, a delta of the touched folders soon after makes it true


def live(run: Run) -> Steps:
    """Take in what was named to us, then follow every folder whose delta is due."""
    if run.lane.failure == Failure.ACCESS_LOST:  # hours, perhaps: the next looks were planned by runs that were cut off
        yield _look_everywhere(run, ())
    yield from _named(run)
    yield from folder_tree(run)
    yield from _set_aside(run)
    if run.mailbox.history and run.mailbox.lanes.filter(activity=Activity.BACKFILL, paused=True).exists():
        yield from spines(run)  # new mail goes on arriving, also in folders that the history had not come to
    due = _due_folders(run)
    for state in due:
        yield from follow(run, state)
    _schedule(run, looked_at=[state.scope for state in due])


def _named(run: Run) -> Steps:
    waiting = Notification.objects.filter(mailbox=run.mailbox).order_by("id")
    rows = list(waiting.values_list("pk", "remote_id", "change"))
    if not rows:
        return
    # Just these: what comes meanwhile is the next run's, also what got an earlier number and was committed later.
    told = [pk for pk, _, _ in rows]
    named = list(dict.fromkeys(remote_id for _, remote_id, _ in rows if remote_id))
    if len(named) > NAMED_AT_ONCE or any(change == Notification.EVERYTHING for _, _, change in rows):
        yield _look_everywhere(run, told)
        return
    answers = ask(run, named, urgency=Urgency.PUSH, missing_bodies=True)
    yield from unknown_folders(run, answers)
    yield _take_named(run, told, answers)


def _look_everywhere(run: Run, told: Sequence[int]) -> Work:
    """More was told than is worth asking for one by one, or nobody could listen: every folder's delta says it all."""

    def work() -> None:
        SyncState.objects.filter(mailbox=run.mailbox).update(due_at=now())
        Notification.objects.filter(pk__in=told).delete()

    return work


def _take_named(run: Run, told: Sequence[int], answers: Sequence[RemoteMessage | Gone | Unusable]) -> Work:
    batch = read(run, answers)

    def work() -> None:
        touched = take(run, batch)
        if touched:  # not put off by what is told meanwhile: a storm must not keep the delta away
            soon = now() + SETTLE
            followed = folder_states(run).filter(scope__in=touched, phase=Phase.FOLLOWING)
            followed.exclude(due_at__lte=soon).update(due_at=soon)
        Notification.objects.filter(pk__in=told).delete()

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
        take(run, batch)  # sets aside again what still cannot be read
        quarantine.release_tried(run.mailbox, RESOURCE, ids)

    return work


def _due_folders(run: Run) -> list[SyncState]:
    """Where somebody looks first comes first."""
    due = folder_states(run).filter(phase__in=[Phase.FOLLOWING, Phase.RELISTING], due_at__lte=now())
    roles = backlog.folder_roles(run.mailbox)
    return sorted(due, key=lambda state: (_LIVELINESS.get(roles.get(state.scope, ""), 2), state.pk))


def _schedule(run: Run, *, looked_at: Collection[str]) -> None:
    """When to run again: the daily delta with push on, an adaptive interval without it or in doubt (SY7, SY11)."""
    followed = [Phase.FOLLOWING, Phase.RELISTING]  # the others are the backfill's to list first
    if not push_is_on(run.mailbox):
        _poll(run, schedule.poll_interval(run.mailbox.viewed_at, now()), looked_at)
    elif silence.in_doubt(run.mailbox, now()):
        _poll(run, schedule.DOUBT, looked_at)
    states = SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, due_at__isnull=False, phase__in=followed)
    for due in states.order_by("due_at").values_list("due_at", flat=True)[:1]:
        run.due_by(due)


def _poll(run: Run, interval: timedelta, looked_at: Collection[str]) -> None:
    """Plan the next looks: at the liveliest folders each time, at the others in turn, at the tree now and then."""
    run.due_by(now() + interval)  # also while no folder is followed yet
    followed = folder_states(run).filter(phase=Phase.FOLLOWING)
    due = dict(followed.values_list("scope", "due_at"))
    roles = backlog.folder_roles(run.mailbox)
    lively = sorted(due, key=lambda scope: (_LIVELINESS.get(roles.get(scope, ""), 2), scope))
    plan = schedule.poll_plan(lively, due, interval, now(), looked_at=looked_at)
    by_moment: dict[datetime, list[str]] = {}
    for scope, moment in plan.items():
        by_moment.setdefault(moment, []).append(scope)
    for moment, scopes in by_moment.items():
        followed.filter(scope__in=scopes).exclude(due_at=moment).update(due_at=moment)
    tree = now() + max(interval, schedule.TREE)
    SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, scope="", due_at__gt=tree).update(due_at=tree)


# Where something new is most likely seen first; folders people made stand between.
_LIVELINESS: dict[str, int] = {
    FolderRole.INBOX: 0,
    FolderRole.SENT: 1,
    FolderRole.DRAFTS: 1,
    FolderRole.ARCHIVE: 3,
    FolderRole.JUNK: 4,
    FolderRole.DELETED: 4,
}
