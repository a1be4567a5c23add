"""While a local change waits to reach the provider, the provider's value for that field is held back (SY9).

Unless the provider's value was changed after ours: then ours gives way, and its outbox entry forgets the field.
"""

from collections.abc import Callable, Sequence

from postroom.mail.prepare import Prepared
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import RemoteMessage
from postroom.sync.models import OutboxEntry

_REMOTE: dict[str, Callable[[RemoteMessage], object]] = {
    "is_read": lambda m: m.is_read,
    "flag": lambda m: None if m.flag is None else str(m.flag),
    "categories": lambda m: None if m.categories is None else list(m.categories),
    "folder": lambda m: m.folder_id,
}


def of(mailbox: Mailbox, rows: Sequence[Prepared]) -> dict[str, frozenset[str]]:
    """The fields of each message (by the provider's id) that must keep their local value."""
    waiting = OutboxEntry.objects.filter(mailbox=mailbox, state__in=["waiting", "working"], kind__in=["change", "move"])
    held: dict[str, frozenset[str]] = {}
    if not waiting.exists():  # nearly always
        return held
    by_id = {row.message.id: row.message for row in rows}
    for entry in waiting.filter(remote_id__in=list(by_id)):
        message = by_id[entry.remote_id]
        keep = {name for name in entry.fields if not _overruled(entry, name, message)}
        if lost := set(entry.fields) - keep:
            _forget(entry, lost)
        held[entry.remote_id] = held.get(entry.remote_id, frozenset()) | keep
    return held


def _overruled(entry: OutboxEntry, name: str, message: RemoteMessage) -> bool:
    value = _REMOTE[name](message)
    return (
        value is not None
        and message.modified is not None
        and message.modified > entry.created_at
        and value != entry.before.get(name)
        and value != entry.fields[name]
    )


def _forget(entry: OutboxEntry, names: set[str]) -> None:
    entry.fields = {k: v for k, v in entry.fields.items() if k not in names}
    if entry.fields:
        entry.save(update_fields=["fields"])
    else:
        OutboxEntry.objects.filter(pk=entry.pk).update(
            fields={}, state=OutboxEntry.State.DONE, reason="Changed in the mailbox meanwhile"
        )
