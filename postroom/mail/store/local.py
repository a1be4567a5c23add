"""Changes made here, at once, before the provider hears of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from postroom.mail.models import Folder, Message
from postroom.mail.store import locks, threads
from postroom.mailboxes.models import Mailbox


def apply_local(mailbox: Mailbox, message_ids: Sequence[int], fields: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """Set ``is_read``, ``flag``, ``categories`` or ``folder`` (a provider's id) on messages of one mailbox.

    In the caller's transaction. Returns the values before, by message id, for an undo or a refusal.
    """
    locks.enter(mailbox)
    rows = list(Message.objects.filter(mailbox=mailbox, pk__in=message_ids).select_related("folder").order_by("pk"))
    changes: dict[str, Any] = {name: value for name, value in fields.items() if name != "folder"}
    if "folder" in fields:
        target = Folder.objects.filter(mailbox=mailbox, remote_id=fields["folder"]).first()
        changes |= {"folder": target} if target is not None else {}  # gone meanwhile: the next delta says where to
    before: dict[int, dict[str, Any]] = {}
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        before[row.pk] = {name: row.folder.remote_id if name == "folder" else getattr(row, name) for name in fields}
        _count(counts, row.folder_id, row.is_read, -1)
        for name, value in changes.items():
            setattr(row, name, value)
        _count(counts, row.folder_id, row.is_read, 1)
    if rows and changes:
        Message.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
    threads.refresh({row.thread_id for row in rows})
    threads.count_folders({folder: (total, unread) for folder, (total, unread) in counts.items()})
    return before


def _count(counts: dict[int, list[int]], folder_id: int, is_read: bool, sign: int) -> None:
    counts[folder_id][0] += sign
    counts[folder_id][1] += 0 if is_read else sign
