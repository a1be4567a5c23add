"""One mailbox: its folders, messages and history, in memory, with every change written through to the database.

All methods are called while holding `World.lock`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from postroom_sandbox.clock import Clock
from postroom_sandbox.database import Database
from postroom_sandbox.mime.message import MESSAGE
from postroom_sandbox.store import changes, model
from postroom_sandbox.store.changes import Entry
from postroom_sandbox.store.contents import Contents, Origin
from postroom_sandbox.store.conversations import Conversations
from postroom_sandbox.store.ids import MailboxIds
from postroom_sandbox.store.model import DRAFT, HAS_ATTACHMENTS, OTHER, READ, Folder, Message, MessageList
from postroom_sandbox.store.schema import SAVE_CHANGE, SAVE_FOLDER, SAVE_MESSAGE
from postroom_sandbox.store.tree import FolderTree
from postroom_sandbox.users import User

CREATED, UPDATED, DELETED = "created", "updated", "deleted"


class Change(NamedTuple):
    """What subscribers are told: ids are those the item had at that moment, in that folder."""

    mailbox_user_id: str
    change_type: str
    message_default_id: str
    message_immutable_id: str
    folder_id: str
    etag: str


Emit = Callable[[Change], None]


class Mailbox:
    """A mailbox that belongs to `user`. `number` is its key in the database."""

    def __init__(
        self, user: User, number: int, database: Database, contents: Contents, *, clock: Clock, emit: Emit
    ) -> None:
        self.user = user
        self.number = number
        self.contents = contents
        self.clock = clock
        self.ids = MailboxIds(user.id)
        self.database = database
        self.quiet = False  # True while importing: nobody is notified
        self.settings: dict[str, Any] = {}
        self.tick = 0
        self.all = MessageList()  # what a client can list: everything but recoverable items
        self.messages: dict[int, Message] = {}
        self.places: dict[int, Message] = {}
        self.extended: dict[int, Message] = {}
        self._by_message_id: dict[str, dict[int, Message]] = {}
        self._emit = emit
        self.conversations = Conversations(self)
        self.tree = FolderTree(self)

    # -- numbers and finding

    def next_tick(self) -> int:
        """The next number of the one counter behind ids, versions and history."""
        self.tick += 1
        return self.tick

    def now(self) -> int:
        """The clock in seconds since 1970."""
        return int(self.clock.timestamp())

    def find(self, identifier: str) -> Message | None:
        """The message with that id, default or immutable."""
        place = self.ids.place_of(identifier)
        if place is not None:
            found = self.places.get(place[1])
            return found if found is not None and found.folder.number == place[0] else None
        sequence = self.ids.sequence_of(identifier)
        return None if sequence is None else self.messages.get(sequence)

    def with_message_id(self, internet_message_id: str) -> list[Message]:
        """The messages with that Message-ID."""
        return list(self._by_message_id.get(internet_message_id, {}).values())

    def default_id(self, message: Message) -> str:
        """Its default id, here and now."""
        return self.ids.default(message.folder.number, message.place)

    def immutable_id(self, message: Message) -> str:
        """Its id for ever."""
        return self.ids.immutable(message.sequence)

    def etag(self, message: Message) -> str:
        """`W/"<changeKey>"`."""
        return f'W/"{self.ids.change_key(message.version)}"'

    def __iter__(self) -> Iterator[Message]:
        return iter(self.all.items)

    # -- messages

    def add(
        self,
        content: int,
        origin: Origin,
        folder: Folder,
        *,
        received: int,
        flags: int = 0,
        categories: tuple[str, ...] = (),
        extra: dict[str, Any] | None = None,
    ) -> Message:
        """Files a content as a new message. Its conversation follows from its references and Thread-Index."""
        now = self.now()
        conversation, index = self.conversations.place(origin, now)
        flags |= HAS_ATTACHMENTS if origin.has_attachments else 0
        flags |= OTHER if origin.bulk else 0
        if origin.kind != MESSAGE:
            extra = (extra or {}) | {"kind": origin.kind}
        tick = self.next_tick()
        message = Message(
            tick, tick, folder, content, received, now, now, tick, flags, categories, conversation, index,
            origin.message_id, extra,
        )  # fmt: skip
        self._enter(message)
        self._record(message, changes.CREATED)
        self._tell(message, CREATED)
        return message

    def move(self, message: Message, folder: Folder) -> None:
        """Moves: a new default id, `deleted` here and `created` there. Moving to the same folder does nothing."""
        if message.folder is not folder:
            self.place_anew(message, folder)

    def place_anew(self, message: Message, folder: Folder) -> None:
        """Moves even within the same folder: only the default id changes then."""
        self._leave(message)
        message.folder = folder
        message.place = message.version = self.next_tick()
        message.modified = self.now()
        self._enter(message)
        self._record(message, changes.MOVED_IN)
        self._tell(message, CREATED)

    def copy(self, message: Message, folder: Folder) -> Message:
        """A new message with the same content (a draft gets a content of its own)."""
        content = self.contents.duplicate(message.content) if message.is_draft else message.content
        tick, now = self.next_tick(), self.now()
        twin = Message(
            tick, tick, folder, content, message.received, now, now, tick, message.flags, message.categories,
            message.conversation, message.index, message.internet_message_id, dict(message.extra or {}) or None,
        )  # fmt: skip
        self._enter(twin)
        self._record(twin, changes.CREATED)
        self._tell(twin, CREATED)
        return twin

    def delete(self, message: Message) -> None:
        """To Deleted Items; from there to the recoverable items; from there for good."""
        if message.folder.well_known == model.RECOVERABLE:
            self.purge(message)
        elif message.folder.is_below(self.tree[model.DELETED]):
            self.move(message, self.tree[model.RECOVERABLE])
        else:
            self.move(message, self.tree[model.DELETED])

    def purge(self, message: Message) -> None:
        """Removes for good."""
        self._leave(message)
        del self.messages[message.sequence]
        self.database.execute(
            "DELETE FROM messages WHERE mailbox = ? AND sequence = ?", (self.number, message.sequence)
        )

    def touch(self, message: Message, *, read_state_only: bool = False) -> None:
        """To be called after any change to a message: new version, history, notification."""
        message.version = self.next_tick()
        message.modified = self.now()
        self._save(message)
        self._record(message, changes.READ_STATE if read_state_only else changes.UPDATED)
        self._tell(message, UPDATED)

    def set_read(self, message: Message, read: bool) -> None:
        """Changes the read flag and the folder's count; `touch` comes after."""
        if message.is_read != read:
            message.set_flags(READ, read)
            message.folder.unread += -1 if read else 1

    def set_message_id(self, message: Message, internet_message_id: str) -> None:
        """Changes the Message-ID (drafts only); `touch` comes after."""
        self._by_message_id[message.internet_message_id].pop(message.sequence)
        message.internet_message_id = internet_message_id
        self._by_message_id.setdefault(internet_message_id, {})[message.sequence] = message
        self.conversations.learn(internet_message_id, message.conversation)

    def sent(self, message: Message, *, content: int, folder: Folder, keep_sequence: bool) -> Message:
        """A draft becomes the sent copy in `folder` (graph.md 2.9)."""
        self._leave(message)
        del self.messages[message.sequence]
        old = message.sequence
        message.content = content
        message.set_flags(DRAFT, False)
        message.set_flags(READ, True)
        message.folder = folder
        message.place = message.version = self.next_tick()
        message.sequence = old if keep_sequence else message.place
        message.received = message.modified = self.now()
        if not keep_sequence:
            self.database.execute("DELETE FROM messages WHERE mailbox = ? AND sequence = ?", (self.number, old))
        self._enter(message)
        self._record(message, changes.CREATED)
        self._tell(message, CREATED)
        return message

    def expire_delta(self) -> None:
        """Forgets all history: every delta token of this mailbox is dead."""
        self.tick += 1
        self.tree.log.floor = self.tick
        for folder in self.tree:
            folder.log.floor = self.tick
            self.save_folder(folder)
        self.settings["tree_floor"] = self.tick
        self.save()

    # -- the parts every change is made of

    def _enter(self, message: Message) -> None:
        folder = message.folder
        self.index(message)
        folder.messages.add(message)
        if folder.well_known != model.RECOVERABLE:
            self.all.add(message)
        self._save(message)

    def index(self, message: Message) -> None:
        """Makes a message findable (not yet listed)."""
        self.messages[message.sequence] = message
        self.places[message.place] = message
        self._by_message_id.setdefault(message.internet_message_id, {})[message.sequence] = message
        if message.extended:
            self.extended[message.sequence] = message
        self.conversations.members.setdefault(message.conversation, {})[message.sequence] = message
        if not message.is_read:
            message.folder.unread += 1

    def _leave(self, message: Message) -> None:
        folder = message.folder
        self._tell(message, DELETED)
        self.next_tick()
        self._record(message, changes.REMOVED)
        folder.messages.remove(message)
        if folder.well_known != model.RECOVERABLE:
            self.all.remove(message)
        if not message.is_read:
            folder.unread -= 1
        del self.places[message.place]
        self._by_message_id[message.internet_message_id].pop(message.sequence, None)
        self.extended.pop(message.sequence, None)
        self.conversations.members[message.conversation].pop(message.sequence, None)

    def _record(self, message: Message, kind: str) -> None:
        entry = Entry(self.tick, kind, message.sequence, message.place)
        message.folder.log.add(entry)
        self.database.execute(SAVE_CHANGE, (self.number, entry.tick, message.folder.number, *entry[1:]))

    def _tell(self, message: Message, change_type: str) -> None:
        if self.quiet or message.folder.well_known == model.RECOVERABLE:
            return
        ids = (self.default_id(message), self.immutable_id(message), self.ids.folder(message.folder.number))
        self._emit(Change(self.user.id, change_type, *ids, self.etag(message)))

    def _save(self, message: Message) -> None:
        row = (self.number, message.sequence, message.place, message.folder.number, message.content)
        times = (message.received, message.created, message.modified, message.version, message.flags)
        rest = (json.dumps(message.categories), message.conversation, message.index, message.internet_message_id)
        extra = json.dumps(message.extra) if message.extra else None
        self.database.execute(SAVE_MESSAGE, (*row, *times, *rest, extra))

    def save_folder(self, folder: Folder) -> None:
        """Writes a folder as it is now."""
        parent = folder.parent.number if folder.parent else None
        row = (self.number, folder.number, parent, folder.name, folder.well_known, folder.hidden, folder.log.floor)
        self.database.execute(SAVE_FOLDER, row)

    def save(self) -> None:
        """Writes the mailbox's own row."""
        packed = json.dumps(self.settings)
        sql = "INSERT OR REPLACE INTO mailboxes VALUES (?,?,?,?)"
        self.database.execute(sql, (self.number, self.user.id, self.tick, packed))
