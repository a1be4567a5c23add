"""Records by stage, as a board shows them: the same for deals and candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from postroom.records.record import Record
from postroom.records.screens import Screen, Step
from postroom.records.views import wants_part
from postroom.workspaces.access import MemberRequest

MOST_CARDS = 30  # a column shows so many; the rest is in the list


@dataclass(frozen=True)
class BoardColumn:
    """A stage with its first cards; `count` is all there are, `total` and `weighted` what a board sums."""

    step: Step
    cards: Sequence[Record]
    count: int = 0
    total: str = ""
    weighted: str = ""

    @property
    def left_out(self) -> int:
        return self.count - len(self.cards)


class Choice(NamedTuple):
    """What a board can be of: a pipeline, a job."""

    label: str
    href: str
    current: bool


def cards(query: QuerySet[Any], *, by: str, among: Sequence[Any], order: Sequence[Any]) -> Mapping[str, list[Any]]:
    """The first cards of each column, by the value of `by`, `among` being those there are; one query however many.

    Each column is read from its top as far as it is shown, and only these cards with what belongs to them.
    """
    bare = query.select_related(None)
    tops = [bare.filter(**{by: value}).order_by(*order).values("pk")[:MOST_CARDS] for value in among]
    first = bare.none().values("pk").union(*tops, all=True)
    found: dict[str, list[Any]] = {}
    for record in query.filter(pk__in=first).order_by(*order):
        found.setdefault(str(getattr(record, by)), []).append(record)
    return found


def page(
    request: MemberRequest, screen: Screen, columns: Sequence[BoardColumn], *, choices: Sequence[Choice], **more: Any
) -> HttpResponse:
    """A board, or its columns alone where htmx asks for them."""
    context = {
        "screen": screen,
        "active": screen.root,
        "columns": columns,
        "choices": choices,
        "here": request.get_full_path(),
        "note_template": screen.template("card_note"),
        "facts_template": screen.template("card_facts"),
        **more,
    }
    part = wants_part(request, "board")
    return render(request, "records/board/columns.html" if part else "records/board/page.html", context)
