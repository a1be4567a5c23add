"""Queries of many parts, written as SQL once in a process rather than once in every request.

Django builds a query from its parts each time it is asked: with half a dozen subqueries that takes longer than
PostgreSQL takes to answer. What differs from one asking to the next are a few ids, moments and days.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
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
        real = _Real(given)
        compiler = copy.copy(plan.compiler)
        compiler.connection = connections[plan.rows.db]  # each thread has its own
        parameters = tuple(map(real, plan.parameters))
        compiler.as_sql = lambda: (plan.sql, parameters)
        query = copy.copy(plan.rows.query)
        query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(plan.rows.__class__(plan.rows.model, query, plan.rows.db))

    def _written(self, given: Sequence[Any], shape: tuple[int, ...]) -> _Plan | None:
        """``None``: nothing is among none."""
        rows = self._build(*_stand_ins(given), *shape)
        compiler = rows.query.get_compiler(rows.db)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        used = _Real(given)
        for parameter in parameters:
            used(parameter)
        if used.unused:
            raise ValueError(f"The query of {self._build.__name__} does not depend on everything it is given")
        return _Plan(rows, compiler, sql, parameters)


def _padded(value: Value) -> Any:
    """Collections are as long as a power of two, so that few lengths have an SQL of their own."""
    if isinstance(value, (int, date)):
        return value
    ids = list(value)
    return ids + ids[-1:] * ((1 << (len(ids) - 1).bit_length()) - len(ids)) if ids else ids


def _stand_ins(given: Sequence[Any]) -> list[Any]:
    """Ids are numbered in the order in which they come, moments and days are some years apart."""
    found: list[Any] = []
    ids = years = 0
    for one in given:
        if isinstance(one, list):
            found.append(list(range(_FIRST_ID + ids, _FIRST_ID + ids + len(one))))
            ids += len(one)
        elif isinstance(one, date):
            day = datetime(_FIRST_YEAR + years * _YEARS, 1, 1, tzinfo=UTC)
            found.append(day if isinstance(one, datetime) else day.date())
            years += 1
        else:
            found.append(_FIRST_ID + ids)
            ids += 1
    return found


class _Real:
    """What a parameter of the written SQL is for these values."""

    def __init__(self, given: Sequence[Any]) -> None:
        self._ids = [
            each for one in given if not isinstance(one, date) for each in (one if isinstance(one, list) else [one])
        ]
        self._times = [one for one in given if isinstance(one, date)]
        self._stand_ins = [one for one in _stand_ins(given) if isinstance(one, date)]
        self.unused = {*range(len(self._ids)), *(-1 - place for place in range(len(self._times)))}

    def __call__(self, parameter: Any) -> Any:
        if isinstance(parameter, (list, tuple)):
            return type(parameter)(map(self, parameter))
        if isinstance(parameter, date) and parameter.year > _FIRST_YEAR - _YEARS:
            place = (parameter.year - _FIRST_YEAR + _YEARS // 2) // _YEARS
            self.unused.discard(-1 - place)
            return self._times[place] + (parameter - self._stand_ins[place])
        if isinstance(parameter, int) and parameter >= _FIRST_ID:
            self.unused.discard(parameter - _FIRST_ID)
            return self._ids[parameter - _FIRST_ID]
        return parameter
