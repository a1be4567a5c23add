"""The one source of time. Code asks `now()`; tests hold or move the clock with `frozen()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_read: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return _read()


class Clock:
    """A clock that stands still until it is moved. Made by `frozen()`."""

    def __init__(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> datetime:
        """Move on (or back: clocks of real machines jump too) and return the new time."""
        self.at += by
        return self.at


@contextmanager
def frozen(at: datetime | None = None) -> Iterator[Clock]:
    """Hold `now()` at one moment for every thread of this process while the block runs."""
    global _read
    before, clock = _read, Clock(at or now())
    _read = clock
    try:
        yield clock
    finally:
        _read = before
