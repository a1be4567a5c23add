"""Local changes that wait to reach the provider (product.md SY9): noting them, and what may become of each.

A change is made here at once and noted in the same transaction; ``mail.sync.outgoing`` carries it out. An entry ends
done, or is tried again, or is put back: a permanent refusal brings the old value and tells the member.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail import store
from postroom.mail.events import readers
from postroom.mail.models import Message
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import ProviderError
from postroom.sync import lanes
from postroom.sync.models import Activity, Notification, OutboxEntry

State = OutboxEntry.State
Kind = OutboxEntry.Kind
SETTLE = timedelta(milliseconds=300)  # read, unread, read within a moment is one write
PATIENCE = (5, 30, 120, 600, 3600)  # seconds before a change is tried again; the last for ever: it never gives up
OF_MESSAGES = (Kind.CHANGE, Kind.MOVE)
TEMPORARY = store.TEMPORARY


def key(message_id: int) -> str:
    """What puts the entries of one message in order."""
    return f"message:{message_id}"


def message_of(entry: OutboxEntry) -> int:
    return int(entry.subject_key.partition(":")[2])


def note(messages: Sequence[Message], fields: Mapping[str, Any], *, member_id: int | None) -> None:
    """Change messages here and now, and note what the provider must be told. One transaction with the caller.

    ``fields``: any of ``is_read`` (bool), ``flag`` ("none" | "flagged" | "complete"), ``categories`` (list of names),
    ``folder`` (a folder's provider id; alone). All messages belong to one mailbox.
    """
    if not messages:
        return
    mailbox = messages[0].mailbox
    with transaction.atomic():
        lanes.want(mailbox.pk, Activity.OUTBOX, at=now() + SETTLE)  # first: the engine too locks its lane before mail
        before = store.apply_local(mailbox, [m.pk for m in messages], dict(fields))
        _note_all([m for m in messages if m.pk in before], fields, before, member_id)


def _note_all(
    messages: Sequence[Message], fields: Mapping[str, Any], before: Mapping[int, Mapping[str, Any]], by: int | None
) -> None:
    """Add to the entries that still wait, where there are any; a change that undoes itself disappears."""
    kind = Kind.MOVE if "folder" in fields else Kind.CHANGE
    mine = [key(message.pk) for message in messages]
    untried = OutboxEntry.objects.filter(subject_key__in=mine, kind=kind, state=State.WAITING, attempts=0)
    joined = {entry.subject_key: entry for entry in untried.select_for_update().order_by("pk")}
    fresh = []
    for message in messages:
        entry = joined.get(key(message.pk))
        if entry is not None:
            _join(entry, fields, before[message.pk])
        elif made := _entry(message, kind, fields, before[message.pk], by):
            fresh.append(made)
    OutboxEntry.objects.bulk_create(fresh)


def _entry(
    message: Message, kind: str, fields: Mapping[str, Any], before: Mapping[str, Any], by: int | None
) -> OutboxEntry | None:
    changed = {name: value for name, value in fields.items() if before.get(name) != value}
    if not changed:
        return None
    return OutboxEntry(
        mailbox_id=message.mailbox_id,
        kind=kind,
        subject_key=key(message.pk),
        remote_id=message.remote_id,
        fields=changed,
        before={name: before.get(name) for name in changed},
        fields_at=dict.fromkeys(changed, now().timestamp()),
        due_at=now() + SETTLE,
        member_id=by,
    )


def _join(entry: OutboxEntry, fields: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    entry.before = {**{name: before.get(name) for name in fields}, **entry.before}
    merged = {**entry.fields, **fields}
    entry.fields = {name: value for name, value in merged.items() if entry.before.get(name) != value}
    entry.fields_at = {**entry.fields_at, **dict.fromkeys(fields, now().timestamp())}
    if entry.fields:
        entry.save(update_fields=["fields", "before", "fields_at"])
    else:
        entry.delete()


# --- what becomes of an entry --------------------------------------------------------------------------------------


def done(entry: OutboxEntry, *, reason: str = "") -> None:
    OutboxEntry.objects.filter(pk=entry.pk).update(state=State.DONE, done_at=now(), reason=reason)


def again(entry: OutboxEntry, at: datetime, reason: str) -> None:
    """Try once more ``at``. What waits for a passing trouble waits as long as that takes."""
    OutboxEntry.objects.filter(pk=entry.pk).update(
        state=State.WAITING, due_at=at, attempts=entry.attempts + 1, reason=reason[:400]
    )


def wait_for(entry: OutboxEntry, trouble: ProviderError) -> datetime:
    """When to try an entry again that met a passing trouble."""
    patience = PATIENCE[min(entry.attempts, len(PATIENCE) - 1)]
    return now() + timedelta(seconds=getattr(trouble, "retry_after", None) or patience)


def failed(mailbox: Mailbox, entry: OutboxEntry, refused: Exception, **told: Any) -> None:
    """The provider will not do it. The member who asked for it is told, wherever they are."""
    reason = refused.code if isinstance(refused, ProviderError) and refused.code else str(refused)
    OutboxEntry.objects.filter(pk=entry.pk).update(state=State.FAILED, done_at=now(), reason=reason[:400])
    publish(
        mailbox.workspace_id,
        "refused",
        {"mailbox": mailbox.pk, "member": entry.member_id, "fields": sorted(entry.fields), **told},
        members=readers(mailbox),
    )


def put_back(mailbox: Mailbox, entry: OutboxEntry, refused: Exception) -> None:
    """A change of a message that is refused for good: the old value comes back, unless it was changed again since.

    The message is then read anew, whatever version of it we hold.
    """
    message_id = message_of(entry)
    failed(mailbox, entry, refused, message=message_id)
    old = {name: entry.before[name] for name in entry.fields if name in entry.before}
    later = OutboxEntry.objects.filter(
        subject_key=entry.subject_key, pk__gt=entry.pk, state__in=OutboxEntry.OPEN, kind__in=OF_MESSAGES
    )
    for one in later.order_by("pk"):
        if inherited := {name: old.pop(name) for name in one.fields if name in old}:
            one.before = {**one.before, **inherited}
            one.save(update_fields=["before"])
    if old:
        store.apply_local(mailbox, [message_id], old)
    look_again(mailbox, entry.remote_id)


def look_again(mailbox: Mailbox, remote_id: str) -> None:
    """Have the live lane read one message anew, as if the provider had named it."""
    Message.objects.filter(mailbox=mailbox, remote_id=remote_id).update(change_key="")
    Notification.objects.create(mailbox=mailbox, remote_id=remote_id, change="updated")
    lanes.want(mailbox.pk, Activity.LIVE)


# --- what waits ----------------------------------------------------------------------------------------------------

PATIENT_FOR = timedelta(seconds=20)  # what goes out in the usual time is not worth a word


def late(at: datetime | None = None) -> QuerySet[OutboxEntry]:
    """Changes and messages that wait longer than usual, or for somebody to sign in."""
    moment = at or now()  # what is to go out later, as its author wished, is not late
    slow = Q(attempts__gt=0) | Q(due_at__lt=moment - PATIENT_FOR) | (~Q(mailbox__failure="") & Q(due_at__lte=moment))
    return OutboxEntry.objects.filter(slow, state__in=OutboxEntry.OPEN)


def waits(mailbox: Mailbox, many: int) -> str:
    """What to say of changes that wait, and for what (product.md SY9). Empty when none do."""
    if not many:
        return ""
    what = "1 change waits" if many == 1 else f"{many:,} changes wait"
    if mailbox.failure in lanes.BLOCKING_FAILURES:
        return f"{what} for a new sign-in to {mailbox.address}. Nothing is lost."
    return f"{what} for {mailbox.address} to answer, and will go out without you."
