"""Which messages belong together, inside one mailbox (graph.md 2.1 conversationId, trap 15)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from postroom_sandbox.store.contents import Origin
from postroom_sandbox.store.model import Message
from postroom_sandbox.store.schema import SAVE_THREAD_ID

if TYPE_CHECKING:
    from postroom_sandbox.store.mailbox import Mailbox

SPLIT_AFTER = 100  # a long thread goes on under a new conversationId
_HEADER_BYTES, _CHILD_BYTES = 22, 5
_FILETIME_EPOCH = 11_644_473_600


class Conversations:
    """Message ids and Thread-Index GUIDs that lead to a conversation number."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._of_id: dict[str, int] = {}
        self.members: dict[int, dict[int, Message]] = {}

    def load(self) -> None:
        """Reads what was learned before the last restart."""
        sql = "SELECT message_id, conversation FROM thread_ids WHERE mailbox = ?"
        self._of_id = dict(self._mailbox.database.query(sql, (self._mailbox.number,)))

    def learn(self, key: str, conversation: int) -> None:
        """Remembers that `key` leads to `conversation`; what is known already stays."""
        if key not in self._of_id:
            self._of_id[key] = conversation
            self._mailbox.database.execute(SAVE_THREAD_ID, (self._mailbox.number, key, conversation))

    def place(self, origin: Origin, now: int) -> tuple[int, bytes]:
        """The conversation number and conversationIndex of a new message."""
        guid = "guid:" + origin.thread_index[6:_HEADER_BYTES].hex() if origin.thread_index else ""
        keys = [origin.message_id, *reversed(origin.references), *([guid] if guid else [])]
        conversation = next((self._of_id[key] for key in keys if key in self._of_id), 0)
        parent = self._newest(conversation)
        if not conversation or len(self.members.get(conversation, ())) >= SPLIT_AFTER:
            conversation = self._mailbox.next_tick()
            self._of_id.update(dict.fromkeys((key for key in keys if key in self._of_id), conversation))
        for key in keys:
            self.learn(key, conversation)
        index = origin.thread_index or self._index(conversation, parent, now)
        return conversation, index

    def _newest(self, conversation: int) -> Message | None:
        members = self.members.get(conversation)
        return next(reversed(members.values()), None) if members else None

    def _index(self, conversation: int, parent: Message | None, now: int) -> bytes:
        if parent is not None:
            return child_index(parent.index, now)
        filetime = struct.pack(">Q", (now + _FILETIME_EPOCH) * 10_000_000)
        return filetime[:6] + self._mailbox.ids.conversation_guid(conversation)


def child_index(index: bytes, now: int) -> bytes:
    """The conversationIndex of an answer: its parent's and five bytes for the time that went by."""
    started = int.from_bytes(index[:6] + b"\x00\x00", "big") // 10_000_000 - _FILETIME_EPOCH
    gone = max(0, now - started)
    return index[: 22 + 5 * 40] + struct.pack(">IB", min(gone, 0x7FFFFFFF), len(index) % 251)
