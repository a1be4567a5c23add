"""Folders made, renamed, moved and deleted here: the tree changes at once, the provider hears of it through the outbox.

Deleting is a move to Deleted Items, with everything inside (product.md SY10). A folder the provider does not know yet
has a temporary id; mail can be moved into it, and follows once the folder is there.
"""

import uuid
from typing import Any

from django.db import transaction

from postroom.lib.clock import now
from postroom.mail import store
from postroom.mail.events import announce
from postroom.mail.models import Folder
from postroom.mail.store import locks
from postroom.mail.text import storable
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.sync import lanes
from postroom.sync.models import Activity, OutboxEntry
from postroom.workspaces.models import Membership

LONGEST = 255  # characters of a name
ARCHIVE_NAME = "Archive"


class CannotChange(ValueError):
    """Why a folder cannot be changed that way, in words for the member."""


def key(folder: Folder) -> str:
    return f"folder:{folder.pk}"


def create(mailbox: Mailbox, member: Membership | None, *, name: str, parent: Folder | None = None) -> Folder:
    """A new folder, usable at once. Raises ``CannotChange``."""
    return _create(mailbox, member, name=name, parent=parent, role="")


def archive_of(mailbox: Mailbox, member: Membership | None) -> Folder:
    """The Archive of a mailbox that had none: the folder of that name, or a new one, as Outlook does."""
    top = Folder.objects.filter(mailbox=mailbox, name__iexact=ARCHIVE_NAME, role="", parent__isnull=True)
    found = (
        top.first() or Folder.objects.filter(mailbox=mailbox, name__iexact=ARCHIVE_NAME, parent__role="root").first()
    )
    if found is not None:
        found.role = FolderRole.ARCHIVE
        found.save(update_fields=["role"])
        return found
    return _create(mailbox, member, name=ARCHIVE_NAME, parent=None, role=FolderRole.ARCHIVE)


def _create(mailbox: Mailbox, member: Membership | None, *, name: str, parent: Folder | None, role: str) -> Folder:
    with transaction.atomic():
        lanes.want(mailbox.pk, Activity.OUTBOX)
        locks.enter(mailbox)
        clean = _name(mailbox, name, parent)
        folder = Folder.objects.create(
            mailbox=mailbox,
            remote_id=f"{store.TEMPORARY}{uuid.uuid4().hex}",
            parent=parent,
            remote_parent_id=parent.remote_id if parent else "",
            name=clean,
            role=role,
        )
        _note(folder, {"name": clean, "parent": parent.pk if parent else None}, {}, member)
    announce(mailbox)
    return folder


def rename(folder: Folder, member: Membership, *, name: str) -> None:
    """Raises ``CannotChange``."""
    _own(folder)
    with transaction.atomic():
        lanes.want(folder.mailbox_id, Activity.OUTBOX)
        locks.enter(folder.mailbox)
        clean = _name(folder.mailbox, name, folder.parent, besides=folder.pk)
        if clean != folder.name:
            before = {"name": folder.name}
            Folder.objects.filter(pk=folder.pk).update(name=clean)
            _note(folder, {"name": clean}, before, member)
    announce(folder.mailbox)


def move(folder: Folder, member: Membership, *, to: Folder | None) -> None:
    """Below another folder of the same mailbox, or to the top. Raises ``CannotChange``."""
    _own(folder)
    with transaction.atomic():
        lanes.want(folder.mailbox_id, Activity.OUTBOX)
        locks.enter(folder.mailbox)
        if to is not None and (to.mailbox_id != folder.mailbox_id or is_below(to, folder)):
            raise CannotChange("A folder cannot be moved into itself.")
        if to is None or to.role != FolderRole.DELETED:  # there a name may be taken: the provider side makes room
            _name(folder.mailbox, folder.name, to, besides=folder.pk)
        before = {"parent": folder.parent_id}
        if before["parent"] != (to.pk if to else None):
            place(folder.pk, to)
            _note(folder, {"parent": to.pk if to else None}, before, member)
    announce(folder.mailbox)


def delete(folder: Folder, member: Membership) -> None:
    """Into Deleted Items, with all that is in it. Raises ``CannotChange``."""
    _own(folder)
    bin_ = Folder.objects.filter(mailbox=folder.mailbox_id, role=FolderRole.DELETED).first()
    if bin_ is None:
        raise CannotChange("This mailbox has no Deleted Items.")
    if is_below(folder, bin_):
        raise CannotChange("It is in Deleted Items already. Only your mail program deletes for good.")
    move(folder, member, to=bin_)


def place(pk: int, parent: Folder | None) -> None:
    """Hang a folder elsewhere in the tree, here."""
    Folder.objects.filter(pk=pk).update(parent=parent, remote_parent_id=parent.remote_id if parent else "")


def is_below(folder: Folder, above: Folder) -> bool:
    """Whether ``folder`` is ``above`` or lies in it."""
    seen: set[int] = set()
    at: Folder | None = folder
    while at is not None and at.pk not in seen:
        if at.pk == above.pk:
            return True
        seen.add(at.pk)
        at = at.parent
    return False


def _own(folder: Folder) -> None:
    if folder.role:
        raise CannotChange(f"{folder.name} has a purpose in your mailbox and stays as it is.")


def _name(mailbox: Mailbox, name: str, parent: Folder | None, *, besides: int = 0) -> str:
    clean = " ".join(storable(name).split())
    if not clean:
        raise CannotChange("Give the folder a name.")
    if len(clean) > LONGEST:
        raise CannotChange(f"A name has at most {LONGEST} characters.")
    top = parent is None or parent.role == FolderRole.ROOT
    siblings = Folder.objects.filter(mailbox=mailbox, name__iexact=clean).exclude(pk=besides)
    taken = [one for one in siblings.select_related("parent") if _same_place(one, parent, top=top)]
    if taken:
        raise CannotChange(f"There is a folder called {taken[0].name} here already.")
    return clean


def _same_place(one: Folder, parent: Folder | None, *, top: bool) -> bool:
    if top:
        return one.parent is None or one.parent.role == FolderRole.ROOT
    return parent is not None and one.parent_id == parent.pk


def _note(folder: Folder, fields: dict[str, Any], before: dict[str, Any], member: Membership | None) -> None:
    """``fields``: name, and parent by our id (null: the top). Joins what still waits untried."""
    waiting = OutboxEntry.objects.select_for_update().filter(
        subject_key=key(folder), state=OutboxEntry.State.WAITING, attempts=0, step=""
    )
    entry = waiting.order_by("-pk").first()
    if entry is None:
        OutboxEntry.objects.create(
            mailbox_id=folder.mailbox_id,
            kind=OutboxEntry.Kind.FOLDER,
            subject_key=key(folder),
            remote_id=folder.remote_id,
            fields=fields,
            before=before,
            fields_at=dict.fromkeys(fields, now().timestamp()),
            member=member,
        )
        return
    entry.fields, entry.before = {**entry.fields, **fields}, {**before, **entry.before}
    if not folder.remote_id.startswith(store.TEMPORARY):
        entry.fields = {name: value for name, value in entry.fields.items() if entry.before.get(name) != value}
    if entry.fields:
        entry.save(update_fields=["fields", "before"])
    else:
        entry.delete()
