"""Microsoft's throttling of mailboxes: per application *and* mailbox (graph.md 4)."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from postroom_sandbox.http import ApiError

MEGABYTE = 1024 * 1024


@dataclass(slots=True)
class Limits:
    """What one mailbox allows and how it behaves; `Limits()` is Microsoft's own.

    `replays`, `empty_pages` and `duplicates` say how often delta does what graph.md 2.12 warns of (0 never … 1 always).
    `sent_id_changes`: the immutable id of a draft does not survive sending (trap 11). `sent_copy_moves`: the default id
    of the sent copy changes once more a little later (trap 12).
    """

    concurrent: int = 4
    requests: int = 10_000
    window_seconds: int = 600
    upload_bytes: int = 150 * MEGABYTE
    upload_window_seconds: int = 300
    send_delay_ms: int = 200
    message_bytes: int = 150 * MEGABYTE
    recipients: int = 500
    recipients_per_day: int = 10_000
    sent_id_changes: bool = False
    sent_copy_moves: bool = False
    delta_page: int = 10
    delta_generations: int = 1_000
    filtered_delta_cap: int = 5_000
    replays: float = 0.2
    empty_pages: float = 0.2
    duplicates: float = 1.0

    def changed(self, values: dict[str, Any]) -> Limits:
        """A copy with other values. Raises ValueError for unknown names or wrong types."""
        merged = asdict(self)
        kinds = {item.name: type(getattr(self, item.name)) for item in fields(self)}
        for name, value in values.items():
            kind = kinds.get(name)
            if kind is None:
                raise ValueError(f"unknown limit {name!r}; known: {', '.join(sorted(kinds))}")
            fits = isinstance(value, bool) if kind is bool else isinstance(value, int | float) and value >= 0
            if not fits or (kind is int and not float(value).is_integer()):
                raise ValueError(f"{name} must be a {kind.__name__}, not {value!r}")
            merged[name] = kind(value)
        return Limits(**merged)


@dataclass(slots=True)
class _Window:
    """A sliding sum in coarse slots."""

    total: float = 0
    slots: deque[tuple[int, float]] = field(default_factory=deque)

    def add(self, amount: float, now: float, seconds: int) -> float:
        """Adds and returns the sum over the last `seconds`."""
        width = max(seconds / 60, 0.001)
        slot = int(now / width)
        if self.slots and self.slots[-1][0] == slot:
            self.slots[-1] = (slot, self.slots[-1][1] + amount)
        else:
            self.slots.append((slot, amount))
        self.total += amount
        while self.slots and self.slots[0][0] <= slot - 60:
            self.total -= self.slots.popleft()[1]
        return self.total


@dataclass(slots=True)
class _Usage:
    in_flight: int = 0
    requests: _Window = field(default_factory=_Window)
    uploads: _Window = field(default_factory=_Window)


class Throttle:
    """Counts what every (application, mailbox) does and refuses what is too much."""

    def __init__(self) -> None:
        self._usage: dict[tuple[str, str], _Usage] = {}

    def enter(self, key: tuple[str, str], limits: Limits, *, now: float, upload: int = 0) -> _Usage:
        """Counts a request in. Raises `ApiError` 429; a refused request counts against the quota too.

        The caller leaves with `leave` when the answer is ready.
        """
        usage = self._usage.setdefault(key, _Usage())
        if usage.requests.add(1, now, limits.window_seconds) > limits.requests:
            raise _refusal("RequestRate", limits.window_seconds / 60 + 0.128)
        if upload and usage.uploads.add(upload, now, limits.upload_window_seconds) > limits.upload_bytes:
            raise _refusal("UploadBandwidth", limits.upload_window_seconds / 60 + 0.128)
        if usage.in_flight >= limits.concurrent:
            raise _refusal("MailboxConcurrency", 1)
        usage.in_flight += 1
        return usage

    def leave(self, usage: _Usage) -> None:
        """Counts a request out."""
        usage.in_flight -= 1

    def reset(self) -> None:
        """Forgets all counts."""
        self._usage.clear()


def _refusal(limit: str, seconds: float) -> ApiError:
    message = f"Application is over its {limit} limit."
    return ApiError(429, "ApplicationThrottled", message, headers=[("Retry-After", f"{seconds:g}")])
