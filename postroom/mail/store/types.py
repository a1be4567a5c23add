"""What writing tells its caller, and the cursor it writes through."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier


class KnownMessage(NamedTuple):
    """What we have of a message, as far as a page of a listing is compared with it."""

    id: int
    folder_remote_id: str
    change_key: str
    is_draft: bool
    body_missing: bool
    modified: datetime | None


@dataclass(slots=True)
class Stored:
    """What a page did. ``merged`` pairs (gone, kept): conversations that turned out to be part of another."""

    new: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    conversations: set[int] = field(default_factory=set)
    merged: list[tuple[int, int]] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)  # provider's ids of messages in folders the tree does not show


@dataclass(slots=True)
class FoldersChanged:
    """Provider's ids of folders that came and went."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def cursor() -> psycopg.Cursor[tuple[Any, ...]]:
    """A psycopg cursor on Django's connection: server-side parameters, prepared statements, ``executemany`` in one
    round trip. Django's own cursor binds on the client and sends one statement after the other."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)


def copy(db: psycopg.Cursor[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows that are new for certain, the cheapest way there is. JSON goes in as text."""
    names = SQL(", ").join(map(Identifier, columns))
    with db.copy(SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), names)) as stream:
        for row in rows:
            stream.write_row(row)
