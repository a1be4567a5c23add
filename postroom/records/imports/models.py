"""An import under way."""

from __future__ import annotations

from django.db import models

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceOwned


class Import(WorkspaceOwned):
    """A table somebody uploaded and how far it is taken over. It is deleted a week after it was made.

    ``mapping`` has for each column the name of a form field, empty where the column is left out; ``refused`` has
    [number of the row, its cells, why].
    """

    class State(models.TextChoices):
        MAPPING = "mapping", "Waiting for its columns"
        RUNNING = "running", "Under way"
        DONE = "done", "Done"

    member = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="+")
    record_type = models.CharField(max_length=20)
    name = models.CharField(max_length=255)
    header = models.JSONField(default=list)
    rows = models.JSONField(default=list)
    mapping = models.JSONField(default=list)
    update_known = models.BooleanField(default=True)
    state = models.CharField(max_length=8, choices=State, default=State.MAPPING)
    done = models.PositiveIntegerField(default=0)
    made = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now)

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 100
