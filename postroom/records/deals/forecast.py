"""What the open deals of a pipeline may bring: by month of expected close, by stage and by owner, in full and weighted.

The database sums, decimals multiply, so figures are exact; currencies are never added to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, Q, Sum, Value, When
from django.db.models.functions import TruncMonth

from postroom.records.filters import NONE, first_of
from postroom.records.models import Deal, Pipeline, Stage
from postroom.records.money import roughly, totals, weighted
from postroom.workspaces.models import Membership

AHEAD = 6  # months that have a line of their own
LATE, LATER = "late", "later"
Amounts = dict[str, Decimal]
Row = dict[str, Any]


@dataclass
class Line:
    """A month, a stage or an owner. `told` narrows the list of deals to those of the line."""

    label: str
    told: dict[str, str] = field(default_factory=dict)
    note: str = ""
    late: bool = False
    number: int = 0
    open: Amounts = field(default_factory=dict)
    expected: Amounts = field(default_factory=dict)
    won: Amounts = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Count in a sum of deals that are alike."""
        amount, currency = row["sum"] or Decimal(0), row["currency"]
        if row["stage__outcome"] == Stage.Outcome.WON:
            self.won[currency] = self.won.get(currency, Decimal(0)) + amount
            return
        self.number += row["number"]
        self.open[currency] = self.open.get(currency, Decimal(0)) + amount
        self.expected[currency] = self.expected.get(currency, Decimal(0)) + weighted(amount, row["stage__chance"])

    @property
    def href(self) -> str:
        return "?" + urlencode({"show": "open", **self.told})

    @property
    def open_text(self) -> str:
        return _text(self.open)

    @property
    def expected_text(self) -> str:
        return _text({currency: roughly(amount) for currency, amount in self.expected.items()})

    @property
    def won_text(self) -> str:
        return _text(self.won)

    @property
    def bar(self) -> int | None:
        """The expected sum for a bar, where there is one currency."""
        return int(next(iter(self.expected.values()))) if len(self.expected) == 1 else None


@dataclass(frozen=True)
class Forecast:
    """The lines of each part add up to `total`."""

    total: Line
    months: Sequence[Line]
    stages: Sequence[Line]
    owners: Sequence[Line]

    @property
    def most(self) -> int:
        """The longest bar of the months; 0 where their sums are of several currencies."""
        bars = [one.bar for one in self.months if one.expected]
        same = len({currency for one in self.months for currency in one.expected}) == 1
        return max((bar for bar in bars if bar is not None), default=0) if same else 0


def _text(amounts: Amounts) -> str:
    return totals((currency, amount) for currency, amount in amounts.items() if amount)


def forecast(pipeline: Pipeline, *, today: date, owner: Membership | None = None) -> Forecast:
    """Of everybody's deals or of one owner's. What was won counts from the first of this month on. Two queries."""
    rows = _sums(pipeline, today, owner)
    total = Line("All together")
    for row in rows:
        total.add(row)
    months = _put(_months(today), rows, lambda row: _month(row, today))
    stages = _put(_stages(pipeline), rows, lambda row: row["stage"])
    owners = _put(_owners(rows), rows, lambda row: row["owner"])
    by_worth = sorted(owners, key=lambda one: (-sum(one.expected.values()), one.label))
    return Forecast(total, [one for one in months if one.number or one.won or not one.note], stages, by_worth)


def _sums(pipeline: Pipeline, today: date, owner: Membership | None) -> list[Row]:
    """Deals that are alike (month, stage, owner, currency, late or not) as one row with their number and sum."""
    still_open = Q(stage__outcome=Stage.Outcome.OPEN)
    won = Q(stage__outcome=Stage.Outcome.WON, close_date__gte=first_of(today))
    deals = Deal.objects.filter(still_open | won, stage__pipeline=pipeline)
    deals = deals.filter(owner=owner) if owner else deals
    late = Case(When(still_open & Q(close_date__lt=today), then=Value(True)), default=Value(False))
    alike = deals.order_by().annotate(month=TruncMonth("close_date"), late=late).values(
        "month", "late", "stage", "stage__chance", "stage__outcome", "owner", "currency"
    )  # fmt: skip
    return [dict(row) for row in alike.annotate(number=Count("pk"), sum=Sum("amount"))]


def _put(lines: dict[Any, Line], rows: Sequence[Row], key: Callable[[Row], Any]) -> list[Line]:
    for row in rows:
        lines[key(row)].add(row)
    return list(lines.values())


def _month(row: Row, today: date) -> Any:
    if row["late"]:
        return LATE
    return LATER if row["month"] is not None and row["month"] >= first_of(today, AHEAD) else row["month"]


def _months(today: date) -> dict[Any, Line]:
    """The lines with a note are left out where they are empty."""
    lines: dict[Any, Line] = {
        LATE: Line("Late", {"f.closes": "past"}, note="should have been closed by now", late=True)
    }
    for number in range(AHEAD):
        first = first_of(today, number)
        last = first_of(today, number + 1) - timedelta(days=1)
        lines[first] = Line(f"{first:%B %Y}", {"f.closes": f"{max(first, today)}..{last}"})
    far = first_of(today, AHEAD)
    lines[LATER] = Line("Later", {"f.closes": f"{far}.."}, note=f"from {far:%B %Y}")
    lines[None] = Line("No close date", {"f.closes": NONE}, note="nobody said when")
    return lines


def _stages(pipeline: Pipeline) -> dict[Any, Line]:
    return {
        one.pk: Line(one.name, {"show": "all", "f.stage": str(one.pk)}, note=f"{one.chance} %")
        for one in pipeline.stages.all()
        if one.outcome != Stage.Outcome.LOST
    }


def _owners(rows: Sequence[Row]) -> dict[Any, Line]:
    ids = {row["owner"] for row in rows}
    members = Membership.objects.filter(pk__in=[one for one in ids if one is not None]).select_related("user")
    lines: dict[Any, Line] = {one.pk: Line(one.name, {"f.owner": str(one.pk)}) for one in members}
    return {**lines, None: Line("Nobody", {"f.owner": NONE})} if None in ids else lines
