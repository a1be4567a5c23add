"""What a screen asks of the database: little, and not more of it the more there is (design.md section 5).

Every address of the URLconf is opened as a page and as a fragment, and every kind of link found on the way; then again
with three times as much of everything. Session and sign-in count as well.
"""

import os
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection, transaction
from django.http import Http404
from django.test import Client
from django.urls import resolve

from postroom.workspaces.models import Membership
from tests.architecture.many import Multiplier
from tests.architecture.test_crawler import (
    DEMO_ONLY,
    LEAVING,
    SCRIPT,
    Address,
    addresses,
    box,
    browser,
    connect,
    mailbox,
    member,
    settle,
    victim,
)

__all__ = ["addresses", "box", "connect", "mailbox", "member", "settle", "victim"]

MOST = 12
FEW, MORE = 1, 2  # rounds of copies: some of everything, then three times as much
LINK = re.compile(r"""(href|hx-get|src|data-[a-z-]+)=["'](/[^"'#]*)""")
OF_THE_TEST = ("SAVEPOINT", "RELEASE", "ROLLBACK")  # blocks within the one transaction that a test is


class Visit(NamedTuple):
    path: str
    fragment: bool


def novelties(visit: Visit) -> set[tuple[str, ...]]:
    """What could make an address another screen than those seen before: its view, and each word of its query.

    Empty for addresses that are none of ours, or not screens.
    """
    told = urlsplit(visit.path)
    try:
        name = resolve(told.path).view_name
    except Http404:
        return set()
    if name in LEAVING or name.startswith((*DEMO_ONLY, "static")) or not name:
        return set()
    how = "fragment" if visit.fragment else "page"
    words = {(name, how, key, value if value.isidentifier() else "") for key, value in parse_qsl(told.query)}
    return {(name, how), *words}


def ask(client: Client, visit: Visit) -> tuple[int, list[str], str]:
    """Status, statements and text of one look, of which nothing stays."""
    headers, asked = SCRIPT if visit.fragment else {}, []

    def heard(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(OF_THE_TEST):
            asked.append(sql)
        return execute(sql, params, many, context)

    with transaction.atomic(), connection.execute_wrapper(heard):
        answer: Any = client.get(visit.path, headers=headers)
        transaction.set_rollback(True)
    is_page = not answer.streaming and "html" in answer.get("Content-Type", "")
    return answer.status_code, asked, answer.content.decode() if is_page else ""


def walk(client: Client, addresses: list[Address]) -> dict[Visit, list[str]]:
    """Every kind of screen that is linked to from anywhere, with its statements."""
    todo = [Visit(one.path, fragment) for one in addresses for fragment in (False, True)]
    seen: set[tuple[str, ...]] = set()
    found: dict[Visit, list[str]] = {}
    while todo:
        visit = todo.pop(0)
        new = novelties(visit) - seen
        if not new:
            continue
        seen |= new
        status, asked, html = ask(client, visit)
        if status == 200:
            found[visit] = asked
        if not visit.fragment:
            todo += [Visit(unescape(path), how == "hx-get") for how, path in LINK.findall(html)]
    return found


@pytest.fixture
def client(member: Membership) -> Client:
    return browser(member)


def test_no_screen_asks_much_of_the_database_or_more_the_more_there_is(
    addresses: list[Address], client: Client
) -> None:
    everything, wrong = Multiplier(), []
    everything.grow(FEW)
    before = walk(client, addresses)
    everything.grow(MORE)
    for visit, asked in before.items():
        if visit.fragment and before.get(visit._replace(fragment=False)) == asked:
            continue  # answers htmx as everybody else
        status, now, _ = ask(client, visit)
        if status != 200 or len(now) > len(asked):
            wrong.append(f"{len(asked)} -> {len(now)} ({status}) {visit}")
        elif len(now) > MOST:
            wrong.append(f"{len(now)} {visit}")
    if out := os.environ.get("QUERIES_TO"):
        told = (f"=== {len(asked)} {visit}\n" + "\n".join(asked) for visit, asked in before.items())
        Path(out).write_text("\n".join([*sorted(wrong), *told]))
    assert len(before) > 200
    assert not wrong, "\n".join(sorted(wrong))
