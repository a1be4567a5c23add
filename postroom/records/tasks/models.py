"""Tasks."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.lookups import LessThanOrEqual

from postroom.lib.clock import now
from postroom.records.record import POINTERS, About, pointer_indexes


class Task(About):
    """At most one record is pointed at. Times of day are not kept: a task is due on a day."""

    class Importance(models.TextChoices):
        LOW = "low", "Low"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High"

    title = models.CharField(max_length=300)
    body = models.TextField(blank=True)
    due = models.DateField(null=True, blank=True)
    importance = models.CharField(max_length=6, choices=Importance, default=Importance.NORMAL)
    assignee = models.ForeignKey(
        "workspaces.Membership", null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks"
    )
    author = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=LessThanOrEqual(
                    models.Func(*(models.F(one) for one in POINTERS), function="num_nonnulls"), models.Value(1)
                ),
                name="task_at_most_one_record",
            )
        ]
        indexes = [
            *pointer_indexes("task", "done_at", "due", "id"),
            models.Index(
                fields=["workspace", "assignee", "due", "id"], condition=Q(done_at__isnull=True), name="task_to_do"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def has_record(self) -> bool:
        return any(getattr(self, f"{one}_id") is not None for one in POINTERS)
