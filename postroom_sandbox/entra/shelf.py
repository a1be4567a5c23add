"""Small things that must survive a restart: typed records, in memory and written through to the database.

Callers hold the world's lock, as for every write; it is durable when the operation commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from ..world import World

Record = TypeVar("Record", bound=msgspec.Struct)

_TABLE = (
    "CREATE TABLE IF NOT EXISTS shelf (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, "
    "PRIMARY KEY (kind, key)) WITHOUT ROWID;"
)


class Shelf(Generic[Record]):
    """A dictionary of records of one kind. Records are changed by putting them again."""

    def __init__(self, world: World, kind: str, record: type[Record]) -> None:
        self._db = world.db
        self._kind = kind
        self._db.declare(_TABLE)
        rows = self._db.query("SELECT key, value FROM shelf WHERE kind = ?", (kind,))
        decode = msgspec.json.Decoder(record).decode
        self._records: dict[str, Record] = {key: decode(value) for key, value in rows}

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> Record | None:
        """The record, or None."""
        return self._records.get(key)

    def put(self, key: str, record: Record) -> Record:
        """Keeps the record under the key, replacing what was there."""
        self._records[key] = record
        value = msgspec.json.encode(record)
        self._db.execute("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?)", (self._kind, key, value))
        return record

    def remove(self, key: str) -> Record | None:
        """Takes the record away; None when there was none."""
        record = self._records.pop(key, None)
        if record is not None:
            self._db.execute("DELETE FROM shelf WHERE kind = ? AND key = ?", (self._kind, key))
        return record
