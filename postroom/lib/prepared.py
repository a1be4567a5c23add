"""Queries of many parts, written as SQL once in a process rather than once in every request.

Django builds a query from its parts each time it is asked: with half a dozen subqueries that takes longer than
PostgreSQL takes to answer. What differs from one asking to the next are a few ids and the time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connections
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)

# What stands for ids and the time while the SQL is written: no number or time a query names itself is like them.
_FIRST_ID = 2_147_000_000  # and every integer column could hold them; Django knows that nothing equals what is greater
_MOMENT = datetime(9000, 1, 1, tzinfo=UTC)
_REAL_UNTIL = datetime(8000, 1, 1, tzinfo=UTC)


class _Plan(NamedTuple):
    rows: QuerySet[Any]
    compiler: Any  # Django's, which has written the SQL and knows what the columns mean
    sql: str
    parameters: Sequence[Any]


class Prepared(Generic[Row]):
    """The rows of ``build(at, *ids, *shape)``, where only ``at`` and ``ids`` change what is asked for.

    ``shape``: flags the query itself depends on; each combination is written once. ``build`` is given ids that nothing
    has, so it must not read what belongs to them: whatever else it put into the query would stay there for everybody.
    Times in the query may lie before or after ``at``.
    """

    def __init__(self, build: Callable[..., QuerySet[Row]]) -> None:
        self._build = build
        self._plans: dict[tuple[bool, ...], _Plan] = {}

    def __call__(self, at: datetime, *ids: int, shape: tuple[bool, ...] = ()) -> list[Row]:
        """Ask the database. Raises ValueError where the query does not depend on one of the ids."""
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._plans[shape] = self._written(len(ids), shape)
        compiler = copy.copy(plan.compiler)
        compiler.connection = connections[plan.rows.db]  # each thread has its own
        parameters = tuple(_real(one, at, ids) for one in plan.parameters)
        compiler.as_sql = lambda: (plan.sql, parameters)
        query = copy.copy(plan.rows.query)
        query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(plan.rows.__class__(plan.rows.model, query, plan.rows.db))

    def _written(self, ids: int, shape: tuple[bool, ...]) -> _Plan:
        stand_ins = range(_FIRST_ID, _FIRST_ID + ids)
        rows = self._build(_MOMENT, *stand_ins, *shape)
        compiler = rows.query.get_compiler(rows.db)
        sql, parameters = compiler.as_sql()
        unused = set(stand_ins).difference(_flat(parameters))
        if unused:
            raise ValueError(f"The query of {self._build.__name__} does not depend on everything it is given")
        return _Plan(rows, compiler, sql, parameters)


def _real(parameter: Any, at: datetime, ids: Sequence[int]) -> Any:
    if isinstance(parameter, list):
        return [_real(one, at, ids) for one in parameter]
    if isinstance(parameter, datetime) and parameter > _REAL_UNTIL:
        return at + (parameter - _MOMENT)
    if isinstance(parameter, int) and parameter >= _FIRST_ID:
        return ids[parameter - _FIRST_ID]
    return parameter


def _flat(parameters: Sequence[Any]) -> list[Any]:
    return [one for each in parameters for one in (each if isinstance(each, list) else [each])]
