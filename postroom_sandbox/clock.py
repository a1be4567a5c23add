"""The sandbox's time: real time plus whatever a test has added."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Real time, movable by `advance`; with `frozen_at` it stands still between moves."""

    def __init__(self, *, frozen_at: datetime | None = None) -> None:
        self._frozen_at = frozen_at
        self.offset = timedelta()

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        return (self._frozen_at or datetime.now(UTC)) + self.offset

    def timestamp(self) -> float:
        """`now()` as seconds since 1970."""
        return (self.now() - _EPOCH).total_seconds()

    def advance(self, seconds: float) -> None:
        """Moves time by `seconds` (negative: back)."""
        self.offset += timedelta(seconds=seconds)


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    return f"{_EPOCH.date() + timedelta(days=days):%Y-%m-%d}".rjust(10, "0")


@lru_cache(maxsize=262_144)
def iso(seconds: int) -> str:
    """Seconds since 1970 as Graph writes them: `2026-03-04T05:06:07Z`."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    return f"{_day(days)}T{hours:02}:{minutes:02}:{rest:02}Z"


def parse_iso(text: str) -> datetime:
    """An ISO 8601 instant (no zone means UTC). Raises ValueError."""
    text = text.strip()
    if text[-1:] in "zZ":
        text = text[:-1] + "+00:00"
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seconds_of(moment: datetime) -> int:
    """Whole seconds since 1970 of an aware instant."""
    return int((moment - _EPOCH).total_seconds() // 1)
