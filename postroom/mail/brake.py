"""After the brake tripped: find out what would happen, stop the mailbox, and carry out what a member decides."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from postroom.lib.clock import now
from postroom.lib.errors import new_reference
from postroom.mail.breaker import Leaving, What, classify, counted, sizes
from postroom.mail.checks import Brake, Kept
from postroom.mail.models import Folder, Message
from postroom.mailboxes.models import Failure, Mailbox
from postroom.providers.contract import Gone, RemoteMessage, Urgency
from postroom.providers.errors import NotFound
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Lane, SyncState
from postroom.workspaces.models import Membership

_ASK_AT_ONCE = 500
_VERBS = {What.REMOVED: "removed", What.BINNED: "moved to the bin", What.MOVED: "moved"}


def stop(run: Run, leaving: Sequence[Leaving]) -> Steps:
    """Look at the folders concerned as a whole, then stop the mailbox with the figures. Nothing of mail changes.

    The failure is set with the last step: a crash before it repeats the page that tripped, and this survey.
    """
    found = {one.id: one for one in leaving}
    for scope in _concerned(run, leaving):
        doubtful = _not_listed(run, scope, found)
        for start in range(0, len(doubtful), _ASK_AT_ONCE):
            answers = run.source.get(doubtful[start : start + _ASK_AT_ONCE], whole=False, urgency=Urgency.DELTA)
            places = {one.id: one.folder_id for one in answers if isinstance(one, RemoteMessage) and one.folder_id}
            gone = [one.id for one in answers if isinstance(one, Gone)]
            found |= {one.id: one for one in classify(run.mailbox, places, gone)}
            yield _hold
    yield _stopped(run, list(found.values()))


def _hold() -> None:
    """Nothing to write: the step only proves that the run still has its lease."""


def _concerned(run: Run, leaving: Iterable[Leaving]) -> list[str]:
    """Folders the tripping page took from, and those the provider counts much less in than we have."""
    scopes = {one.folder for one in leaving}
    for folder, held in sizes(run.mailbox).items():
        if folder in scopes or not held:
            continue
        try:
            total = run.source.count(folder).total
        except NotFound:
            total = 0
        if total is not None and total < held * 0.8:
            scopes.add(folder)
    return sorted(scopes)


def _not_listed(run: Run, scope: str, found: dict[str, Leaving]) -> list[str]:
    """Our messages of a folder that a fresh listing of it does not name; the folder's own cursor stays as it is."""
    named: set[str] = set()
    cursor: str | None = None
    try:
        while True:
            page = run.source.spine(scope, cursor, urgency=Urgency.DELTA)
            named.update(item.id for item in page.items if isinstance(item, RemoteMessage))
            if page.next is None:
                break
            cursor = page.next
    except NotFound:
        named = set()
    ours = Message.objects.filter(mailbox=run.mailbox, folder__remote_id=scope).values_list("remote_id", flat=True)
    return [one for one in ours if one not in named and one not in found]


def _stopped(run: Run, leaving: Sequence[Leaving]) -> Work:
    rows = figures(run.mailbox, leaving)

    def work() -> None:
        Brake.objects.filter(mailbox=run.mailbox, state=Brake.State.ASKING).delete()
        Brake.objects.create(mailbox=run.mailbox, figures=rows, ids=sorted(one.id for one in leaving))
        Mailbox.objects.filter(pk=run.mailbox.pk).update(
            failure=Failure.BREAKER, failure_detail=sentence(rows)[:400], failure_reference=new_reference()
        )

    return work


def figures(mailbox: Mailbox, leaving: Iterable[Leaving]) -> list[dict[str, Any]]:
    """One row per folder and kind, the largest first."""
    folders = {folder.remote_id: folder for folder in Folder.objects.filter(mailbox=mailbox)}
    counts: Counter[tuple[str, What]] = counted(leaving)
    return [
        {
            "folder": folders[folder].name if folder in folders else "A folder that is gone",
            "role": folders[folder].role if folder in folders else "",
            "what": str(what),
            "count": count,
            "total": folders[folder].total if folder in folders else count,
        }
        for (folder, what), count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]


def sentence(rows: Sequence[dict[str, Any]]) -> str:
    """1,204 of 1,310 messages of Inbox would be removed. A folder that people made is not named: colleagues may read
    this who may not read the mailbox."""
    if not rows:
        return ""
    first, more = rows[0], sum(row["count"] for row in rows[1:])
    name = first["folder"] if first["role"] else "one folder"
    text = f"{first['count']:,} of {first['total']:,} messages of {name} would be {_VERBS[What(first['what'])]}"
    return f"{text}, and {more:,} in other folders" if more else text


def asking(mailbox: Mailbox) -> Brake | None:
    """The question that waits for an answer, if the mailbox is stopped."""
    return all_asking([mailbox]).get(mailbox.pk)


def all_asking(mailboxes: Sequence[Mailbox]) -> dict[int, Brake]:
    """The same of several, by mailbox; one query."""
    rows = Brake.objects.filter(mailbox__in=mailboxes, state=Brake.State.ASKING).order_by("at") if mailboxes else ()
    return {one.mailbox_id: one for one in rows}  # the newest of each stays


@transaction.atomic
def go_on(mailbox: Mailbox, *, by: Membership) -> bool:
    """It is right: exactly these messages may go, once. False when nothing waits for an answer."""
    return _decide(mailbox, Brake.State.ALLOWED, by)


@transaction.atomic
def keep(mailbox: Mailbox, *, by: Membership) -> bool:
    """These messages stay where they are here, whatever the provider says. False when nothing waits for an answer."""
    brake = asking(mailbox)
    if brake is not None:
        rows = [Kept(mailbox=mailbox, remote_id=one) for one in brake.ids]
        Kept.objects.bulk_create(rows, ignore_conflicts=True)
    return _decide(mailbox, Brake.State.KEPT, by)


def _decide(mailbox: Mailbox, state: Brake.State, by: Membership) -> bool:
    brake = Brake.objects.select_for_update().filter(mailbox=mailbox, state=Brake.State.ASKING).first()
    if brake is None:
        return False
    brake.state, brake.decided_at, brake.decided_by = state, now(), by
    brake.save(update_fields=["state", "decided_at", "decided_by"])
    Mailbox.objects.filter(pk=mailbox.pk, failure=Failure.BREAKER).update(
        failure=Failure.NONE, failure_detail="", failure_reference=""
    )
    SyncState.objects.filter(mailbox=mailbox).update(due_at=now())
    for activity in Lane.objects.filter(mailbox=mailbox, due_at__isnull=False).values_list("activity", flat=True):
        lanes.want(mailbox.pk, activity)
    lanes.want(mailbox.pk, "live")
    return True
