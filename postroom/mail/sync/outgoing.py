"""The outbox lane's part for messages: changes go out coalesced, up to 20 in one request, in order per message.

    due -> (look first, when the change is not fresh) -> write -> settle

Writing is harmless to repeat. A change that had to wait is compared with the provider's value before it is written:
somebody may have changed the same field later, and then theirs stands (product.md SY9, ``mail.holds``).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from postroom.lib.clock import now
from postroom.mail import backlog, outbox, store
from postroom.mail.events import on_stored
from postroom.mail.models import Message
from postroom.mail.prepare import prepare
from postroom.mail.sync.asking import ask
from postroom.mail.sync.states import RESOURCE
from postroom.mail.sync.taking import read, take
from postroom.mail.sync.tree import unknown_folders
from postroom.providers.contract import Applied, Change, Flag, Gone, RemoteMessage, Unusable, Urgency
from postroom.providers.errors import Conflict, NotFound, ProviderError, Refused, Transient
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, OutboxEntry, SyncState

State = OutboxEntry.State
AT_ONCE = 20
FRESH = timedelta(seconds=2)  # older changes are written only after a look at what the provider has now
CONFLICTS = 5  # refusals because of a version before the change is given up

Outcome = Applied | Transient
Where = Mapping[str, RemoteMessage | Gone | Unusable]


def carry_out(run: Run) -> Steps:
    """Write what is due, oldest first, a batch at a time, until nothing is due."""
    while entries := _due(run):
        if old := [entry for entry in entries if _is_old(entry)]:
            yield from _look_first(run, old)
            entries = _still_open(entries)
        outcomes = _write(run, entries)
        lost = [entry.remote_id for entry, one in zip(entries, outcomes, strict=True) if _not_found(one)]
        answers = run.source.get(lost, whole=False, urgency=Urgency.USER) if lost else []
        yield _settle(run, entries, outcomes, dict(zip(lost, answers, strict=True)))
    run.due_by(_next_due(run))


def _due(run: Run) -> list[OutboxEntry]:
    """The oldest waiting entries, no two of one message: the second waits for the first."""
    rows = OutboxEntry.objects.filter(mailbox=run.mailbox, state__in=OutboxEntry.OPEN, kind__in=outbox.OF_MESSAGES)
    batch: dict[str, int] = {}
    blocked: set[str] = set()
    for pk, subject, due_at, folder in rows.order_by("pk").values_list("pk", "subject_key", "due_at", "fields__folder"):
        if subject in batch or subject in blocked:
            continue
        if due_at > now() or str(folder or "").startswith(outbox.TEMPORARY):  # its folder is made first
            blocked.add(subject)
        else:
            batch[subject] = pk
        if len(batch) == AT_ONCE:
            break
    # From here on a new local change makes an entry of its own instead of joining one that is on its way.
    OutboxEntry.objects.filter(pk__in=batch.values(), state__in=OutboxEntry.OPEN).update(state=State.WORKING)
    return list(OutboxEntry.objects.filter(pk__in=batch.values(), state=State.WORKING).order_by("pk"))


def _next_due(run: Run) -> datetime | None:
    """When the first entry of a message comes due. What waits for its folder to be made comes with that."""
    rows = OutboxEntry.objects.filter(mailbox=run.mailbox, state__in=OutboxEntry.OPEN, kind__in=outbox.OF_MESSAGES)
    first: dict[str, datetime | None] = {}
    for subject, due_at, folder in rows.order_by("pk").values_list("subject_key", "due_at", "fields__folder"):
        first.setdefault(subject, None if str(folder or "").startswith(outbox.TEMPORARY) else due_at)
    return min((due_at for due_at in first.values() if due_at is not None), default=None)


def _is_old(entry: OutboxEntry) -> bool:
    changed = min(map(float, entry.fields_at.values()), default=entry.created_at.timestamp())
    return entry.attempts > 0 or now().timestamp() - changed > FRESH.total_seconds()


def _look_first(run: Run, entries: Sequence[OutboxEntry]) -> Steps:
    """Take in what the provider has now; a field changed there after us drops out of its entry (``mail.holds``)."""
    ids = [entry.remote_id for entry in entries]
    answers = ask(run, ids, urgency=Urgency.USER)
    yield from unknown_folders(run, answers)
    batch = read(run, [answer for answer in answers if not isinstance(answer, Unusable)])
    gone = set(batch.gone)

    def work() -> None:
        # Whatever version we hold: what was held back of it until now may no longer be.
        Message.objects.filter(mailbox=run.mailbox, remote_id__in=ids).update(change_key="")
        take(run, batch)
        for entry in entries:
            if entry.remote_id in gone:
                outbox.done(entry, reason="The message is no longer in the mailbox")

    yield work


def _still_open(entries: Sequence[OutboxEntry]) -> list[OutboxEntry]:
    rows = OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries], state=State.WORKING)
    return [entry for entry in rows.order_by("pk") if entry.fields]


def _write(run: Run, entries: Sequence[OutboxEntry]) -> list[Outcome]:
    """One outcome per entry. A request refused as a whole is cut in two until the entry that spoils it stands alone."""
    if not entries:
        return []
    try:
        return list(run.source.apply([_change(entry) for entry in entries]))
    except Transient as trouble:
        return [trouble] * len(entries)
    except ProviderError as refused:
        if not refused.permanent:
            raise  # a new sign-in, lost access …: about the mailbox, not about these messages
        if len(entries) == 1:
            return [Applied(entries[0].remote_id, refused=refused)]
        half = len(entries) // 2
        return [*_write(run, entries[:half]), *_write(run, entries[half:])]


def _change(entry: OutboxEntry) -> Change:
    fields = entry.fields
    return Change(
        id=entry.remote_id,
        is_read=fields.get("is_read"),
        flag=Flag(fields["flag"]) if "flag" in fields else None,
        categories=tuple(fields["categories"]) if "categories" in fields else None,
        move_to=fields.get("folder"),
    )


def _refusal(outcome: Outcome) -> Exception | None:
    return outcome if isinstance(outcome, Transient) else outcome.refused


def _not_found(outcome: Outcome) -> bool:
    return isinstance(_refusal(outcome), NotFound)


# --- settling ------------------------------------------------------------------------------------------------------


def _settle(run: Run, entries: Sequence[OutboxEntry], outcomes: Sequence[Outcome], where: Where) -> Work:
    own = backlog.own_addresses(run.mailbox)
    written = [one.message for one in outcomes if isinstance(one, Applied) and one.message is not None]
    rows = [prepare(message, own_addresses=own) for message in written]
    gone = read(run, [answer for answer in where.values() if isinstance(answer, Gone)])

    def work() -> None:
        for entry, outcome in zip(entries, outcomes, strict=True):
            _settle_one(run, entry, outcome, where)
        if rows:  # the provider's new version of what we wrote, so that its echo is no news
            on_stored(run.mailbox, store.put(run.mailbox, rows, held=lambda: _still_held(entries)), fresh=True)
        take(run, gone)

    return work


def _still_held(entries: Sequence[OutboxEntry]) -> dict[str, frozenset[str]]:
    """Fields changed again here while the first change was on its way."""
    subjects = [entry.subject_key for entry in entries]
    held: dict[str, frozenset[str]] = {}
    for later in OutboxEntry.objects.filter(
        subject_key__in=subjects, state__in=OutboxEntry.OPEN, kind__in=outbox.OF_MESSAGES
    ):
        held[later.remote_id] = held.get(later.remote_id, frozenset()) | frozenset(later.fields)
    return held


def _settle_one(run: Run, entry: OutboxEntry, outcome: Outcome, where: Where) -> None:
    refused = _refusal(outcome)
    for kind, answer in _ANSWERS:
        if isinstance(refused, kind):
            answer(run, entry, refused, where)
            return
    outbox.put_back(run.mailbox, entry, refused) if refused is not None else outbox.done(entry)


def _wait(run: Run, entry: OutboxEntry, refused: Any, where: Where) -> None:
    outbox.again(entry, outbox.wait_for(entry, refused), str(refused))


def _conflict(run: Run, entry: OutboxEntry, refused: Any, where: Where) -> None:
    if entry.attempts < CONFLICTS:
        _wait(run, entry, refused, where)
    else:
        outbox.put_back(run.mailbox, entry, refused)


def _lost(run: Run, entry: OutboxEntry, refused: Any, where: Where) -> None:
    """404 is about the message or about the folder it was to go to; the message itself was asked for meanwhile."""
    if isinstance(where.get(entry.remote_id), Gone):
        outbox.done(entry, reason="The message is no longer in the mailbox")
        return
    if "folder" not in entry.fields:  # it is there after all: what was just saved may be unknown for a moment
        _conflict(run, entry, refused, where)
        return
    SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, scope="").update(due_at=now())
    lanes.want(run.mailbox.pk, Activity.LIVE)
    outbox.put_back(run.mailbox, entry, Refused("The folder no longer exists"))


_ANSWERS: tuple[tuple[type[Exception], Callable[[Run, OutboxEntry, Any, Where], None]], ...] = (
    (Transient, _wait),
    (Conflict, _conflict),
    (NotFound, _lost),
)
