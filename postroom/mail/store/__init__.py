"""Writing the mirror of mail, in bulk and in the caller's transaction.

Who writes waits for its mailbox's lock first (``locks``), so no row is locked in an order that others could cross.
"""

from postroom.mail.store.folders import TEMPORARY, drop_folders, folders_gone, put_folders
from postroom.mail.store.local import apply_local
from postroom.mail.store.messages import put
from postroom.mail.store.outside import drop_known, drop_known_before, keep_known
from postroom.mail.store.reading import known, missing_bodies, not_in_round, noted
from postroom.mail.store.removal import delete_mailbox_mail, drop_conversations, remove
from postroom.mail.store.types import FoldersChanged, KnownMessage, Stored

__all__ = [
    "TEMPORARY",
    "FoldersChanged",
    "KnownMessage",
    "Stored",
    "apply_local",
    "delete_mailbox_mail",
    "drop_conversations",
    "drop_folders",
    "drop_known",
    "drop_known_before",
    "folders_gone",
    "keep_known",
    "known",
    "missing_bodies",
    "not_in_round",
    "noted",
    "put",
    "put_folders",
    "remove",
]
