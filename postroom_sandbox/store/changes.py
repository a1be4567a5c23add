"""What happened in a folder, in order: the memory behind delta (graph.md 2.12)."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

CREATED, MOVED_IN, UPDATED, READ_STATE, REMOVED = "C", "M", "U", "R", "D"
MAX_ENTRIES = 400_000


class Entry(NamedTuple):
    """One change: when (the mailbox's tick), what, which item, and the place it had in this folder then."""

    tick: int
    kind: str
    sequence: int
    place: int


@dataclass(slots=True)
class ChangeLog:
    """Entries in order of tick. Tokens from before `floor` are too old: 410 SyncStateNotFound."""

    entries: list[Entry] = field(default_factory=list)
    floor: int = 0
    issued: deque[int] = field(default_factory=deque)  # ticks up to which deltaLinks were handed out

    def add(self, entry: Entry) -> None:
        """Appends; a log that grows for ever forgets its older half."""
        self.entries.append(entry)
        if len(self.entries) > MAX_ENTRIES:
            half = len(self.entries) // 2
            self.floor = max(self.floor, self.entries[half - 1].tick)
            del self.entries[:half]

    def between(self, after: int, until: int) -> list[Entry]:
        """What happened after tick `after`, up to and including `until`, each item's placement once: its last entry
        with the strongest kind (read-state only when nothing else happened)."""
        start = bisect_right(self.entries, after, key=_tick)
        end = bisect_right(self.entries, until, key=_tick)
        last: dict[tuple[int, int], Entry] = {}
        for entry in self.entries[start:end]:
            key = (entry.sequence, entry.place)
            earlier = last.pop(key, None)
            last[key] = entry if earlier is None else _merged(earlier, entry)
        return list(last.values())

    def last_tick(self) -> int:
        """The tick of the newest entry."""
        return self.entries[-1].tick if self.entries else 0


def _tick(entry: Entry) -> int:
    return entry.tick


def _merged(earlier: Entry, later: Entry) -> Entry:
    if later.kind == REMOVED:
        return later
    kind = earlier.kind if earlier.kind in (CREATED, MOVED_IN) or later.kind == READ_STATE else later.kind
    return later._replace(kind=kind)
