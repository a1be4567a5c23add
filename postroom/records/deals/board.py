"""Deals by stage, as the board shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Sum

from postroom.records.models import Deal, Pipeline, Stage
from postroom.records.money import totals

MOST_CARDS = 60  # a column shows so many; the rest is in the list


@dataclass(frozen=True)
class BoardColumn:
    stage: Stage
    deals: list[Deal]
    count: int
    total: str

    @property
    def left_out(self) -> int:
        return self.count - len(self.deals)


def columns(pipeline: Pipeline) -> list[BoardColumn]:
    """A column per stage, its deals by close date. Three queries and one per stage."""
    counts: dict[int, int] = {}
    sums: dict[int, list[tuple[str, Decimal]]] = {}
    every = Deal.objects.filter(stage__pipeline=pipeline)
    for row in every.order_by().values("stage", "currency").annotate(number=Count("pk"), amount=Sum("amount")):
        counts[row["stage"]] = counts.get(row["stage"], 0) + row["number"]
        if row["amount"]:
            sums.setdefault(row["stage"], []).append((row["currency"], row["amount"]))
    return [
        BoardColumn(stage, _cards(stage), counts.get(stage.pk, 0), totals(sums.get(stage.pk, [])))
        for stage in pipeline.stages.all()
    ]


def _cards(stage: Stage) -> list[Deal]:
    order = (F("close_date").asc(nulls_last=True), "id")
    return list(stage.deals.select_related("company", "owner__user").order_by(*order)[:MOST_CARDS])


def is_late(deal: Deal, today: date) -> bool:
    """Whether an open deal should have been closed by now."""
    return deal.stage.outcome == Stage.Outcome.OPEN and deal.close_date is not None and deal.close_date < today
