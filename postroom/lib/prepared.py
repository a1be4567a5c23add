"""Queries of many parts, written as SQL once in a process rather than once in every request.

Django builds a query from its parts each time it is asked: with half a dozen subqueries that takes longer than
PostgreSQL takes to answer. What differs from one asking to the next are a few ids, moments and days.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
Value = datetime | date | int | Sequence[int]

# What stands for ids, moments and days while the SQL is written: nothing a query names itself is like them.
_FIRST_ID = 2_147_000_000  # and every integer column could hold them; Django knows that nothing equals what is greater
_FIRST_YEAR, _YEARS = 8100, 10  # so many are between one of them and the next


class _Plan(NamedTuple):
    rows: QuerySet[Any]
    compiler: Any  # Django's, which has written the SQL and knows what the columns mean
    sql: str
    parameters: Sequence[Any]


class Prepared(Generic[Row]):
    """The rows of ``build(*values, *shape)``, where only the values change what is asked for.

    A value is an id, a moment, a day, or a collection of ids in whose order and repetition nothing lies. ``shape``:
    flags and limits the query itself depends on; each combination is written once. ``build`` is given values that
    nothing has, so it must neither read what belongs to them nor compare them: what it put into the query then would
    stay there for everybody. It may ask for what lies up to four years before or after a moment or a day.
    """

    def __init__(self, build: Callable[..., QuerySet[Row]]) -> None:
        self._build = build
        self._plans: dict[tuple[tuple[int, ...], tuple[int, ...]], _Plan | None] = {}

    def __call__(self, *values: Value, shape: tuple[int, ...] = ()) -> list[Row]:
        """Ask the database. Raises ValueError where the query does not depend on one of the values."""
        given = [_padded(one) for one in values]
        key = (shape, tuple(len(one) if isinstance(one, list) else -1 for one in given))
        if key not in self._plans:
            self._plans[key] = self._written(given, shape)
        plan = self._plans[key]
        if plan is None:
            return []
        ids, times = _split(given)
        compiler = copy.copy(plan.compiler)
        compiler.connection = connections[plan.rows.db]  # each thread has its own
        parameters = tuple(_real(one, ids, times) for one in plan.parameters)
        compiler.as_sql = lambda: (plan.sql, parameters)
        query = copy.copy(plan.rows.query)
        query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(plan.rows.__class__(plan.rows.model, query, plan.rows.db))

    def _written(self, given: Sequence[Any], shape: tuple[int, ...]) -> _Plan | None:
        """``None``: nothing is among none."""
        stand_ins = _stand_ins(given)
        rows = self._build(*stand_ins, *shape)
        compiler = rows.query.get_compiler(rows.db)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        wanted, used = _slots(stand_ins), _slots(parameters)
        if wanted - used:
            raise ValueError(f"The query of {self._build.__name__} does not depend on everything it is given")
        return _Plan(rows, compiler, sql, parameters)


def _padded(value: Value) -> Any:
    """Collections are as long as a power of two, so that few lengths have an SQL of their own."""
    if isinstance(value, (int, date)):
        return value
    ids = list(value)
    return ids + ids[-1:] * ((1 << (len(ids) - 1).bit_length()) - len(ids)) if ids else ids


def _split(given: Sequence[Any]) -> tuple[list[int], list[date]]:
    """The ids, and the moments and days, each in the order in which they come."""
    times = [one for one in given if isinstance(one, date)]
    return _flat([one for one in given if not isinstance(one, date)]), times


def _stand_ins(given: Sequence[Any]) -> list[Any]:
    """Ids are numbered in the order in which they come, moments and days are some years apart."""
    ids, places = count(_FIRST_ID), count()
    found: list[Any] = []
    for one in given:
        if isinstance(one, date):
            found.append(_time(next(places), one))
        else:
            found.append([next(ids) for _ in one] if isinstance(one, list) else next(ids))
    return found


def _real(parameter: Any, ids: Sequence[int], times: Sequence[date]) -> Any:
    """What a parameter of the written SQL is for these values."""
    if isinstance(parameter, (list, tuple)):
        return type(parameter)(_real(one, ids, times) for one in parameter)
    place = _place(parameter)
    if place is None:
        return parameter
    if isinstance(parameter, int):
        return ids[place]
    return times[place] + (parameter - _time(place, times[place]))


def _place(parameter: Any) -> int | None:
    """The how manyth of the ids, or of the moments and days, it stands for; ``None``: it is what it is."""
    if isinstance(parameter, int) and parameter >= _FIRST_ID:
        return parameter - _FIRST_ID
    if isinstance(parameter, date) and parameter.year > _FIRST_YEAR - _YEARS:
        return (parameter.year - _FIRST_YEAR + _YEARS // 2) // _YEARS
    return None


def _time(place: int, like: date) -> Any:
    """The stand-in for a moment or a day."""
    moment = datetime(_FIRST_YEAR + place * _YEARS, 1, 1, tzinfo=UTC)
    return moment if isinstance(like, datetime) else moment.date()


def _slots(parameters: Sequence[Any]) -> set[tuple[bool, int | None]]:
    """Which ids, and which moments and days, these stand for."""
    return {(isinstance(one, date), _place(one)) for one in _flat(parameters)}


def _flat(parameters: Sequence[Any]) -> list[Any]:
    return [one for each in parameters for one in (_flat(each) if isinstance(each, (list, tuple)) else [each])]
