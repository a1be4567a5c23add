"""Deals and the pipelines they move through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.db.models import Q

from postroom.records.record import Record, record_indexes
from postroom.workspaces.models import WorkspaceOwned


class Pipeline(WorkspaceOwned):
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """A step of a pipeline. What being there means for a deal (open, won, lost) is data of the step."""

    class Outcome(models.TextChoices):
        OPEN = "open", "Open"
        WON = "won", "Won"
        LOST = "lost", "Lost"

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=4, choices=Outcome, default=Outcome.OPEN)
    chance = models.PositiveSmallIntegerField(default=0)  # per cent of deals here that are won in the end

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.CheckConstraint(condition=Q(chance__lte=100), name="stage_chance_is_a_percentage")]

    def __str__(self) -> str:
        return self.name


class Deal(Record):
    key: ClassVar[str] = "deal"

    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="deals")
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    close_date = models.DateField(null=True, blank=True)
    company = models.ForeignKey(
        "records.Company", null=True, blank=True, on_delete=models.SET_NULL, related_name="deals"
    )
    people = models.ManyToManyField("records.Person", related_name="deals", blank=True)

    class Meta:
        indexes = [*record_indexes("deal"), models.Index(fields=["stage", "close_date", "id"], name="deal_on_board")]

    def search_parts(self) -> Iterable[str]:
        people = [person.name for person in self.people.all()] if self.pk else []
        return [self.name, self.company.name if self.company else "", *people]
