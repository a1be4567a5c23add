"""What happened to records, told to open screens: the topic is the type's plural, {"id": record} or {"all": true}.

Every member sees every record, so the whole workspace is told; what a member sees of its mail is decided where it is
drawn. To be called in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from postroom.lib.live import publish
from postroom.records.record import TYPES, About, Record, RecordType

_together: ContextVar[set[tuple[int, str]] | None] = ContextVar("together", default=None)


def topic_of(kind: RecordType) -> str:
    return kind.plural.lower()


def changed(record: Record) -> None:
    """Something of this record is other than before, or the record is new or gone."""
    _tell(record.workspace_id, record.type, record.pk)


def changed_about(row: About) -> None:
    """A row of a record (a note, a task, an interview) is other than before; of none where it stands alone."""
    for kind in TYPES:
        if (pk := getattr(row, f"{kind.pointer}_id")) is not None:
            _tell(row.workspace_id, kind, pk)


def all_changed(workspace_id: int, kind: RecordType) -> None:
    """Too many to name."""
    publish(workspace_id, topic_of(kind), {"all": True})


@contextmanager
def together() -> Iterator[None]:
    """What happens inside is told once at the end and names nothing: an import must not send every screen a thousand
    times.
    """
    held: set[tuple[int, str]] = set()
    token = _together.set(held)
    try:
        yield
    finally:
        _together.reset(token)
    for workspace, topic in sorted(held):
        publish(workspace, topic, {"all": True})


def _tell(workspace: int, kind: RecordType, pk: int) -> None:
    held = _together.get()
    if held is not None:
        held.add((workspace, topic_of(kind)))
    else:
        publish(workspace, topic_of(kind), {"id": pk})
