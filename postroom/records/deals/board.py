"""Deals by stage, with what they are worth."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import Count, F, Sum

from postroom.records.boards import BoardColumn, cards
from postroom.records.models import Deal, Pipeline, Stage
from postroom.records.money import roughly, totals, weighted
from postroom.records.screens import Step

ORDER = (F("close_date").asc(nulls_last=True), "id")


def columns(pipeline: Pipeline) -> list[BoardColumn]:
    """A column per stage, its deals by close date. Three queries."""
    counts: dict[int, int] = {}
    sums: dict[int, list[tuple[str, Decimal]]] = {}
    every = Deal.objects.filter(stage__pipeline=pipeline)
    for row in every.order_by().values("stage", "currency").annotate(number=Count("pk"), amount=Sum("amount")):
        counts[row["stage"]] = counts.get(row["stage"], 0) + row["number"]
        if row["amount"]:
            sums.setdefault(row["stage"], []).append((row["currency"], row["amount"]))
    stages = pipeline.stages.all()
    related = every.select_related("company", "owner__user", "stage")
    shown = cards(related, by="stage_id", among=[stage.pk for stage in stages], order=ORDER)
    return [
        BoardColumn(
            step=Step(str(stage.pk), stage.name, stage.outcome),
            cards=shown.get(str(stage.pk), []),
            count=counts.get(stage.pk, 0),
            total=totals(sums.get(stage.pk, [])),
            weighted=_weighted(stage, sums.get(stage.pk, [])),
        )
        for stage in stages
    ]


def _weighted(stage: Stage, amounts: list[tuple[str, Decimal]]) -> str:
    """What of a stage's sum is to be expected, where that is another figure."""
    if stage.outcome != Stage.Outcome.OPEN:
        return ""
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, Decimal(0)) + weighted(amount, stage.chance)
    return totals((currency, roughly(amount)) for currency, amount in sums.items())


def is_late(deal: Deal, today: date) -> bool:
    """Whether an open deal should have been closed by now."""
    return deal.stage.outcome == Stage.Outcome.OPEN and deal.close_date is not None and deal.close_date < today
