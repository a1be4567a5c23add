"""The one SQLite file behind everything that must survive a restart or `kill -9`.

Writes are collected in a transaction that `World.operation` commits when one request is done. WAL without fsync: a
killed process loses nothing that was answered; only a machine that loses power can.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=OFF",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-131072",
    "PRAGMA mmap_size=8589934592",
)


class Database:
    """A SQLite file, or memory when `path` is None. Callers hold `World.lock`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        for pragma in _PRAGMAS:
            self._connection.execute(pragma)

    def declare(self, schema: str) -> None:
        """Runs a module's `SCHEMA` (`CREATE TABLE IF NOT EXISTS …;`)."""
        self.commit()
        self._connection.executescript(schema)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Writes; returns the last inserted row id. It is durable once the operation commits."""
        self._begin()
        return self._connection.execute(sql, parameters).lastrowid or 0

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """The same statement for many rows."""
        self._begin()
        self._connection.executemany(sql, rows)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Reads all rows."""
        return self._connection.execute(sql, parameters).fetchall()

    def query_one(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """Reads the first row, or None."""
        row: Row | None = self._connection.execute(sql, parameters).fetchone()
        return row

    def commit(self) -> None:
        """Makes everything written so far durable."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Commits and lets go of the file."""
        self.commit()
        self._connection.close()

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
