"""The folders of one mailbox: well-known names, creating, renaming, moving, copying, deleting (graph.md 2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from postroom_sandbox.store import model
from postroom_sandbox.store.changes import CREATED, REMOVED, UPDATED, ChangeLog, Entry
from postroom_sandbox.store.model import ROOT, Folder, Message
from postroom_sandbox.store.schema import SAVE_CHANGE

if TYPE_CHECKING:
    from postroom_sandbox.store.mailbox import Mailbox

MAX_CHILDREN = 10_000
TREE_LOG = 0  # the folder number under which changes of the tree itself are kept
# well-known name, display name, parent, hidden
_STANDARD = (
    (ROOT, "Top of Information Store", "", False),
    ("archive", "Archive", ROOT, False),
    ("conversationhistory", "Conversation History", ROOT, False),
    (model.DELETED, "Deleted Items", ROOT, False),
    (model.DRAFTS, "Drafts", ROOT, False),
    (model.INBOX, "Inbox", ROOT, False),
    (model.JUNK, "Junk Email", ROOT, False),
    ("outbox", "Outbox", ROOT, False),
    (model.SENT, "Sent Items", ROOT, False),
    ("syncissues", "Sync Issues", ROOT, True),
    ("conflicts", "Conflicts", "syncissues", True),
    ("localfailures", "Local Failures", "syncissues", True),
    ("serverfailures", "Server Failures", "syncissues", True),
    ("searchfolders", "Finder", "", True),
    ("scheduled", "Scheduled", ROOT, True),
    (model.RECOVERABLE, "Deletions", "", True),
)
WELL_KNOWN = frozenset({row[0] for row in _STANDARD} | {"clutter"})
_LOCALISED = (
    "archive", "conversationhistory", "deleteditems", "drafts", "inbox", "junkemail", "outbox", "sentitems",
)  # fmt: skip
_LOCAL_NAMES = {
    "de": "Archiv|Aufgezeichnete Unterhaltungen|Gelöschte Elemente|Entwürfe|Posteingang|Junk-E-Mail|Postausgang"
    "|Gesendete Elemente",
    "fr": "Archive|Historique des conversations|Éléments supprimés|Brouillons|Boîte de réception"
    "|Courrier indésirable|Boîte d'envoi|Éléments envoyés",
    "ja": "アーカイブ|会話の履歴|削除済みアイテム|下書き|受信トレイ|迷惑メール|送信トレイ|送信済みアイテム",
}


class NameTaken(Exception):
    """A sibling has that name already."""


class FolderTree:
    """All folders by number and by well-known name. `log` is the history of the tree itself."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self.by_number: dict[int, Folder] = {}
        self._by_name: dict[str, Folder] = {}
        self.log = ChangeLog()

    def __getitem__(self, well_known: str) -> Folder:
        return self._by_name[well_known]

    def __iter__(self) -> Iterator[Folder]:
        return iter(list(self.by_number.values()))

    def get(self, key: str) -> Folder | None:
        """By id or well-known name."""
        found = self._by_name.get(key.lower())
        if found is None:
            number = self._mailbox.ids.folder_of(key)
            found = None if number is None else self.by_number.get(number)
        return found

    def at_path(self, path: str) -> Folder:
        """The folder with that path of display names (or a well-known name), made if it is missing."""
        folder = self._by_name.get(path.strip("/").lower())
        if folder is not None:
            return folder
        folder = self[ROOT]
        for depth, name in enumerate(part for part in path.split("/") if part.strip()):
            known = self._by_name.get(name.lower()) if depth == 0 else None
            folder = known or self.child(folder, name) or self.create(name, folder)
        return folder

    def child(self, parent: Folder, name: str) -> Folder | None:
        """The child of that display name, any letter case."""
        wanted = name.casefold()
        return next((item for item in parent.children.values() if item.name.casefold() == wanted), None)

    def create_standard(self, language: str = "") -> None:
        """The folders every mailbox has, named in the owner's language."""
        local = _LOCAL_NAMES.get(language[:2].lower())
        names = dict(zip(_LOCALISED, local.split("|"), strict=True)) if local else {}
        for well_known, name, parent, hidden in _STANDARD:
            folder = Folder(self._mailbox.next_tick(), names.get(well_known, name), self._by_name.get(parent))
            folder.well_known, folder.hidden = well_known, hidden
            self.link(folder)
            self._mailbox.save_folder(folder)

    def link(self, folder: Folder) -> None:
        """Puts a folder into the indexes."""
        self.by_number[folder.number] = folder
        if folder.well_known:
            self._by_name[folder.well_known] = folder
        if folder.parent is not None:
            folder.parent.children[folder.number] = folder

    def create(self, name: str, parent: Folder, *, hidden: bool = False) -> Folder:
        """A new folder. Raises `NameTaken`."""
        self._require_free(parent, name)
        folder = Folder(self._mailbox.next_tick(), name, parent, hidden=hidden)
        self.link(folder)
        self._changed(folder, CREATED)
        return folder

    def rename(self, folder: Folder, name: str) -> None:
        """Renames. Raises `NameTaken`."""
        assert folder.parent is not None
        if self.child(folder.parent, name) not in (None, folder):
            raise NameTaken(name)
        folder.name = name
        self._changed(folder, UPDATED)

    def move(self, folder: Folder, parent: Folder) -> None:
        """Moves with everything inside; ids stay. Raises `NameTaken`."""
        if folder.parent is parent:
            return
        self._require_free(parent, folder.name)
        assert folder.parent is not None
        del folder.parent.children[folder.number]
        folder.parent = parent
        parent.children[folder.number] = folder
        self._changed(folder, UPDATED)

    def copy(self, folder: Folder, parent: Folder) -> Folder:
        """Copies with everything inside. Raises `NameTaken`."""
        self._require_free(parent, folder.name)
        children, messages = list(folder.children.values()), list(folder.messages.items)
        twin = self.create(folder.name, parent, hidden=folder.hidden)
        for message in messages:
            self._mailbox.copy(message, twin)
        for child in children:
            self.copy(child, twin)
        return twin

    def delete(self, folder: Folder) -> None:
        """Into Deleted Items; what is deleted from there goes for good, its messages to the recoverable items."""
        bin_ = self[model.DELETED]
        if folder.is_below(bin_):
            self.destroy(folder)
            return
        free, number = folder.name, 1
        while self.child(bin_, free) is not None:
            free, number = f"{folder.name}{number}", number + 1
        if free != folder.name:
            folder.name = free
        self.move(folder, bin_)

    def destroy(self, folder: Folder, *, purge: bool = False) -> None:
        """Removes a folder and what is below it."""
        for child in list(folder.children.values()):
            self.destroy(child, purge=purge)
        for message in list(folder.messages.items):
            self._discard(message, purge=purge)
        assert folder.parent is not None
        del folder.parent.children[folder.number]
        del self.by_number[folder.number]
        self._record(folder, REMOVED)
        sql = "DELETE FROM folders WHERE mailbox = ? AND number = ?"
        self._mailbox.database.execute(sql, (self._mailbox.number, folder.number))

    def _discard(self, message: Message, *, purge: bool) -> None:
        if purge:
            self._mailbox.purge(message)
        else:
            self._mailbox.move(message, self[model.RECOVERABLE])

    def _require_free(self, parent: Folder, name: str) -> None:
        if self.child(parent, name) is not None:
            raise NameTaken(name)

    def _changed(self, folder: Folder, kind: str) -> None:
        self._mailbox.save_folder(folder)
        self._record(folder, kind)

    def _record(self, folder: Folder, kind: str) -> None:
        mailbox = self._mailbox
        entry = Entry(mailbox.next_tick(), kind, folder.number, 0)
        self.log.add(entry)
        mailbox.database.execute(SAVE_CHANGE, (mailbox.number, entry.tick, TREE_LOG, *entry[1:]))
