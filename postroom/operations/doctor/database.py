"""Checks of the database itself: plain SQL over Django's connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from postroom.operations.doctor.findings import Check, Finding, Installation, fail, none, ok, warn
from postroom.operations.doctor.network import clock

OLDEST_SERVER = 150000
CROWDED = 0.8  # of max_connections
HELPFUL = {"pg_stat_statements": "slow queries on the operator page"}


def rows(sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """The answer of one statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def server(here: Installation) -> Iterator[Finding]:
    """Version, encoding, clock, room for connections. Says nothing but one failure when it cannot be reached."""
    try:
        connection.ensure_connection()
    except DatabaseError as problem:
        first = str(problem).strip().split("\n")[0]
        mend = "Check DATABASE_URL, or unset it to use the embedded PostgreSQL."
        yield fail("database", "Database", first, mend)
        return
    [(version, encoding, epoch, used, most, size)] = rows(
        """select current_setting('server_version_num')::int, getdatabaseencoding(),
                  extract(epoch from clock_timestamp())::float,
                  (select count(*) from pg_stat_activity where backend_type = 'client backend'),
                  current_setting('max_connections')::int, pg_database_size(current_database())"""
    )
    found = f"PostgreSQL {version // 10000}.{version % 10000}, {size / 1024**3:.2f} GB"
    if version >= OLDEST_SERVER:
        yield ok("database", "Database", found)
    else:
        yield fail("database", "Database", found, "Postroom needs PostgreSQL 15 or newer.")
    if encoding != "UTF8":
        yield fail("encoding", "Encoding", str(encoding), "Create the database with encoding UTF8.")
    yield clock("database_clock", "Clock against the database's", epoch)
    yield _connections(used, most)


def _connections(used: int, most: int) -> Finding:
    key, what, found = "connections", "Connections", f"{used} of {most} in use"
    if used < most * CROWDED:
        return ok(key, what, found)
    mend = "Raise max_connections, or put a pooler in session mode before it (docs/scaling.md)."
    return warn(key, what, found, mend)


def migrations(here: Installation) -> Iterator[Finding]:
    """Whether the tables are those of this version."""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        yield fail(
            "migrations", "Tables", f"{len(waiting)} migrations wait", "Run `postroom migrate`.", "postroom migrate"
        )
    else:
        yield ok("migrations", "Tables", "up to date")


def extensions(here: Installation) -> Iterator[Finding]:
    """None is required; some help."""
    there = {name for (name,) in rows("select extname from pg_extension")}
    for name, purpose in HELPFUL.items():
        if name in there:
            yield ok(name, name, "installed")
        else:
            yield none(name, name, f"not installed; it would show {purpose}")


def latency(here: Installation) -> Iterator[Finding]:
    """How far away it is: every page asks several times."""
    began = time.perf_counter()
    for _ in range(5):
        rows("select 1")
    took = (time.perf_counter() - began) / 5 * 1000
    if took < 5:
        yield ok("latency", "Distance to the database", f"{took:.1f} ms a question")
    else:
        yield warn(
            "latency", "Distance to the database", f"{took:.1f} ms a question", "Bring it nearer to the processes."
        )


CHECKS: tuple[Check, ...] = (server, migrations, extensions, latency)
