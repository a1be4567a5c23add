"""What happened to a record, a row each: written by the commands, read by the timeline, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from django.db import models

from postroom.lib.clock import now
from postroom.records import news
from postroom.records.record import About, Record, about, exactly_one, pointer_indexes
from postroom.workspaces.models import Membership


class Change(TypedDict):
    """One field's change in the words of the screen."""

    field: str
    old: str
    new: str


class Event(About):
    class Verb(models.TextChoices):
        CREATED = "created", "Created"
        CHANGED = "changed", "Changed"
        MOVED = "moved", "Moved to another stage"

    actor = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    verb = models.CharField(max_length=10, choices=Verb)
    changes = models.JSONField(default=list)  # [Change, …]
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [exactly_one("event_one_record")]
        indexes = pointer_indexes("event", "-at", "-id")

    def __str__(self) -> str:
        return f"{self.verb} at {self.at:%Y-%m-%d %H:%M}"


def tell(record: Record, verb: Event.Verb, *, by: Membership | None, changes: Sequence[Change] = ()) -> Event:
    """Write down that `by` (None: Postroom itself) did `verb` to `record`, and tell open screens.

    Runs in the caller's transaction.
    """
    news.changed(record)
    return Event.objects.create(
        workspace_id=record.workspace_id, actor=by, verb=verb, changes=list(changes), **about(record)
    )
