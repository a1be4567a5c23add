"""Writing the mirror of mail, in bulk and in the caller's transaction.

Rows are locked in one order — messages by id, then conversations, threads, folders — so that several mailboxes of a
workspace and the members at their screens write at the same time without standing in each other's way.
"""

from postroom.mail.store.folders import put_folders
from postroom.mail.store.local import apply_local
from postroom.mail.store.messages import put
from postroom.mail.store.outside import drop_known, keep_known
from postroom.mail.store.reading import known, missing_bodies, not_in_round
from postroom.mail.store.removal import delete_mailbox_mail, drop_conversations, remove
from postroom.mail.store.types import FoldersChanged, KnownMessage, Stored

__all__ = [
    "FoldersChanged",
    "KnownMessage",
    "Stored",
    "apply_local",
    "delete_mailbox_mail",
    "drop_conversations",
    "drop_known",
    "keep_known",
    "known",
    "missing_bodies",
    "not_in_round",
    "put",
    "put_folders",
    "remove",
]
