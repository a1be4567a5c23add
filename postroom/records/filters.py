"""What a column of a table can be narrowed to. A filter reads what an address says, narrows a query, and says so.

In an address a filter stands as ``f.<column>``: one value, or several of a choice. ``none`` means that nothing is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, NamedTuple, Protocol

from django.db.models import Q, QuerySet
from django.utils import timezone

from postroom.workspaces.models import Membership

NONE, ME = "none", "me"
MOST = 60  # values of one filter
LONGEST = 200

Options = Callable[[Membership], Sequence[tuple[str, str]]]
Told = tuple[str, ...]


class Input(NamedTuple):
    """What a dialog draws for a filter. `kind` names the template, `values` are what is chosen now."""

    kind: str
    name: str
    label: str
    values: Told = ()
    options: Sequence[tuple[str, str]] = ()
    low: str = ""
    high: str = ""
    type: str = "text"

    @property
    def template(self) -> str:
        return f"records/filters/{self.kind}.html"


class Filter(Protocol):
    """Values are those of the address, as `read` has left them."""

    def read(self, told: Iterable[str], more: Callable[[str], str]) -> Told:
        """What of an address can be used; empty where the filter says nothing. ``more`` has a form's further parts."""

    def narrow(self, query: QuerySet[Any], name: str, values: Told, member: Membership) -> QuerySet[Any]: ...

    def say(self, values: Told, member: Membership) -> str:
        """The values in words, behind the column's name."""

    def drawn(self, name: str, label: str, values: Told, member: Membership) -> Input: ...


def _at(query: QuerySet[Any], path: Any, name: str) -> tuple[QuerySet[Any], str]:
    """A query in which a column or an expression has a name to be asked by."""
    return (query, path) if isinstance(path, str) else (query.alias(**{name: path}), name)


@dataclass(frozen=True)
class Choice:
    """One of several. `mine`: the values are members, and "me" is whoever looks."""

    path: Any
    options: Options
    empty: str = ""  # what nothing is called; none where it cannot be
    mine: bool = False

    def read(self, told: Iterable[str], more: Callable[[str], str]) -> Told:
        return tuple(dict.fromkeys(one[:LONGEST] for one in told if one and "\0" not in one))[:MOST]

    def narrow(self, query: QuerySet[Any], name: str, values: Told, member: Membership) -> QuerySet[Any]:
        query, path = _at(query, self.path, name)
        try:
            chosen = [str(member.pk) if self.mine and one == ME else one for one in values if one != NONE]
            wanted = Q(**{f"{path}__in": chosen})
            return query.filter(wanted | Q(**{f"{path}__isnull": True}) if NONE in values else wanted)
        except (ValueError, TypeError):  # an id that is none
            return query.none()

    def say(self, values: Told, member: Membership) -> str:
        labels = {NONE: self.empty or "Nothing", **({ME: "Me"} if self.mine else {})}
        if not labels.keys() >= set(values):
            labels = {**dict(self.options(member)), **labels}
        return " or ".join(labels.get(one, one) for one in values)

    def drawn(self, name: str, label: str, values: Told, member: Membership) -> Input:
        first = [(ME, "Me")] if self.mine else []
        last = [(NONE, self.empty)] if self.empty else []
        return Input("choice", name, label, values, [*first, *self.options(member), *last])


@dataclass(frozen=True)
class Contains:
    """A text has these words somewhere. `many`: the text stands in rows of its own."""

    path: Any
    many: bool = False

    def read(self, told: Iterable[str], more: Callable[[str], str]) -> Told:
        words = next(iter(told), "").replace("\0", "").strip()[:LONGEST]
        return (words,) if words else ()

    def narrow(self, query: QuerySet[Any], name: str, values: Told, member: Membership) -> QuerySet[Any]:
        query, path = _at(query, self.path, name)
        if not self.many:
            return query.filter(**{f"{path}__icontains": values[0]})
        rows = query.model._default_manager.filter(workspace=member.workspace_id, **{f"{path}__icontains": values[0]})
        return query.filter(pk__in=rows.values("pk"))

    def say(self, values: Told, member: Membership) -> str:
        return f"has “{values[0]}”"

    def drawn(self, name: str, label: str, values: Told, member: Membership) -> Input:
        return Input("text", name, label, values)


@dataclass(frozen=True)
class _Between:
    """From … to, both ends within; one of them may be open."""

    path: Any
    type: ClassVar[str] = "text"
    empty: str = "none"

    def one(self, text: str) -> Any:
        """An end as it is compared. Raises ValueError."""
        raise NotImplementedError

    def read(self, told: Iterable[str], more: Callable[[str], str]) -> Told:
        span = more("span") or next(iter(told), "")
        if span == NONE or span in self.spans():
            return (span,)
        low, _, high = span.partition("..")
        low, high = self._end(more("from") or low), self._end(more("to") or high)
        return (f"{low}..{high}",) if low or high else ()

    def _end(self, text: str) -> str:
        try:
            return text.strip() if text.strip() and self.one(text.strip()) is not None else ""
        except ValueError:
            return ""

    def spans(self) -> dict[str, str]:
        """Stretches that have names, with what they are called."""
        return {}

    def ends(self, value: str) -> tuple[Any, Any]:
        low, _, high = value.partition("..")
        return (self.one(low) if low else None), (self.one(high) if high else None)

    def narrow(self, query: QuerySet[Any], name: str, values: Told, member: Membership) -> QuerySet[Any]:
        query, path = _at(query, self.path, name)
        if values[0] == NONE:
            return query.filter(**{f"{path}__isnull": True})
        low, high = self.ends(values[0])
        query = query.filter(**{f"{path}__gte": low}) if low is not None else query
        return query.filter(**{f"{path}__lte": high}) if high is not None else query

    def say(self, values: Told, member: Membership) -> str:
        if values[0] == NONE:
            return "not set"
        if values[0] in self.spans():
            return self.spans()[values[0]].lower()
        low, _, high = values[0].partition("..")
        if low and high:
            return f"{self.word(low)} to {self.word(high)}"
        return f"from {self.word(low)}" if low else f"up to {self.word(high)}"

    def word(self, end: str) -> str:
        return end

    def drawn(self, name: str, label: str, values: Told, member: Membership) -> Input:
        value = values[0] if values else ""
        low, _, high = value.partition("..") if ".." in value else ("", "", "")
        spans = [("", "Between …"), *self.spans().items(), *([(NONE, "Not set")] if self.empty else [])]
        return Input("between", name, label, values, spans, low, high, self.type)


@dataclass(frozen=True)
class Amount(_Between):
    """A number from … to."""

    type: ClassVar[str] = "number"

    def one(self, text: str) -> Any:
        try:
            found = Decimal(text.replace(",", "").replace(" ", ""))
        except InvalidOperation:
            raise ValueError(text) from None
        if not found.is_finite() or abs(found.adjusted()) > 15:
            raise ValueError(text)
        return found

    def word(self, end: str) -> str:
        number = self.one(end)
        return f"{number:,.2f}".removesuffix(".00")


SPANS: dict[str, tuple[str, Callable[[date], tuple[date | None, date | None]]]] = {
    "past": ("Before today", lambda day: (None, day - timedelta(days=1))),
    "today": ("Today", lambda day: (day, day)),
    "next-7": ("The next 7 days", lambda day: (day, day + timedelta(days=7))),
    "next-30": ("The next 30 days", lambda day: (day, day + timedelta(days=30))),
    "last-7": ("The last 7 days", lambda day: (day - timedelta(days=7), day)),
    "last-30": ("The last 30 days", lambda day: (day - timedelta(days=30), day)),
    "month": ("This month", lambda day: (first_of(day), first_of(day, 1) - timedelta(days=1))),
    "next-month": ("Next month", lambda day: (first_of(day, 1), first_of(day, 2) - timedelta(days=1))),
}
"""Stretches that move with today, so that a saved view stays right."""


def first_of(day: date, later: int = 0) -> date:
    """The first day of the month that many months later."""
    months = day.year * 12 + day.month - 1 + later
    return date(months // 12, months % 12 + 1, 1)


@dataclass(frozen=True)
class Day(_Between):
    """A day from … to, or a stretch that moves with today. `moments`: the column has times of day as well."""

    type: ClassVar[str] = "date"
    moments: bool = False
    plain: bool = False  # the days are kept as text

    def one(self, text: str) -> Any:
        return date.fromisoformat(text)

    def spans(self) -> dict[str, str]:
        return {key: label for key, (label, _) in SPANS.items()}

    def ends(self, value: str) -> tuple[Any, Any]:
        low, high = SPANS[value][1](timezone.localdate()) if value in SPANS else super().ends(value)
        if self.plain:
            return low and low.isoformat(), high and high.isoformat()
        if not self.moments:
            return low, high
        zone = timezone.get_current_timezone()
        return (
            low and datetime.combine(low, time.min, zone),
            high and datetime.combine(high, time.max, zone),
        )

    def word(self, end: str) -> str:
        day = self.one(end)
        return f"{day.day} {day:%b %Y}"


def members(member: Membership) -> list[tuple[str, str]]:
    """The members of the workspace, as a choice."""
    query = Membership.objects.for_workspace(member.workspace_id).select_related("user").order_by("user__name")
    return [(str(one.pk), one.name) for one in query]


def fixed(choices: Iterable[tuple[Any, Any]]) -> Options:
    """A choice that is the same for everybody."""
    known = [(str(value), str(label)) for value, label in choices]
    return lambda member: known
