"""How fast a mailbox becomes a searchable, linked mirror, beside those who do less with the same mailbox.

Everybody takes the same mailbox from the same local Microsoft 365, each in a process and a database of its own, in
turns, `ROUNDS` times; figures are medians of messages per second.

(a) `msgraph-sdk` merely reads.  (b) `O365` reads, Django's `bulk_create` stores the same columns with the same text
index.  (c) the floor: the same pages by the same HTTP client, decoded, written by `executemany` into the same tables
and indexes, with no sync, threading, linking or sanitising; once page after page, once reading ahead while it writes.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from bench import common
from bench.backfill_contenders import CONTENDERS

TEMPLATE = "bench_template"
ROUNDS = 3
FLOOR = "floor"


def run(size: int = 0) -> Iterator[dict[str, Any]]:
    """One result. `size`: that many generated messages instead of the real ones."""
    with common.home() as home, tempfile.TemporaryDirectory() as other_side:
        kind = common.fill(Path(other_side), size)
        with common.database_server(home) as server, common.sandbox(Path(other_side)) as origin:
            common.call(origin, "PUT", "/sandbox/requests", {"enabled": False})
            settings = common.environment(home, origin)
            _template(settings, common.senders(origin))
            outcomes: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
            for number in range(ROUNDS):
                for name, found in outcomes.items():
                    found.append(_take(server.dsn("postgres"), settings, name))
                    common.note(f"  {number + 1}/{ROUNDS} {name}: {_rate(found[-1]):,.0f} messages/s")
            yield _result(kind, outcomes)


def _template(settings: dict[str, str], contacts: list[str]) -> None:
    from django.db import connections

    common.set_up(settings)
    common.migrate()
    common.owner_and_contacts(contacts)
    connections.close_all()


def _take(dsn: str, settings: dict[str, str], name: str) -> dict[str, Any]:
    """One contender on a fresh copy of the database."""
    database = SQL("{}").format(Identifier(TEMPLATE))
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(SQL("drop database if exists {} with (force)").format(database))
        admin.execute(SQL("create database {} template postroom").format(database))
        admin.execute("checkpoint")
    return common.child(["bench.backfill_contenders", name, "--database", TEMPLATE], settings)


def _rate(outcome: dict[str, Any]) -> float:
    return float(outcome["messages"] / outcome["seconds"])


def _result(kind: str, outcomes: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rates = {name: statistics.median(map(_rate, found)) for name, found in outcomes.items()}
    own, limit = rates.pop("postroom"), rates[FLOOR]
    last = outcomes["postroom"][-1]
    newest = statistics.median(one["newest"] or one["seconds"] for one in outcomes["postroom"])
    counts = {name: found[-1]["messages"] for name, found in outcomes.items()}
    work = f"{last['messages']} messages ({kind}) with bodies into the searchable, linked store; messages/s"
    return common.result(
        "backfill",
        work,
        round(own, 1),
        peers={name: round(rate, 1) for name, rate in rates.items() if not name.startswith(FLOOR)},
        ratio=round(own / rates["msgraph-sdk"], 2),
        limit=round(limit, 1),
        of_limit=round(own / limit, 3),
        limit_reading_ahead=round(rates["floor, reading ahead"], 1),
        of_limit_reading_ahead=round(own / rates["floor, reading ahead"], 3),
        ratio_to_each_peer={name: round(own / rate, 2) for name, rate in rates.items()},
        messages_taken=counts,
        messages_per_pull=round(last["messages"] / last["pulls"], 1),
        requests=last["requests"],
        newest_100_readable_s=round(newest, 2),
    )
