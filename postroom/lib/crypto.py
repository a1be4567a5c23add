"""Secrets at rest: AES-256-GCM boxes that can be opened only in the place they were made for.

A box is `version (1 byte) | key id (4) | nonce (12) | ciphertext and tag`. The associated data, a tuple of words like
("connection", "17", "grant"), is not in the box: whoever opens it must name the same place, so a box copied to another
row stays shut. Keys live in the environment, newest first; old ones only open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
KEY_BYTES, ID_BYTES, NONCE_BYTES, TAG_BYTES = 32, 4, 12, 16
HEADER_BYTES = 1 + ID_BYTES + NONCE_BYTES


class BadKey(ValueError):
    """A configured key is unusable; the text says which and why, never the key itself."""


class CannotOpen(Exception):
    """The box is damaged, was made for another place, or its key is no longer configured."""


def generate_key() -> str:
    """A new key in the form POSTROOM_ENCRYPTION_KEYS takes."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


class Keyring:
    """Seals with the newest key, opens with any."""

    def __init__(self, keys: Sequence[str]) -> None:
        """`keys`: base64 of 32 bytes each, newest first. Raises BadKey."""
        raw = [_decode(key, position) for position, key in enumerate(keys, 1)]
        if not raw:
            raise BadKey("at least one key is needed")
        self._ciphers = {hashlib.sha256(key).digest()[:ID_BYTES]: AESGCM(key) for key in raw}
        self._newest = next(iter(self._ciphers))

    def seal(self, secret: bytes, place: Sequence[str]) -> bytes:
        """Encrypt for one place; every call gives a different box."""
        nonce = os.urandom(NONCE_BYTES)
        header = VERSION + self._newest + nonce
        return header + self._ciphers[self._newest].encrypt(nonce, secret, _associated(header, place))

    def open(self, box: bytes | memoryview, place: Sequence[str]) -> bytes:
        """The secret. Raises CannotOpen."""
        box = bytes(box)  # the database gives memoryviews
        header, key_id = box[:HEADER_BYTES], box[1 : 1 + ID_BYTES]
        if len(box) < HEADER_BYTES + TAG_BYTES or box[:1] != VERSION:
            raise CannotOpen("not a sealed box")
        if key_id not in self._ciphers:
            raise CannotOpen(f"sealed with key {key_id.hex()}, which is not configured")
        try:
            return self._ciphers[key_id].decrypt(header[-NONCE_BYTES:], box[HEADER_BYTES:], _associated(header, place))
        except InvalidTag:
            raise CannotOpen("damaged, or made for another place") from None

    def is_current(self, box: bytes | memoryview) -> bool:
        """Was the box made with the newest key? (Rotation visits those that were not.)"""
        return bytes(box)[1 : 1 + ID_BYTES] == self._newest

    def reseal(self, box: bytes | memoryview, place: Sequence[str]) -> bytes:
        """The same secret under the newest key; an up-to-date box comes back as it is. Raises CannotOpen."""
        return bytes(box) if self.is_current(box) else self.seal(self.open(box, place), place)


def _decode(key: str, position: int) -> bytes:
    try:
        raw = base64.b64decode(
            key.strip().replace("-", "+").replace("_", "/") + "=" * (-len(key.strip()) % 4), validate=True
        )
    except (binascii.Error, ValueError):
        raise BadKey(f"key {position} is not base64") from None
    if len(raw) != KEY_BYTES:
        raise BadKey(f"key {position} has {len(raw)} bytes instead of {KEY_BYTES}")
    return raw


def _associated(header: bytes, place: Sequence[str]) -> bytes:
    """Unambiguous bytes: lengths first, so that ("ab", "c") is not ("a", "bc")."""
    words = [word.encode() for word in place]
    return header + b"".join(len(word).to_bytes(4, "big") + word for word in words)
