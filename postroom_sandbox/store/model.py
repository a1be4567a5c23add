"""What a mailbox keeps in memory for each message and folder: small, so that 100,000 fit easily."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import Any

from postroom_sandbox.store.changes import ChangeLog

READ, DRAFT, HAS_ATTACHMENTS, FLAGGED, COMPLETE, OTHER = 1, 2, 4, 8, 16, 32
FLAG_WORDS = {0: "notFlagged", FLAGGED: "flagged", COMPLETE: "complete"}

ROOT = "msgfolderroot"
INBOX, DRAFTS, SENT, DELETED, JUNK = "inbox", "drafts", "sentitems", "deleteditems", "junkemail"
RECOVERABLE = "recoverableitemsdeletions"


@dataclass(slots=True, eq=False)
class Message:
    """One message in one place. Times are seconds since 1970; `content` points into `Contents`.

    `sequence` never changes (immutable id), `place` is new after every move (default id), `version` after every
    change (changeKey). `extra` holds what few messages have: extended properties, flag dates.
    """

    sequence: int
    place: int
    folder: Folder
    content: int
    received: int
    created: int
    modified: int
    version: int
    flags: int
    categories: tuple[str, ...]
    conversation: int
    index: bytes
    internet_message_id: str
    extra: dict[str, Any] | None = None

    def order(self) -> tuple[int, int]:
        """The key every list of messages is sorted by."""
        return (self.received, self.sequence)

    @property
    def is_read(self) -> bool:
        """Whether it has been read."""
        return bool(self.flags & READ)

    @property
    def is_draft(self) -> bool:
        """Whether it still can be edited and sent."""
        return bool(self.flags & DRAFT)

    @property
    def flag_status(self) -> str:
        """notFlagged, flagged or complete."""
        return FLAG_WORDS[self.flags & (FLAGGED | COMPLETE)]

    @property
    def extended(self) -> dict[str, str]:
        """Single-value extended properties by id."""
        found: dict[str, str] = (self.extra or {}).get("extended", {})
        return found

    def set_flags(self, mask: int, on: bool) -> None:
        """Sets or clears bits of `flags`."""
        self.flags = self.flags | mask if on else self.flags & ~mask


class MessageList:
    """Messages sorted by (received, sequence)."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[Message] = []

    def __len__(self) -> int:
        return len(self.items)

    def add(self, message: Message) -> None:
        """Puts a message where it belongs."""
        items = self.items
        if not items or items[-1].order() < message.order():
            items.append(message)
        else:
            insort(items, message, key=Message.order)

    def remove(self, message: Message) -> None:
        """Takes a message out; it must be there."""
        at = bisect_left(self.items, message.order(), key=Message.order)
        if self.items[at] is not message:
            raise LookupError("message is not in this list")
        del self.items[at]

    def before(self, key: tuple[int, int]) -> int:
        """How many messages sort before `key`."""
        return bisect_left(self.items, key, key=Message.order)


@dataclass(slots=True, eq=False)
class Folder:
    """A folder. `well_known` is "" for those people make; `log` says what happened to its messages."""

    number: int
    name: str
    parent: Folder | None
    well_known: str = ""
    hidden: bool = False
    children: dict[int, Folder] = field(default_factory=dict)
    messages: MessageList = field(default_factory=MessageList)
    unread: int = 0
    log: ChangeLog = field(default_factory=ChangeLog)

    @property
    def path(self) -> str:
        """Names from below the root, joined by "/"."""
        names: list[str] = []
        at: Folder | None = self
        while at is not None and at.parent is not None:
            names.append(at.name)
            at = at.parent
        return "/".join(reversed(names))

    def is_below(self, other: Folder) -> bool:
        """Whether it is `other` or anywhere inside it."""
        at: Folder | None = self
        while at is not None:
            if at is other:
                return True
            at = at.parent
        return False

    def visible_children(self, *, hidden: bool = False) -> list[Folder]:
        """Child folders by name, hidden ones only on request."""
        found = [child for child in self.children.values() if hidden or not child.hidden]
        return sorted(found, key=lambda child: (child.name.casefold(), child.number))
