"""Which records come next in an order that looks something up for each: found where it is looked up, in its own order,
so that nothing is looked up for the others (``lib.pages.Near``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Count, F, Model, OuterRef, Q, QuerySet, Subquery

from postroom.lib.pages import ALL, Near
from postroom.records.record import Record
from postroom.workspaces.models import Membership

MOST = 400  # records; where filters leave less than a page of them, all are sorted
Maker = Callable[[type[Record], Membership], Near]


def by_first(rows: type[Model], of: str, text: str) -> Maker:
    """By the first of the texts each has, as its addresses: a workspace has each of them once, lower-cased."""

    def made(model: type[Record], member: Membership) -> Near:
        def near(after: list[Any] | None) -> tuple[list[int], object]:
            every: QuerySet[Any] = rows._default_manager.filter(workspace=member.workspace_id)
            first = rows._default_manager.filter(**{of: OuterRef(of)}).values("pk")[:1]
            here = Q(**{f"{text}__gt": str(after[0])[1:]}) if after else Q()  # behind a 0, see ``Column.order``
            found = every.filter(here, pk=Subquery(first)).order_by(text)
            return list(found.values_list(f"{of}_id", flat=True)[:MOST]), ALL

        return near

    return made


def by_name_of(other: str) -> Maker:
    """By the name of another record it points at; an index has these in order."""

    def made(model: type[Record], member: Membership) -> Near:
        def near(after: list[Any] | None) -> tuple[list[int], object]:
            name, here = f"{other}__sort_name", {"workspace": member.workspace_id}
            found = model._default_manager.filter(**here, **{f"{other}__{key}": value for key, value in here.items()})
            if after:
                behind = str(after[0])[1:]  # a 0, see ``Column.order``
                found = found.filter(Q(**{f"{name}__gt": behind}) | Q(**{name: behind, "pk__gt": after[1]}))
                found = found.filter(**{f"{name}__gte": behind})  # said again as an index reads it
            named = found.exclude(**{name: ""}).order_by(name, "pk")
            return list(named.values_list("pk", flat=True)[:MOST]), ALL

        return near

    return made


def by_count(rows: Callable[[Membership], QuerySet[Any]], of: str) -> Maker:
    """By how many rows each has, most first."""

    def made(model: type[Record], member: Membership) -> Near:
        def near(after: list[Any] | None) -> tuple[list[int], object]:
            counted = rows(member).filter(**{f"{of}__isnull": False}).order_by().values(of).annotate(number=Count("pk"))
            if after:
                number, key = after
                counted = counted.filter(Q(number__lt=number) | Q(number=number, **{f"{of}__lt": key}))
            found = counted.order_by(F("number").desc(), F(of).desc())
            return list(found.values_list(of, flat=True)[:MOST]), ALL

        return near

    return made
