"""A mailbox of the in-process provider: its truth, and the small language in which tests change it.

    box = connector().mailbox("ana@northwind.example")
    first = box.deliver(subject="Offer", from_="bob@contoso.example")
    box.read(first); box.move(first, box.folder("Customers"))
    box.fail_next(Transient(), on="spine"); box.expire_cursors(); box.spoil(first)

Ids stay when a message moves. What happened is a log; a delta is the log since a number.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, structs

from postroom.lib import clock
from postroom.providers.contract import (
    Acquaintance,
    Address,
    Flag,
    FolderRole,
    RemoteAttachment,
    RemoteBody,
    RemoteCategory,
    RemoteFolder,
    RemoteMessage,
)
from postroom.providers.errors import NotFound, ProviderError, Refused, SendingLimit
from postroom.providers.memory.push import Subscriptions

ROOT = "root"
STATE_FIELDS = frozenset({"is_read", "flag", "categories"})


class Entry(Struct, frozen=True):
    """Something that happened to ``item`` in ``folder``. ``fields``: only these changed; empty: came, went or other."""

    number: int
    folder: str
    item: str
    fields: frozenset[str] = frozenset()


class Fault(Struct):
    error: ProviderError
    on: str
    times: int
    after: bool


class Box:
    """One mailbox. ``page`` is how many rows a page holds; ``awkward`` makes deltas as unpleasant as real ones are:
    duplicates, replays, sparse rows, empty pages that lead on, and a new id for the sent copy of a draft.
    ``stale``: what is replayed may be told as it was before its last change. ``now`` is the provider's own clock.
    """

    def __init__(self, address: str, world: dict[str, "Box"]) -> None:
        self.address = address
        self.page = 50
        self.awkward = True
        self.stale = False
        self.withdrawn = False  # whoever borrows another's grant to read this mailbox is refused
        self.now: Callable[[], datetime] = clock.now
        self.generation = 1
        self.folders: dict[str, RemoteFolder] = {}
        self.messages: dict[str, RemoteMessage] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.categories: dict[str, RemoteCategory] = {}
        self.categories_refused = False  # the permission was not granted
        self.people: list[Acquaintance] = []  # whom its owner works with, the most relevant first
        self.away = ""  # the automatic reply of its owner
        self.spoiled: dict[str, str] = {}
        self.may_send: int | None = None  # recipients it may write to in 24 hours
        self.protected: set[str] = set()  # messages that the provider will not change for a client
        self.outdated: dict[str, RemoteMessage] = {}  # each message as it was before its last change
        self.sent: list[RemoteMessage] = []  # everything that went out from here
        self.log: list[Entry] = []
        self.folder_log: list[Entry] = []
        self.rounds: list[tuple[str, ...]] = []  # snapshots of listings under way
        self.subscriptions = Subscriptions(address)
        self.calls: list[str] = []
        self._world = world
        self._faults: list[Fault] = []
        self._number = 0
        self._lock = threading.RLock()
        for role in FolderRole:
            if role not in (FolderRole.NONE, FolderRole.ROOT):
                self._keep_folder(RemoteFolder(id=role.value, parent_id=ROOT, name=role.value.title(), role=role))

    # Mail that comes and changes

    def deliver(
        self,
        *,
        subject: str = "Hello",
        from_: str | Address = "bob@contoso.example",
        to: Sequence[str | Address] | None = None,
        html: str = "<p>Hello</p>",
        folder: str = "inbox",
        received: datetime | None = None,
        files: dict[str, bytes] | None = None,
        **fields: Any,
    ) -> str:
        """A message arrives; its id. ``fields`` are those of ``RemoteMessage``."""
        number, moment = self._next(), received or self.now()
        told: dict[str, Any] = {
            "internet_message_id": f"<{number}@{self.address}>",
            "conversation_id": f"conversation-{number}",
            "sender": _address(from_),
            "is_read": False,
            "is_draft": False,
            "preview": html[:255],
            **fields,
        }
        message = RemoteMessage(
            id=f"m{number}",
            subject=subject.replace("\x00", "\ufffd"),
            from_=_address(from_),
            to=tuple(_address(one) for one in ([self.address] if to is None else to)),
            received=moment,
            sent=told.pop("sent", moment),
            body=RemoteBody("html", html),
            **{**EMPTY, **told},
        )
        self.put(message, folder)
        for name, content in (files or {}).items():
            self.add_file(message.id, name=name, content=content)
        return message.id

    def put(self, message: RemoteMessage, folder: str) -> RemoteMessage:
        """Keep ``message`` in ``folder`` under its id, with a new change key."""
        self._known(folder)
        before = self.messages.get(message.id)
        kept = self._stamped(message, folder_id=folder)
        self.messages[message.id] = kept
        if before:
            self.outdated[message.id] = before
        if before and before.folder_id != folder:
            self._happened(before.folder_id or "", message.id)
        self._happened(folder, message.id)
        self.subscriptions.post(change="updated" if before else "created", message_id=message.id)
        return kept

    def change(self, message_id: str, **fields: Any) -> RemoteMessage:
        """Some fields of a message change."""
        before = self.get(message_id)
        after = self._stamped(before, **fields)
        self.messages[message_id], self.outdated[message_id] = after, before
        only_state = frozenset(fields) if fields.keys() <= STATE_FIELDS else frozenset()
        self._happened(after.folder_id or "", message_id, only_state)
        self.subscriptions.post(change="updated", message_id=message_id)
        return after

    def read(self, message_id: str, is_read: bool = True) -> RemoteMessage:
        return self.change(message_id, is_read=is_read)

    def flag(self, message_id: str, flag: Flag = Flag.FLAGGED) -> RemoteMessage:
        return self.change(message_id, flag=flag)

    def move(self, message_id: str, folder: str) -> RemoteMessage:
        return self.put(self.get(message_id), folder)

    def delete(self, message_id: str) -> None:
        """Gone for good."""
        message = self.get(message_id)
        del self.messages[message_id]
        self._happened(message.folder_id or "", message_id)
        self.subscriptions.post(change="deleted", message_id=message_id)

    def add_file(self, message_id: str, *, name: str, content: bytes, **fields: Any) -> RemoteAttachment:
        message = self.get(message_id)
        told = {"content_type": "application/octet-stream", **fields}
        file = RemoteAttachment(id=f"a{self._next()}", name=name, size=len(content), **told)
        self.files[message_id, file.id] = content
        inline_only = file.is_inline and not message.has_attachments
        self.change(message_id, attachments=(*(message.attachments or ()), file), has_attachments=not inline_only)
        return file

    def remove_file(self, message_id: str, file_id: str) -> None:
        message = self.get(message_id)
        left = tuple(one for one in message.attachments or () if one.id != file_id)
        self.files.pop((message_id, file_id), None)
        self.change(message_id, attachments=left, has_attachments=any(not one.is_inline for one in left))

    def get(self, message_id: str) -> RemoteMessage:
        if message_id not in self.messages:
            raise NotFound(f"no message {message_id}")
        return self.messages[message_id]

    # Folders

    def folder(self, name: str, parent: str | None = None) -> str:
        """A new folder; its id. Raises ``Refused`` when its parent has one of that name."""
        parent = parent or ROOT
        self._free(name, parent)
        folder = RemoteFolder(id=f"f{self._next()}", parent_id=parent, name=name)
        self._keep_folder(folder)
        return folder.id

    def change_folder(self, folder_id: str, **fields: Any) -> RemoteFolder:
        """A folder gets another ``name`` or ``parent_id``. Raises ``Refused`` when that is taken, or it has a role."""
        after = structs.replace(self._known(folder_id), **fields)
        if after.role:
            raise Refused(
                "a folder with a purpose cannot be changed", code="ErrorDeleteDistinguishedFolder", status=403
            )
        self._free(after.name, after.parent_id or ROOT, besides=folder_id)
        return self._keep_folder(after)

    def _free(self, name: str, parent: str, *, besides: str = "") -> None:
        siblings = (one for one in self.folders.values() if one.parent_id == parent and one.id != besides)
        if any(one.name.casefold() == name.casefold() for one in siblings):
            raise Refused(f"there is a folder called {name}", code="ErrorFolderExists", status=409)

    def category(self, name: str, color: int | None = None) -> RemoteCategory:
        """A category in the mailbox's list, new or with another colour."""
        known = self.categories.get(name.casefold())
        made = RemoteCategory(id=known.id if known else f"category-{self._next()}", name=name, color=color)
        self.categories[name.casefold()] = made
        return made

    def remove_folder(self, folder_id: str) -> None:
        """A folder goes, with all that is in it."""
        self._known(folder_id)
        for child in [one.id for one in self.folders.values() if one.parent_id == folder_id]:
            self.remove_folder(child)
        for message in self.within(folder_id):
            self.delete(message.id)
        del self.folders[folder_id]
        self.folder_log.append(Entry(self._next(), "", folder_id))

    def counted(self, folder_id: str) -> RemoteFolder:
        within = self.within(folder_id)
        unread = sum(not one.is_read for one in within)
        return structs.replace(self._known(folder_id), total=len(within), unread=unread)

    def within(self, folder_id: str) -> list[RemoteMessage]:
        """The messages of a folder, newest first."""
        self._known(folder_id)
        return sorted((one for one in self.messages.values() if one.folder_id == folder_id), key=_age, reverse=True)

    def newest_first(self) -> list[RemoteMessage]:
        return sorted(self.messages.values(), key=_age, reverse=True)

    # Accidents

    def fail_next(self, error: ProviderError, *, on: str = "", times: int = 1, after: bool = False) -> None:
        """The next ``times`` calls (of the method ``on``) raise ``error``: before anything is done, or ``after``."""
        self._faults.append(Fault(error, on, times, after))

    def recover(self) -> None:
        """No more accidents."""
        self._faults.clear()
        self.protected.clear()
        self.withdrawn = False

    def expire_cursors(self) -> None:
        self.generation += 1

    def spoil(self, message_id: str, reason: str = "cannot be decoded") -> None:
        """The message can no longer be read whole."""
        self.spoiled[message_id] = reason

    def notifications(self) -> list[bytes]:
        """What was posted to our webhook since the last look."""
        return self.subscriptions.fetch()

    @contextmanager
    def called(self, method: str) -> Iterator[None]:
        """One call of the provider's: counted, and failing when it was told to."""
        with self._lock:
            yield from self._call(method)

    def _call(self, method: str) -> Iterator[None]:
        self.calls.append(method)
        fault = next((one for one in self._faults if one.on in ("", method)), None)
        if fault:
            fault.times -= 1
            if not fault.times:
                self._faults.remove(fault)
            if not fault.after:
                raise fault.error
        yield
        if fault:
            raise fault.error

    # Sending

    def post(self, draft: RemoteMessage) -> RemoteMessage:
        """A draft goes out: to Sent Items here, and to every mailbox of this world it is addressed to."""
        sent = structs.replace(draft, is_draft=False, is_read=True, received=self.now(), sent=self.now())
        self.sent.append(sent)
        files = {name: self.files[owner, name] for owner, name in self.files if owner == draft.id}
        if self.awkward:  # a draft's id need not be that of the sent copy (graph.md 14.11)
            self.delete(draft.id)
            sent = structs.replace(sent, id=f"m{self._next()}")
            self.files |= {(sent.id, name): content for name, content in files.items()}
        people = (one.address.lower() for one in (*_told(sent.to), *_told(sent.cc), *_told(sent.bcc)))
        for person in dict.fromkeys(people):
            if box := self._world.get(person):
                box.receive(sent, files)
        return self.put(sent, FolderRole.SENT.value)

    def receive(self, sent: RemoteMessage, files: dict[str, bytes]) -> None:
        """Somebody of this world wrote. The thread is found by what the message answers."""
        answered = {sent.in_reply_to, *(sent.references or ())}
        known = (one.conversation_id for one in self.messages.values() if one.internet_message_id in answered)
        number = self._next()
        conversation = next(known, f"conversation-{number}")
        copy = structs.replace(
            sent, id=f"m{number}", conversation_id=conversation, is_read=False, bcc=(), marker="", categories=()
        )
        self.files |= {(copy.id, name): content for name, content in files.items()}
        self.put(copy, FolderRole.INBOX.value)

    def allow(self, draft: RemoteMessage) -> None:
        """Raises ``SendingLimit`` when the mailbox has written to as many as it may within a day."""
        since = self.now() - timedelta(days=1)
        recent = (one for one in self.sent if (one.sent or since) > since)
        written = sum(_recipients(one) for one in recent)
        if self.may_send is not None and written + _recipients(draft) > self.may_send:
            raise SendingLimit("as many as it may", code="ErrorExceededMessageLimit", status=429, retry_after=86_400)

    # Bookkeeping

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _stamped(self, message: RemoteMessage, **fields: Any) -> RemoteMessage:
        return structs.replace(message, **fields, change_key=f"c{self._next()}", modified=self.now())

    def _happened(self, folder: str, item: str, fields: frozenset[str] = frozenset()) -> None:
        self.log.append(Entry(self._next(), folder, item, fields))

    def _known(self, folder_id: str) -> RemoteFolder:
        if folder_id not in self.folders:
            raise NotFound(f"no folder {folder_id}")
        return self.folders[folder_id]

    def _keep_folder(self, folder: RemoteFolder) -> RemoteFolder:
        self.folders[folder.id] = folder
        self.folder_log.append(Entry(self._next(), "", folder.id))
        return folder


EMPTY: dict[str, Any] = {
    "in_reply_to": "",
    "references": (),
    "cc": (),
    "bcc": (),
    "reply_to": (),
    "flag": Flag.NONE,
    "categories": (),
    "importance": "normal",
    "has_attachments": False,
    "attachments": (),
    "headers": {},
    "marker": "",
}

_age: Callable[[RemoteMessage], tuple[datetime, str]] = lambda one: (one.received or datetime.min, one.id)  # noqa: E731, DTZ901


def _address(one: str | Address) -> Address:
    return one if isinstance(one, Address) else Address(one)


def _recipients(message: RemoteMessage) -> int:
    return sum(len(_told(people)) for people in (message.to, message.cc, message.bcc))


def _told(people: tuple[Address, ...] | None) -> tuple[Address, ...]:
    return people or ()
