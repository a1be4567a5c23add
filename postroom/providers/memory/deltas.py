"""Rounds of changes over a box's log, as pleasant or awkward as the box is.

A cursor is ``list:…`` inside a first listing or ``log:…`` afterwards, and is bound to the box's generation and to the
folder ("" for the folder tree), like the tokens of real providers.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from postroom.providers.contract import DeltaPage
from postroom.providers.errors import CursorExpired, Malformed
from postroom.providers.memory.mailbox import Box, Entry

T = TypeVar("T")
Row = Callable[[Sequence[Entry]], T]


def listing(box: Box, scope: str, items: Sequence[str], row: Row[T], cursor: str | None) -> DeltaPage[T]:
    """A page of the complete listing. It shows a snapshot; what happens meanwhile comes as the first changes."""
    if cursor is None:
        box.rounds.append(tuple(items))
        number, start, since = len(box.rounds) - 1, 0, _last(box)
    else:
        number, start, since = _read(box, scope, cursor, "list")
    snapshot = box.rounds[number]
    if cursor is None and box.awkward and snapshot:  # an empty page that leads on is legal
        return DeltaPage(items=(), next=_cursor(box, scope, "list", number, 0, since))
    end = start + box.page
    rows = tuple(row([Entry(since, scope, item)]) for item in snapshot[start:end])
    if end < len(snapshot):
        return DeltaPage(items=rows, next=_cursor(box, scope, "list", number, end, since))
    return DeltaPage(items=rows, done=_cursor(box, scope, "log", since, since, 0))


def changes(box: Box, scope: str, log: Sequence[Entry], row: Row[T], cursor: str) -> DeltaPage[T]:
    """A page of what happened since ``cursor``. An awkward box tells the last thing of the round before once more."""
    since, end, start = _read(box, scope, cursor, "log")
    if start == 0:
        end = _last(box)
    told = [entry for entry in log if entry.folder == scope and since < entry.number <= end]
    before = [entry for entry in log if entry.folder == scope and entry.number <= since]
    if box.awkward and told and before:
        told = [before[-1], *told, told[0]]
    order = list(dict.fromkeys(entry.item for entry in told))
    groups = [[entry for entry in told if entry.item == item] for item in order]
    if box.awkward and groups:  # the same row twice in one round
        groups.append(groups[0])
    page = tuple(row(group) for group in groups[start : start + box.page])
    if start + box.page < len(groups):
        return DeltaPage(items=page, next=_cursor(box, scope, "log", since, end, start + box.page))
    return DeltaPage(items=page, done=_cursor(box, scope, "log", end, end, 0))


def _last(box: Box) -> int:
    return max((log[-1].number for log in (box.log, box.folder_log) if log), default=0)


def _cursor(box: Box, scope: str, kind: str, *numbers: int) -> str:
    return ":".join([kind, scope, str(box.generation), *map(str, numbers)])


def _read(box: Box, scope: str, cursor: str, kind: str) -> tuple[int, int, int]:
    parts = cursor.split(":")
    if len(parts) != 6 or parts[0] != kind or parts[1] != scope:
        raise Malformed("not a cursor of this listing")
    if int(parts[2]) != box.generation:
        raise CursorExpired("the provider has forgotten this cursor")
    return int(parts[3]), int(parts[4]), int(parts[5])
