"""While a local change waits to reach the provider, the provider's value for that field is held back (SY9).

Unless the provider's value was changed after ours: then ours gives way, and its outbox entry forgets the field.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from postroom.mail.models import Message
from postroom.mail.prepare import Prepared
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import RemoteMessage
from postroom.sync.models import OutboxEntry

OVERRULED = "Changed in the mailbox meanwhile"

_REMOTE: dict[str, Callable[[RemoteMessage], object]] = {
    "is_read": lambda m: m.is_read,
    "flag": lambda m: None if m.flag is None else str(m.flag),
    "categories": lambda m: None if m.categories is None else list(m.categories),
    "folder": lambda m: m.folder_id,
}


def of(mailbox: Mailbox, rows: Sequence[Prepared]) -> dict[str, frozenset[str]]:
    """The fields of each message (by the provider's id) that must keep their local value."""
    waiting = OutboxEntry.objects.filter(mailbox=mailbox, state__in=OutboxEntry.OPEN, kind__in=["change", "move"])
    held: dict[str, frozenset[str]] = {}
    if not waiting.exists():  # nearly always
        return held
    by_id = {row.message.id: row.message for row in rows}
    entries = list(waiting.filter(remote_id__in=list(by_id)).order_by("pk"))
    ours = _versions(mailbox, entries)
    for entry in entries:
        message = by_id[entry.remote_id]
        keep = {name for name in entry.fields if not _overruled(entry, name, message)}
        if lost := set(entry.fields) - keep:
            _forget(entry, lost)
        elif not held.get(entry.remote_id) and not _is_older(message, ours):
            _remember(entry, message)
        held[entry.remote_id] = held.get(entry.remote_id, frozenset()) | keep
    return held


def _versions(mailbox: Mailbox, entries: Sequence[OutboxEntry]) -> Mapping[str, datetime | None]:
    rows = Message.objects.filter(mailbox=mailbox, remote_id__in=[entry.remote_id for entry in entries])
    return dict(rows.values_list("remote_id", "modified"))


def _is_older(message: RemoteMessage, ours: Mapping[str, datetime | None]) -> bool:
    have = ours.get(message.id)
    return message.modified is None or (have is not None and message.modified < have)


def _overruled(entry: OutboxEntry, name: str, message: RemoteMessage) -> bool:
    value = _REMOTE[name](message)
    changed = float(entry.fields_at.get(name) or entry.created_at.timestamp())
    return (
        value is not None
        and message.modified is not None
        and message.modified.timestamp() > changed
        and value != entry.before.get(name)
        and value != entry.fields[name]
    )


def _remember(entry: OutboxEntry, message: RemoteMessage) -> None:
    """The provider's value is what a refusal brings back; it may have changed since ours was noted, but before it."""
    told = {name: value for name in entry.fields if (value := _REMOTE[name](message)) is not None}
    before = {**entry.before, **{name: value for name, value in told.items() if value != entry.fields[name]}}
    if before != entry.before:
        entry.before = before
        entry.save(update_fields=["before"])


def _forget(entry: OutboxEntry, names: set[str]) -> None:
    entry.fields = {name: value for name, value in entry.fields.items() if name not in names}
    if entry.fields:
        entry.save(update_fields=["fields"])
    else:
        OutboxEntry.objects.filter(pk=entry.pk).update(fields={}, state=OutboxEntry.State.DONE, reason=OVERRULED)
