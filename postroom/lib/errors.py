"""Reference ids: what a member reads to support and an operator finds in the log."""

from __future__ import annotations

import secrets

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is read aloud wrongly: no 0/O, 1/I/L, U/V


def new_reference() -> str:
    """A new reference id like "7KQM-T3XA" (9 characters; 30^8 possibilities)."""
    word = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{word[:4]}-{word[4:]}"
