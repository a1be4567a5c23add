"""The keys of this process, and secrets as text (product.md AD1). Whoever stores a secret seals it with these."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from functools import cache

from django.conf import settings

from postroom.lib.crypto import CannotOpen, Keyring


@cache
def keyring() -> Keyring:
    """POSTROOM_ENCRYPTION_KEYS, read once."""
    return Keyring(settings.POSTROOM_ENCRYPTION_KEYS)


def seal_text(text: str, place: Sequence[str]) -> str:
    """A sealed box as text, for columns and sessions that hold JSON."""
    return base64.urlsafe_b64encode(keyring().seal(text.encode(), place)).decode()


def open_text(box: str, place: Sequence[str]) -> str:
    """Raises CannotOpen."""
    return keyring().open(_bytes(box), place).decode()


def is_current(box: str) -> bool:
    """Was it sealed with the newest key? Raises CannotOpen for what is no box."""
    return keyring().is_current(_bytes(box))


def _bytes(box: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(box.encode())
    except (binascii.Error, ValueError):
        raise CannotOpen("not a sealed box") from None
