"""Candidates by stage, as the board shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, prefetch_related_objects

from postroom.records.models import Candidate
from postroom.workspaces.models import Workspace

MOST_CARDS = 60
SHOWN = (
    Candidate.Stage.NEW,
    Candidate.Stage.SCREENING,
    Candidate.Stage.INTERVIEW,
    Candidate.Stage.OFFER,
    Candidate.Stage.HIRED,
)


@dataclass(frozen=True)
class StageColumn:
    stage: Candidate.Stage
    candidates: list[Candidate]
    count: int

    @property
    def left_out(self) -> int:
        return self.count - len(self.candidates)


def columns(workspace: Workspace, job: int | None) -> list[StageColumn]:
    """A column per stage that is shown, of one job or of all. One query per stage and three."""
    every = Candidate.objects.for_workspace(workspace)
    every = every.filter(job=job) if job else every
    counts = dict(every.order_by().values_list("stage").annotate(Count("pk")))
    related = every.select_related("job", "owner__user", "person").order_by("-updated_at", "-id")
    found = [
        StageColumn(stage, list(related.filter(stage=stage)[:MOST_CARDS]), counts.get(stage, 0)) for stage in SHOWN
    ]
    prefetch_related_objects([one for column in found for one in column.candidates], "person__addresses")
    return found
