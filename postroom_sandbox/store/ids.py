"""Opaque ids of the shapes Exchange uses (graph.md 2.7), computed from numbers so that none need be stored.

A default id names a place: it changes whenever the message moves. An immutable id names the message. Both are
case-sensitive and bound to their mailbox.
"""

from __future__ import annotations

import base64
import binascii
import struct
import uuid

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_PLACE = struct.Struct(">IQ2x")
_SEQUENCE = struct.Struct(">Q3x")
_ATTACHMENT = struct.Struct(">4xQ")
_CONVERSATION = struct.Struct(">QQ")


def _encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return b""


class MailboxIds:
    """The ids of one mailbox, whose owner is `user_id` (a GUID)."""

    def __init__(self, user_id: str) -> None:
        guid = user_id.encode("ascii")
        store = uuid.uuid5(uuid.UUID(user_id), "store").bytes
        replica = uuid.uuid5(uuid.UUID(user_id), "replica").bytes
        entry = b"\x00\x03\x24\x00" + guid + b"\x00F\x00\x00\x00\x00\x00" + store + b"\x07\x00" + replica
        self._place = entry + bytes(99 - len(entry))
        fixed = bytes.fromhex("0009002e00000000001d840311aa6611cd9bc800aa002f845a0d00")
        self._immutable = fixed + bytes(27 - len(fixed)) + store + b"\x00\x00"
        self._folder = b"\x01\x03\x24\x00" + guid + b"\x00.\x00\x00\x03" + store + bytes(2)
        self._conversation = b"\x00\x04\x24\x00" + guid + b"\x00\x10\x00"
        self._change = b"\x09\x00\x00\x00\x16\x00\x00\x00" + store
        self._key = int.from_bytes(replica[:8], "big")
        self._place64 = _encode(self._place)
        self._immutable64 = _encode(self._immutable)
        self._folders: dict[int, str] = {}
        self._change64 = base64.b64encode(self._change).decode("ascii")

    def default(self, folder: int, place: int) -> str:
        """The default id of the message at `place` in `folder`."""
        return self._place64 + _encode(_PLACE.pack(folder, place))

    def immutable(self, sequence: int) -> str:
        """The immutable id of message number `sequence`."""
        return self._immutable64 + _encode(_SEQUENCE.pack(sequence))

    def folder(self, number: int) -> str:
        """The id of folder `number`; the same for ever."""
        found = self._folders.get(number)
        if found is None:
            found = self._folders[number] = _encode(self._folder + struct.pack(">I", number) + bytes(3))
        return found

    def conversation(self, number: int) -> str:
        """A conversationId."""
        return _encode(self._conversation + _CONVERSATION.pack(self._key, number))

    def conversation_guid(self, number: int) -> bytes:
        """The 16 bytes that stand for a conversation in its conversationIndex."""
        return _CONVERSATION.pack(self._key, number)

    def change_key(self, version: int) -> str:
        """The changeKey of a version (plain base64, so it may hold `/` and `+`)."""
        return self._change64 + binascii.b2a_base64(version.to_bytes(6, "big"), newline=False).decode("ascii")

    def attachment(self, message_id: str, number: int) -> str:
        """The id of attachment `number` below a message shown as `message_id`."""
        return _encode(_decode(message_id)[:-2] + b"\x01\x12\x00\x10" + _ATTACHMENT.pack(number))

    def place_of(self, text: str) -> tuple[int, int] | None:
        """(folder, place) of a default id of this mailbox, or None."""
        data = _decode(text) if text.startswith(self._place64) else b""
        if len(data) != len(self._place) + _PLACE.size:
            return None
        folder, place = _PLACE.unpack(data[len(self._place) :])
        return (folder, place) if self.default(folder, place) == text else None

    def sequence_of(self, text: str) -> int | None:
        """The message number of an immutable id of this mailbox, or None."""
        data = _decode(text) if text.startswith(self._immutable64) else b""
        if len(data) != len(self._immutable) + _SEQUENCE.size:
            return None
        (sequence,) = _SEQUENCE.unpack(data[len(self._immutable) :])
        return sequence if self.immutable(sequence) == text else None

    def folder_of(self, text: str) -> int | None:
        """The folder number of a folder id, or None."""
        data = _decode(text)
        if not data.startswith(self._folder) or len(data) != len(self._folder) + 7:
            return None
        number = int.from_bytes(data[-7:-3], "big")
        return number if self.folder(number) == text else None

    def conversation_of(self, text: str) -> int | None:
        """The conversation number of a conversationId, or None."""
        data = _decode(text)
        if not data.startswith(self._conversation) or len(data) != len(self._conversation) + 16:
            return None
        number = int.from_bytes(data[-8:], "big")
        return number if self.conversation(number) == text else None

    def attachment_of(self, message_id: str, text: str) -> int | None:
        """The attachment number of an attachment id below that message id, or None."""
        data = _decode(text)
        if len(data) < _ATTACHMENT.size:
            return None
        (number,) = _ATTACHMENT.unpack(data[-_ATTACHMENT.size :])
        return number if self.attachment(message_id, number) == text else None


def looks_like_id(text: str) -> bool:
    """Whether Graph could parse `text` as an id at all; if not it says `ErrorInvalidIdMalformed`."""
    return len(text) >= 40 and bool(_decode(text))
