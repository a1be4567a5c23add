"""What a member did to messages, kept for an hour so that it can be undone wherever they are by then (product.md IN4).

An undo is a change like any other, also when what it undoes has long reached the provider. What somebody changed again
since stays as it is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction

from postroom.lib.clock import now
from postroom.mail import commands
from postroom.mail.models import Deed, Folder, Message
from postroom.workspaces.models import Membership

UNDO_FOR = timedelta(hours=1)
KEPT = 50  # deeds of one member

PutBack = Callable[[Membership, Sequence[int], Any, Any], int]
KEEPERS: dict[str, PutBack] = {}
"""Fields that are no message's: packages above register how one is put back. Called with the member, ids, the value
before and the one after; what is no longer as the deed left it stays. Returns how many were put back."""


class Undone(NamedTuple):
    """The messages that were put back, and how many other things."""

    messages: list[Message]
    others: int = 0


def values(messages: Sequence[Message], field: str) -> dict[int, Any]:
    """The value of a field of each message as a deed keeps it."""
    return {one.pk: one.folder_id if field == "folder" else getattr(one, field) for one in messages}


def note(member: Membership, text: str, field: str, before: Mapping[int, Any]) -> Deed | None:
    """Remember what was done: the values before, by message; those after are read from the rows. None: nothing was."""
    after = values(list(Message.objects.filter(pk__in=before)), field)
    groups: dict[str, list[Any]] = {}
    for pk, old in before.items():
        if pk in after and after[pk] != old:
            groups.setdefault(repr((old, after[pk])), [field, old, after[pk], []])[3].append(pk)
    if not groups:
        return None
    return keep(member, text, list(groups.values()))


def keep(member: Membership, text: str, changes: Sequence[Sequence[Any]]) -> Deed:
    """Remember [field, before, after, [ids]] changes; the oldest deeds of the member are forgotten."""
    stale = Deed.objects.filter(member=member).order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 50]
    Deed.objects.filter(pk__in=list(stale)).delete()
    return Deed.objects.create(member=member, text=text[:200], changes=list(changes))


def latest(member: Membership) -> Deed | None:
    """The last thing that can still be undone."""
    rows = Deed.objects.filter(member=member, undone_at=None, at__gt=now() - UNDO_FOR)
    return rows.order_by("-pk").first()


def find(member: Membership, pk: int) -> Deed | None:
    return Deed.objects.filter(member=member, pk=pk, undone_at=None, at__gt=now() - UNDO_FOR).first()


def undo(deed: Deed, member: Membership, mailboxes: Collection[int]) -> Undone:
    """Put back what it changed, in the mailboxes the member may still work in."""
    undone: list[Message] = []
    others = 0
    with transaction.atomic():
        if not Deed.objects.filter(pk=deed.pk, undone_at=None).update(undone_at=now()):
            return Undone([])
        for field, old, new, ids in deed.changes:
            if field in KEEPERS:
                others += KEEPERS[field](member, ids, old, new)
                continue
            rows = Message.objects.filter(pk__in=ids, mailbox__in=mailboxes).select_related("folder", "mailbox")
            same = [one for one in rows if values([one], field)[one.pk] == new]
            if same and _put_back(field, same, old, member):
                undone += same
    return Undone(undone, others)


def _put_back(field: str, messages: Sequence[Message], value: Any, member: Membership) -> bool:
    if field == "folder":
        target = Folder.objects.filter(pk=value).first()
        if target is None:
            return False
        commands.move(messages, member, to=target)
    elif field == "is_read":
        commands.mark_read(messages, member, read=bool(value))
    elif field == "categories":
        commands.set_categories(messages, member, add=value, remove=_all_of(messages))
    else:
        commands.set_flag(messages, member, flag=value)
    return True


def _all_of(messages: Sequence[Message]) -> list[str]:
    return list({name for one in messages for name in one.categories})
