"""Tables of records: narrowed, ordered, and paged so that every page costs the same however far one goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.db.models import IntegerField, QuerySet, Subquery
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from postroom.lib.pages import RowPage, keyset
from postroom.records import extensions
from postroom.records.asked import Asked, asked, known_columns
from postroom.records.record import Record
from postroom.records.saved import bar
from postroom.records.tables import MAIL, Column, Cut, Table, matching
from postroom.records.text import fold
from postroom.workspaces.access import MemberRequest

__all__ = ["Asked", "matching"]

PAGE = 50
COUNTED = 1_000  # more than that is "1,000+": a list says how many there are without walking through all of them


class Heading(NamedTuple):
    """A column's head: a link that sorts by it, and the way it is sorted now ("up", "down" or "")."""

    column: Column
    href: str
    way: str
    room: str


class Chip(NamedTuple):
    """A part of a table as a chip above it."""

    cut: Cut
    href: str
    chosen: bool


class Narrowed(NamedTuple):
    """A filter that is on, in words, and the address without it."""

    label: str
    href: str


class Cell(NamedTuple):
    """`attrs`: those of its element, the same down the whole column."""

    text: str
    template: str
    attrs: SafeString


class Line(NamedTuple):
    """A record in a table, its cells, and when it last had mail. `state`: "out" when it does not fit what is asked any
    more, "done" for a task that is."""

    record: Any
    last_at: Any
    cells: Sequence[Cell] = ()
    state: str = ""


def asked_of(table: Table, request: MemberRequest, views: bar.Views | None = None) -> Asked:
    """What the request's address says; that of a saved view where it names nothing but one."""
    known = known_columns(table, table.own_columns(request.workspace.pk))
    told = views.told(request.GET) if views else request.GET
    return asked(table, known, told)


def listing(table: Table, request: MemberRequest) -> dict[str, Any]:
    """The template context of a page of a table: the state of its address, ?after= goes on."""
    views = bar.of(table.place, request.member)
    wish = asked_of(table, request, views)
    open_view = views.open(request.GET)
    chosen = _chosen(wish, views, opened=open_view is not None)
    columns, found = _columns(wish, chosen), _narrowed(wish, request)
    first = not request.GET.get("after")
    page = _page(wish, found, request, counted=first, mail=_shows_mail(columns))
    within = {bar.WITHIN: open_view.pk} if open_view else {}
    here = wish.href(**within)
    return {
        "table": table,
        "asked": wish,
        "words": wish.words,
        "headings": [_heading(wish, column, room, within) for column, room in columns],
        "cuts": [_chip(wish, one, open_view) for one in table.cuts],
        "narrowed": _told(wish, request, within),
        "news": table.topics([column for column, _ in columns]),
        "lines": _lines(page.rows, columns, request, wish),
        "more": f"{here}&after={page.next}" if page.next else "",
        "here": here,
        "first_page": first,
        "count": _count(page.rows) if first else "",
        "views": views.drawn(replace(wish, columns=chosen).query, open=open_view, missing=wish.missing),
        "within": within.get(bar.WITHIN, ""),
        "nothing": f"No {table.plural.lower()} fit" if wish.filters else f"Nothing has “{wish.words}”",
        "missing": views.names_of(wish.missing, open_view),
    }


def _page(wish: Asked, found: QuerySet[Any], request: MemberRequest, *, counted: bool, mail: bool) -> RowPage[Any]:
    """The rows of a page, with when they had mail last where that is shown. Which ones they are is found with no more
    than the order needs, then they are read."""
    ordered, order = wish.sort.order(found, down=wish.down, member=request.member)
    whole = wish.table.rows(wish.table.of(request.workspace))
    if counted:
        whole = whole.annotate(found=_Counted(found.order_by().values("pk")[: COUNTED + 1]))
    if mail and wish.sort.key != MAIL:
        whole = whole.annotate(mail_at=extensions.last_mail(found.model, request.member))
    usual = wish.down == wish.sort.down
    near = wish.sort.near(found.model, request.member) if wish.sort.near and usual else None
    return keyset(ordered, order=order, after=request.GET.get("after", ""), size=PAGE, whole=whole, near=near)


def some(table: Table, request: MemberRequest, told: QueryDict, keys: Collection[int]) -> dict[str, Any]:
    """The context of these rows of a table as they are now, `told` being its address; those that are `gone` besides.

    A row that fits the address no more is drawn all the same: it must not vanish under somebody's hand.
    """
    views = bar.of(table.place, request.member)
    wish = asked(table, known_columns(table, table.own_columns(request.workspace.pk)), views.told(told))
    columns = columns_of(wish, views, opened=views.open(told) is not None)
    rows = list(table.rows(table.of(request.workspace)).filter(pk__in=keys))
    fit = set(_narrowed(wish, request).filter(pk__in=keys).values_list("pk", flat=True))
    lines = [
        line if line.state or line.record.pk in fit else line._replace(state="out")
        for line in _lines(rows, columns, request, wish)
    ]
    return {"table": table, "lines": lines, "gone": sorted(set(keys) - {row.pk for row in rows})}


def _chosen(wish: Asked, views: bar.Views, *, opened: bool) -> tuple[str, ...]:
    """The columns the address names, or, outside a saved view, those the member's list opens with."""
    first = wish.table.columns[0].key
    own = () if opened else tuple(one for one in views.columns if one in wish.known and one != first)
    return wish.columns or own


def columns_of(wish: Asked, views: bar.Views, *, opened: bool) -> list[tuple[Column, str]]:
    """The columns that are shown, each with the class that leaves it out where there is little room."""
    return _columns(wish, _chosen(wish, views, opened=opened))


def shown(table: Table, request: MemberRequest) -> QuerySet[Any]:
    """The records of a table as its address narrows them, in no order yet."""
    return _narrowed(asked_of(table, request, bar.of(table.place, request.member)), request)


def _narrowed(wish: Asked, request: MemberRequest) -> QuerySet[Any]:
    query: Any = wish.table.rows(wish.table.of(request.workspace))
    query = wish.cut.narrow(query, request.member) if wish.cut else query
    for number, (key, values) in enumerate(sorted(wish.filters.items())):
        narrow = wish.known[key].filter
        assert narrow is not None
        query = narrow.narrow(query, f"narrowed_{number}", values, request.member)
    return wish.table.find(query, wish.words)


class _Counted(Subquery):
    """How many rows a query has, up to where it is cut; asked beside the page's own rows."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def _count(rows: list[Any]) -> str:
    number = rows[0].found if rows else 0
    return f"{COUNTED:,}+" if number > COUNTED else f"{number:,}"


def _columns(wish: Asked, chosen: tuple[str, ...]) -> list[tuple[Column, str]]:
    """The columns in order, each with the class that leaves it out where there is little room.

    Of those somebody chose the first ones stay.
    """
    if not chosen:
        return [(one, one.room) for one in wish.table.columns if one.usual]
    first, picked = wish.table.columns[0], [wish.known[key] for key in chosen]
    rooms = ["", "is-mid", "is-mid"]
    return [
        (first, ""),
        *((one, rooms[place] if place < 3 else "is-extra") for place, one in enumerate(picked)),
    ]


def _lines(rows: list[Any], columns: list[tuple[Column, str]], request: MemberRequest, wish: Asked) -> list[Line]:
    times = _times(rows, request, wish) if _shows_mail(columns) and rows else {}
    drawn = [(column, _attributes(column, room, number)) for number, (column, room) in enumerate(columns)]
    return [
        Line(
            record,
            times.get(record.pk),
            [Cell(column.text(record), column.cell, attrs) for column, attrs in drawn],
            "done" if getattr(record, "done_at", None) else "",
        )
        for record in rows
    ]


def _shows_mail(columns: list[tuple[Column, str]]) -> bool:
    return any(column.key == MAIL for column, _ in columns)


def _times(rows: list[Any], request: MemberRequest, wish: Asked) -> Mapping[int, Any]:
    """When each had mail last: what a page was read with, or sorted by, knows that already."""
    if hasattr(rows[0], "mail_at"):
        return {row.pk: row.mail_at for row in rows}
    if wish.sort.key == MAIL and hasattr(rows[0], "sort_by"):
        return {row.pk: row.sort_by for row in rows if not wish.sort.stands_in(row.sort_by)}
    return extensions.last_contact(rows, request.member)


def _attributes(column: Column, room: str, number: int) -> SafeString:
    """Of the elements of a column. What can be changed in the table itself says by which key."""
    classes = [room if number else "is-main", "is-number" if column.number else ""]
    attrs = format_html(' class="{}"', " ".join(one for one in classes if one))
    return attrs + format_html(' data-cell="{}" tabindex="-1"', column.key) if column.edit else attrs


def _chip(wish: Asked, cut: Cut, view: object) -> Chip:
    return Chip(cut, replace(wish, cut=cut).href() or "?", cut is wish.cut and view is None)


def _told(wish: Asked, request: MemberRequest, within: dict[str, Any]) -> list[Narrowed]:
    found = []
    for key, values in wish.filters.items():
        column = wish.known[key]
        assert column.filter is not None
        words = f"{column.label}: {column.filter.say(values, request.member)}"
        found.append(Narrowed(words, wish.without(key).href(**within)))
    return found


def _heading(wish: Asked, column: Column, room: str, within: dict[str, Any]) -> Heading:
    if column.by is None:
        return Heading(column, "", "", room)
    here = column.key == wish.sort.key
    wanted = replace(wish, sort=column, down=(not wish.down) if here else column.down)
    way = ("down" if wish.down else "up") if here else ""
    return Heading(column, wanted.href(**within), way, room)


def suggestions(records: QuerySet[Any], words: str, *, limit: int = 8) -> list[Record]:
    """The few records a typed word most likely means: those whose name begins with it, then those that have it
    anywhere.
    """
    folded = fold(words)
    if not folded:
        return []
    first = list(records.filter(sort_name__startswith=folded).order_by("sort_name", "id")[:limit])
    rest = matching(records, words).exclude(pk__in=[one.pk for one in first]).order_by("sort_name", "id")
    return [*first, *rest[: limit - len(first)]]
