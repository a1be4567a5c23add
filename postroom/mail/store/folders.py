"""The folder tree: it follows the provider's, whatever order its rows come in."""

from collections.abc import Mapping, Sequence

from postroom.mail.models import Folder, Known, Message
from postroom.mail.store import locks
from postroom.mail.store.removal import remove
from postroom.mail.store.types import FoldersChanged
from postroom.mail.text import storable
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole, RemoteFolder, Removed


def put_folders(
    mailbox: Mailbox, items: Sequence[RemoteFolder | Removed], roles: Mapping[str, FolderRole], *, complete: bool
) -> FoldersChanged:
    """Store a round of the folder listing. ``complete``: folders it does not name no longer exist."""
    locks.enter(mailbox)
    named = {item.id: item for item in items if isinstance(item, RemoteFolder)}
    gone = {item.id for item in items if isinstance(item, Removed)} - named.keys()
    have = {folder.remote_id: folder for folder in Folder.objects.filter(mailbox=mailbox)}
    if complete:
        gone |= have.keys() - named.keys()
    added = [remote_id for remote_id in named if remote_id not in have]
    Folder.objects.bulk_create(
        [_folder(mailbox, item, roles) for item in named.values()],
        update_conflicts=True,
        unique_fields=["mailbox", "remote_id"],
        update_fields=["name", "remote_parent_id", "role", "hidden", "remote_total", "remote_unread"],
    )
    _hang_in_tree(mailbox)
    removed = [remote_id for remote_id in gone if remote_id in have]
    _drop(mailbox, removed)
    return FoldersChanged(added=added, removed=removed)


def _folder(mailbox: Mailbox, item: RemoteFolder, roles: Mapping[str, FolderRole]) -> Folder:
    return Folder(
        mailbox=mailbox,
        remote_id=item.id,
        remote_parent_id=item.parent_id or "",
        name=storable(item.name)[:400],
        role=str(item.role or roles.get(item.id, FolderRole.NONE)),
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


def _drop(mailbox: Mailbox, remote_ids: Sequence[str]) -> None:
    """Folders that are gone at the provider. Their messages are gone with them, or were named elsewhere before."""
    doomed = Folder.objects.filter(mailbox=mailbox, remote_id__in=remote_ids)
    if not doomed:
        return
    Folder.objects.filter(parent__in=doomed).update(parent=None)
    Known.objects.filter(folder__in=doomed).delete()
    while ids := list(Message.objects.filter(folder__in=doomed).values_list("remote_id", flat=True)[:500]):
        remove(mailbox, ids)
    doomed.delete()
