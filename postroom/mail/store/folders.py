"""The folder tree: it follows the provider's, whatever order its rows come in."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from postroom.mail.models import Folder, Known, Message
from postroom.mail.store import locks
from postroom.mail.store.types import FoldersChanged
from postroom.mail.text import storable
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole, RemoteFolder, Removed
from postroom.sync.models import OutboxEntry

TEMPORARY = "new:"  # the id of a folder that the provider does not know yet begins with it


def put_folders(
    mailbox: Mailbox, items: Sequence[RemoteFolder | Removed], roles: Mapping[str, FolderRole], *, complete: bool
) -> FoldersChanged:
    """Store a round of the folder listing. ``complete``: folders it does not name no longer exist.

    Those that are gone stay until ``drop_folders``: first the caller asks where their messages are now.
    """
    locks.enter(mailbox)
    removed = folders_gone(mailbox, items, complete=complete)
    have = {folder.remote_id: folder for folder in Folder.objects.filter(mailbox=mailbox)}
    named = _held(mailbox, {item.id: item for item in items if isinstance(item, RemoteFolder)}, have)
    added = [remote_id for remote_id in named if remote_id not in have]
    Folder.objects.bulk_create(
        [_folder(mailbox, item, roles, have.get(item.id)) for item in named.values()],
        update_conflicts=True,
        unique_fields=["mailbox", "remote_id"],
        update_fields=["name", "remote_parent_id", "role", "hidden", "remote_total", "remote_unread"],
    )
    _hang_in_tree(mailbox)
    return FoldersChanged(added=added, removed=removed)


def folders_gone(mailbox: Mailbox, items: Sequence[RemoteFolder | Removed], *, complete: bool) -> list[str]:
    """Provider's ids of folders we have that this round says are gone."""
    rows = Folder.objects.filter(mailbox=mailbox).exclude(remote_id__startswith=TEMPORARY)
    have = set(rows.values_list("remote_id", flat=True))
    named = {item.id for item in items if isinstance(item, RemoteFolder)}
    told = have if complete else {item.id for item in items if isinstance(item, Removed)}
    return sorted((told & have) - named)


def _held(mailbox: Mailbox, named: dict[str, RemoteFolder], have: Mapping[str, Folder]) -> dict[str, RemoteFolder]:
    """While a change of a folder's name or place waits to go out, the provider's old one is held back (SY9)."""
    waiting = OutboxEntry.objects.filter(mailbox=mailbox, kind="folder", state__in=OutboxEntry.OPEN)
    kept = dict(named)
    for remote_id, fields in waiting.values_list("remote_id", "fields"):
        item, ours = kept.get(remote_id), have.get(remote_id)
        if item is not None and ours is not None:
            name = ours.name if "name" in fields else item.name
            parent = ours.remote_parent_id if "parent" in fields else item.parent_id
            kept[remote_id] = replace(item, name=name, parent_id=parent)
    return kept


def _role(item: RemoteFolder, roles: Mapping[str, FolderRole], before: Folder | None) -> str:
    """An archive that was made here is the archive although the provider has no word for it, until it names another."""
    told = str(item.role or roles.get(item.id, FolderRole.NONE))
    if not told and before is not None and before.role == FolderRole.ARCHIVE:
        return "" if FolderRole.ARCHIVE in roles.values() else before.role
    return told


def _folder(
    mailbox: Mailbox, item: RemoteFolder, roles: Mapping[str, FolderRole], before: Folder | None = None
) -> Folder:
    return Folder(
        mailbox=mailbox,
        remote_id=item.id,
        remote_parent_id=item.parent_id or "",
        name=storable(item.name)[:400],
        role=_role(item, roles, before),
        hidden=item.hidden,
        remote_total=item.total,
        remote_unread=item.unread,
    )


def _hang_in_tree(mailbox: Mailbox) -> None:
    """Parents by the provider's id: a child may be listed before its parent, and a parent may have been replaced."""
    folders = list(Folder.objects.filter(mailbox=mailbox))
    by_remote_id = {folder.remote_id: folder.pk for folder in folders}
    wrong = []
    for folder in folders:
        parent_id = by_remote_id.get(folder.remote_parent_id)
        if parent_id != folder.parent_id and parent_id != folder.pk:
            folder.parent_id = parent_id
            wrong.append(folder)
    Folder.objects.bulk_update(wrong, ["parent"])


def drop_folders(mailbox: Mailbox, remote_ids: Sequence[str]) -> None:
    """Take folders out of the tree. One that still holds messages stays: a member decided to keep them, or the
    provider could not say where they are."""
    locks.enter(mailbox)
    doomed = Folder.objects.filter(mailbox=mailbox, remote_id__in=remote_ids)
    doomed = doomed.exclude(pk__in=Message.objects.filter(folder__in=doomed).values("folder"))
    ids = list(doomed.values_list("pk", flat=True))
    Folder.objects.filter(parent__in=ids).update(parent=None)
    Known.objects.filter(folder__in=ids).delete()
    Folder.objects.filter(pk__in=ids).delete()
