"""Keyset paging: the next page starts after the last row seen, so page 1,000 costs what page 1 costs.

    page = keyset(threads, order=("-last_at", "-id"), after=request.GET.get("after", ""), size=50)
    page.rows, page.next  # next: the token for the following page, "" on the last one

A token is not a secret and not signed: it only says where to go on, within what the query allows anyway. A broken or
foreign token means the first page.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


Near = Callable[[list[Any] | None], tuple[Collection[int], Any]]
"""From the values of an order as a token has them (None: the top) to the keys of all rows that come next, and the value
of its first field up to which, itself not included, these are all; ALL where they are the next ones without a gap."""
ALL = object()


@dataclass(frozen=True)
class RowPage(Generic[Row]):
    """One page of rows and the token of the next ("" when this is the last)."""

    rows: list[Row]
    next: str


def keyset(
    query: QuerySet[Row],
    *,
    order: tuple[str, ...],
    after: str = "",
    size: int = 50,
    whole: QuerySet[Row] | None = None,
    near: Near | None = None,
) -> RowPage[Row]:
    """The page of `query` after a token. `order` ends with a unique field; its fields must not be null.

    `whole`: the same rows and more, with what a page reads besides. Which rows the page has is then found alone, so
    that no sort drags along what only these rows need.

    `near`: where the first field of `order` is dear to compute, what names the few rows that may be next; without them
    all are sorted.
    """
    values = _read(after, len(order))
    try:
        rows = _rows(query, order, values, size=size, whole=whole, near=near)
    except (ValidationError, ValueError, TypeError, OverflowError):
        rows = _rows(query, order, None, size=size, whole=whole, near=near)
    more = len(rows) > size
    return RowPage(rows[:size], token(rows[size - 1], order) if more else "")


def _rows(
    query: QuerySet[Row],
    order: tuple[str, ...],
    values: list[Any] | None,
    *,
    size: int,
    whole: QuerySet[Row] | None,
    near: Near | None,
) -> list[Row]:
    """The rows of a page and the one behind it."""
    if whole is None:
        return list(_after(query, order, values)[: size + 1])
    if near is not None:
        keys, end = near(values)
        places = _places(_after(query.filter(pk__in=keys), order, values)[: size + 1], order)
        if len(places) > size and _before(places[size - 1][1], end, down=order[0].startswith("-")):
            return _whole(places, order, whole)
    return _whole(_places(_after(query, order, values)[: size + 1], order), order, whole)


def _before(value: Any, end: Any, *, down: bool) -> bool:
    return end is ALL or bool(value > end if down else value < end)


def _after(query: QuerySet[Row], order: tuple[str, ...], values: list[Any] | None) -> QuerySet[Row]:
    """In order, from behind a place on; from the top without one."""
    page = query.order_by(*order)
    if values is None:
        return page
    return page.filter(_beyond(order, values, bound=_first(order) not in query.query.annotations))


def _places(page: QuerySet[Row], order: tuple[str, ...]) -> list[Any]:
    """The key of each row of a page and its values in the order."""
    return list(page.values_list("pk", *(name.lstrip("-") for name in order)))


def _whole(places: list[Any], order: tuple[str, ...], whole: QuerySet[Row]) -> list[Row]:
    """The rows of a page as `whole` reads them, with the values of the order besides."""
    found = whole.in_bulk([place[0] for place in places])
    rows = []
    for pk, *values in places:
        if pk in found:  # else it went in between
            rows.append(row := found[pk])
            for name, value in zip(order, values, strict=True):
                setattr(row, name.lstrip("-"), value)
    return rows


def token(row: Model, order: tuple[str, ...]) -> str:
    """Where a row stands in this order."""
    values = [_plain(_value(row, name.lstrip("-"))) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _value(row: Model, name: str) -> Any:
    value: Any = row
    for part in name.split("__"):
        value = getattr(value, part)
    return value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _read(text: str, length: int) -> list[Any] | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return None
    plain = isinstance(values, list) and all(isinstance(v, str | int | float | bool) for v in values)
    return values if plain and len(values) == length and "\0" not in "".join(map(str, values)) else None


def _first(order: tuple[str, ...]) -> str:
    return order[0].lstrip("-")


def _beyond(order: tuple[str, ...], values: list[Any], *, bound: bool) -> Q:
    """(a, b) > (x, y) written out, each field in its own direction; led by a `bound` that an index can use, which only
    costs where the first field is computed."""
    condition, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        field, down = name.lstrip("-"), name.startswith("-")
        condition |= equal & Q(**{f"{field}__{'lt' if down else 'gt'}": value})
        equal &= Q(**{field: value})
    if not bound:
        return condition
    way = "lte" if order[0].startswith("-") else "gte"
    return Q(**{f"{_first(order)}__{way}": values[0]}) & condition
