"""The tables of records as places of saved views."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from django.http import QueryDict

from postroom.records.asked import Asked, asked, known_columns
from postroom.records.saved.places import Place, add_place
from postroom.records.tables import Table
from postroom.workspaces.access import MemberRequest


def tidy(table: Table, request: MemberRequest, query: str) -> tuple[str, Mapping[str, str]]:
    """What of a query a view keeps, and what the own fields in it are called."""
    known = known_columns(table, table.own_columns(request.workspace.pk))
    wish = asked(table, known, QueryDict(query))
    return wish.query, {key: known[key].label for key in _used(wish) if key.startswith("own-")}


def _used(wish: Asked) -> set[str]:
    return {*wish.columns, *wish.filters, wish.sort.key}


def place(table: Table) -> Place:
    return Place(
        key=table.place,
        label=table.plural,
        active=table.root,
        url=lambda: table.url,
        tidy=partial(tidy, table),
        address=lambda pk, query: f"view={pk}",
    )


def register() -> None:
    """Called when Django starts."""
    from postroom.records.all_tables import TABLES

    for table in TABLES:
        add_place(place(table))
