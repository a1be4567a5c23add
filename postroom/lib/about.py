"""What this thread is about at the moment: names and ids that every log line of it carries (never content)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_about: ContextVar[dict[str, str | int] | None] = ContextVar("about", default=None)


@contextmanager
def about(**names: str | int) -> Iterator[None]:
    """Bind names for the block; inner blocks add to outer ones."""
    token = _about.set({**current(), **names})
    try:
        yield
    finally:
        _about.reset(token)


def current() -> dict[str, str | int]:
    """What is bound now."""
    return _about.get() or {}
