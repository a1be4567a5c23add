"""`postroom mailbox …` and `postroom search`: mailboxes without a browser, for scripts and checks."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import connection

from postroom.audit import log
from postroom.audit.models import Access
from postroom.config.errors import UsageError
from postroom.mail.dump import dump
from postroom.mailboxes import commands, hooks
from postroom.mailboxes.commands import CommandRefused
from postroom.mailboxes.models import Mailbox
from postroom.search import find
from postroom.sync import runner
from postroom.sync.models import Activity, Lane

WAIT_SECONDS = 4 * 3600
LOOK_SECONDS = 0.1
COLUMNS = ("address", "health", "folders", "messages", "last_sync")
_WORKERS = "select exists (select 1 from procrastinate_workers where last_heartbeat > now() - interval '30 seconds')"


def run(options: argparse.Namespace) -> int:
    """Carry out one of the commands. Raises UsageError."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": list_all,
        "connect": connect,
        "sync": sync,
        "dump": write_dump,
        "search": search,
    }
    try:
        return actions[options.action](options)
    except CommandRefused as problem:
        raise UsageError(str(problem)) from None


def list_all(options: argparse.Namespace) -> int:
    """One row per mailbox."""
    rows = commands.list_mailboxes()
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    table = [[column.replace("_", " ") for column in COLUMNS]]
    table += [[str(row[column] if row[column] is not None else "never") for column in COLUMNS] for row in rows]
    widths = [max(len(line[index]) for line in table) for index in range(len(COLUMNS))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def connect(options: argparse.Namespace) -> int:
    """Connect, wait until the mailbox is followed and its history is in, print what it is then."""
    if not options.sandbox:
        raise UsageError("only --sandbox mailboxes connect without a browser: add --sandbox, or use Settings")
    began = time.monotonic()
    mailbox = commands.connect_sandbox(options.address, options.since)
    trouble = _work_until(mailbox, lambda: _is_at_rest(mailbox, Activity.LIVE, Activity.BACKFILL))
    row = next(one for one in commands.list_mailboxes() if one["address"] == mailbox.address)
    print(json.dumps({**row, "seconds": round(time.monotonic() - began, 3), "error": trouble}, ensure_ascii=False))
    return 1 if trouble else 0


def sync(options: argparse.Namespace) -> int:
    """Sync now, and say what it brought."""
    began = time.monotonic()
    mailbox = commands.find(options.address)
    ticket = hooks.sync_now(mailbox)
    trouble = _work_until(mailbox, lambda: hooks.sync_result(mailbox, ticket) is not None)
    result = hooks.sync_result(mailbox, ticket)
    trouble = trouble or (result.error if result else "")
    last = Lane.objects.get(mailbox=mailbox, activity=Activity.LIVE).progress.get("last") or {}
    counts = {name: getattr(result, name, 0) for name in ("new", "changed", "removed")}
    answer: dict[str, Any] = {**counts, "requests": last.get("requests", 0)}
    answer["seconds"] = round(time.monotonic() - began, 3)
    print(json.dumps(answer | ({"error": trouble} if trouble else {}), ensure_ascii=False))
    return 1 if trouble else 0


def write_dump(options: argparse.Namespace) -> int:
    """Everything known of a mailbox's messages, a JSON line each."""
    mailbox = commands.find(options.address)
    read = log.Read(workspace_id=mailbox.workspace_id, mailbox_id=mailbox.pk)
    log.read(log.operator(), Access.What.DUMP, [read])
    with suppress(BrokenPipeError):
        for line in dump(mailbox):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


def search(options: argparse.Namespace) -> int:
    """Hits in one mailbox, best first, a JSON line each."""
    mailbox = commands.find(options.address)
    found = find.hits([mailbox.pk], options.query, order="best", limit=options.limit)
    for problem in found.problems:
        print(f"postroom: {problem}", file=sys.stderr)
    if found.hits:
        read = log.Read(
            workspace_id=mailbox.workspace_id, mailbox_id=mailbox.pk, message_ids=[one.message for one in found.hits]
        )
        log.read(log.operator(), Access.What.SEARCH, [read])
    with suppress(BrokenPipeError):
        for hit in found.hits:
            print(json.dumps(hit.as_json(), ensure_ascii=False))
    return 0


def _work_until(mailbox: Mailbox, done: Callable[[], bool]) -> str:
    """Wait for the workers, or, where none runs, do their work for this mailbox. Returns what went wrong, or ""."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        mailbox.refresh_from_db()
        if mailbox.failure:
            return mailbox.failure_detail or mailbox.get_failure_display()
        if time.monotonic() > deadline:
            return f"not ready after {WAIT_SECONDS // 3600} hours"
        if not _worker_runs():
            runner.run_mailbox(mailbox.pk)
        time.sleep(LOOK_SECONDS)
    return ""


def _is_at_rest(mailbox: Mailbox, *activities: str) -> bool:
    """Have these lanes done everything that was asked of them?"""
    lanes = Lane.objects.filter(mailbox=mailbox, activity__in=activities)
    return len(lanes) == len(activities) and all(lane.seen >= lane.wanted and not lane.lease_until for lane in lanes)


def _worker_runs() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WORKERS)
        return bool(cursor.fetchone()[0])
