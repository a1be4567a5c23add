"""What an address says of a table (words, part, filters, order, columns), and the address that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from postroom.records.filters import Told
from postroom.records.tables import Column, Cut, Table

FILTER = "f."
LONGEST_WORDS = 200
MOST_COLUMNS = 40
STATE = ("q", "show", "sort", "way", "cols")
"""What a saved view keeps, besides the filters."""


@dataclass(frozen=True)
class Asked:
    """`columns` is empty where the address names none; `missing` are keys of columns that are no more."""

    table: Table
    known: Mapping[str, Column]
    sort: Column
    down: bool
    words: str = ""
    cut: Cut | None = None
    filters: Mapping[str, Told] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """The state as parameters, without what goes without saying."""
        first = self.table.cuts[0] if self.table.cuts else None
        told = [("q", self.words)] if self.words else []
        told += [("show", self.cut.key)] if self.cut and self.cut is not first else []
        told += [(FILTER + key, one) for key in sorted(self.filters) for one in self.filters[key]]
        told += [("sort", self.sort.key)] if self.sort.key != self.table.first_sort else []
        told += [("way", "down" if self.down else "up")] if self.down != self.sort.down else []
        return [*told, ("cols", ",".join(self.columns))] if self.columns else told

    @property
    def query(self) -> str:
        return urlencode(self.pairs())

    def href(self, **more: Any) -> str:
        """An address relative to the table's own."""
        told = [*self.pairs(), *((name, str(value)) for name, value in more.items() if value)]
        return "?" + urlencode(told)

    def without(self, key: str) -> Asked:
        """The same without a filter."""
        return replace(self, filters={name: told for name, told in self.filters.items() if name != key})

    @property
    def narrowed(self) -> bool:
        """Whether something may be left out that the table's part has."""
        return bool(self.words or self.filters)


def known_columns(table: Table, own: Sequence[Column]) -> dict[str, Column]:
    return {one.key: one for one in (*table.columns, *own)}


def asked(table: Table, known: Mapping[str, Column], told: QueryDict) -> Asked:
    """Read an address. What is broken or gone is left out; what is gone is named."""
    sort = known.get(told.get("sort", "")) or known[table.first_sort]
    sort = sort if sort.by is not None else known[table.first_sort]
    way = told.get("way", "")
    keys = [one for one in told.get("cols", "").split(",") if one][:MOST_COLUMNS]
    narrowed = {key: values for key, column in known.items() if (values := _values(key, column, told))}
    wanted = told.get("show", "")
    found = Asked(
        table=table,
        known=known,
        sort=sort,
        down=way == "down" if way in ("up", "down") else sort.down,
        words=told.get("q", "")[:LONGEST_WORDS].replace("\x00", "").strip(),
        cut=next((one for one in table.cuts if one.key == wanted), next(iter(table.cuts), None)),
        filters=narrowed,
        columns=tuple(dict.fromkeys(one for one in keys if one in known and one != table.columns[0].key)),
    )
    return replace(found, missing=_missing(known, told, keys))


def _values(key: str, column: Column, told: QueryDict) -> Told:
    if column.filter is None:
        return ()
    name = FILTER + key
    return column.filter.read(told.getlist(name), lambda part: told.get(f"{name}.{part}", ""))


def _missing(known: Mapping[str, Column], told: QueryDict, keys: Sequence[str]) -> tuple[str, ...]:
    """The own fields an address names that are no more; anything else that is unknown is a slip of the pen."""
    filtered = [name.removeprefix(FILTER) for name in told if name.startswith(FILTER)]
    named = [*keys, told.get("sort", ""), *filtered]
    return tuple(dict.fromkeys(one for one in named if one.startswith("own-") and one.split(".")[0] not in known))
