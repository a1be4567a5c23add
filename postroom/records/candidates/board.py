"""Candidates by stage, as the board shows them."""

from __future__ import annotations

from django.db.models import Count, F

from postroom.records.boards import BoardColumn, cards
from postroom.records.models import Candidate
from postroom.records.screens import Step
from postroom.workspaces.models import Workspace

SHOWN = tuple(stage for stage in Candidate.Stage if stage != Candidate.Stage.REJECTED)
ORDER = (F("updated_at").desc(), F("id").desc())


def columns(workspace: Workspace, job: int | None) -> list[BoardColumn]:
    """A column per stage that is shown, of one job or of all. Two queries."""
    every = Candidate.objects.for_workspace(workspace)
    every = every.filter(job=job) if job else every
    counts = dict(every.order_by().values_list("stage").annotate(Count("pk")))
    related = every.filter(stage__in=SHOWN).select_related("job", "owner__user")
    found = cards(related, by="stage", among=SHOWN, order=ORDER)
    return [
        BoardColumn(Step(stage.value, str(stage.label)), found.get(stage.value, []), counts.get(stage.value, 0))
        for stage in SHOWN
    ]
