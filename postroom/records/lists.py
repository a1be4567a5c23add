"""Lists of records: filter, order, and pages that cost the same however far one goes."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

from postroom.lib.pages import keyset
from postroom.records.extensions import last_contact
from postroom.records.record import Record
from postroom.records.screens import Column, Cut, Screen
from postroom.records.text import fold
from postroom.workspaces.access import MemberRequest

PAGE = 50
SHORTEST_WORD = 1
MOST_WORDS = 8


class Heading(NamedTuple):
    """A column's head: a link that sorts by it, and the way it is sorted now ("up", "down" or "")."""

    column: Column
    href: str
    way: str


class Chip(NamedTuple):
    """A cut of a list as a chip above it."""

    cut: Cut
    href: str
    chosen: bool


class Line(NamedTuple):
    """A record in a list, and when it last had mail."""

    record: Any
    last_at: Any


def matching(records: QuerySet[Any], words: str) -> QuerySet[Any]:
    """Those whose text has every word, without regard to case and accents."""
    for word in fold(words).split()[:MOST_WORDS]:
        records = records.filter(search_text__contains=word)
    return records


def listing(screen: Screen, request: MemberRequest) -> dict[str, Any]:
    """The template context of a page of a list: ?q= filters, ?show= cuts, ?sort= and ?way= order, ?after= goes on."""
    words, sort, way = _wish(screen, request)
    chosen, cut = screen.sorts[sort], _cut(screen, request)
    found = shown(screen, request)
    order = chosen.back if way == "down" else chosen.order
    page = keyset(found, order=order, after=request.GET.get("after", ""), size=PAGE)
    times = last_contact(page.rows, request.member)
    kept = {"q": words, "sort": sort, "way": way, **({"show": cut.key} if cut else {})}
    return {
        "screen": screen,
        "words": words,
        "sort": sort,
        "way": way,
        "headings": [_heading(screen, column, kept) for column in screen.columns],
        "cuts": [Chip(one, "?" + urlencode({**kept, "show": one.key}), one is cut) for one in screen.cuts],
        "cut": cut.key if cut else "",
        "kept": urlencode({name: value for name, value in kept.items() if name in ("q", "show")}),
        "lines": [Line(record, times.get(record.pk)) for record in page.rows],
        "more": "?" + urlencode({**kept, "after": page.next}) if page.next else "",
        "first_page": not request.GET.get("after"),
    }


def shown(screen: Screen, request: MemberRequest) -> QuerySet[Any]:
    """The records a list has for ?q= and ?show=, in no order yet."""
    words, _, _ = _wish(screen, request)
    cut, every = _cut(screen, request), screen.rows(screen.type.of(request.workspace))
    return matching(cut.narrow(every, request.member) if cut else every, words)


def _wish(screen: Screen, request: HttpRequest) -> tuple[str, str, str]:
    sort = request.GET.get("sort", screen.first_sort)
    sort = sort if sort in screen.sorts else screen.first_sort
    way = "down" if request.GET.get("way") == "down" else "up"
    return request.GET.get("q", "")[:200].replace("\x00", "").strip(), sort, way


def _cut(screen: Screen, request: HttpRequest) -> Cut | None:
    wanted = request.GET.get("show", "")
    return next((one for one in screen.cuts if one.key == wanted), next(iter(screen.cuts), None))


def _heading(screen: Screen, column: Column, kept: dict[str, str]) -> Heading:
    if not column.sort:
        return Heading(column, "", "")
    here = column.sort == kept["sort"]
    wanted = {**kept, "sort": column.sort, "way": "down" if here and kept["way"] == "up" else "up"}
    return Heading(column, "?" + urlencode(wanted), kept["way"] if here else "")


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
