"""What only deals have: the board, and moving to another stage."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from postroom.records.deals import commands
from postroom.records.deals.board import columns
from postroom.records.deals.screen import DEALS
from postroom.records.models import Deal, Pipeline, Stage
from postroom.records.views import done, is_partial, wants_part
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@member_required
def board(request: MemberRequest) -> HttpResponse:
    """The first pipeline, or the one ?pipeline= names."""
    pipelines = Pipeline.objects.for_workspace(request.workspace).prefetch_related("stages")
    wanted = request.GET.get("pipeline", "")
    pipeline = pipelines.find(pk=wanted) if wanted else pipelines.first() or commands.pipeline_of(request.workspace)
    context = {
        "screen": DEALS,
        "active": "deals",
        "pipeline": pipeline,
        "pipelines": pipelines,
        "columns": columns(pipeline),
        "today": timezone.localdate(),
    }
    part = wants_part(request, "board")
    return render(request, "records/deals/board_columns.html" if part else "records/deals/board.html", context)


@require_POST
@member_required
def move(request: MemberRequest, pk: int, stage: int) -> HttpResponse:
    """Into another stage; the toast offers the way back."""
    deal = Deal.objects.for_workspace(request.workspace).select_related("stage__pipeline").find(pk=pk)
    target = get_object_or_404(
        Stage.objects.select_related("pipeline"), pk=stage, pipeline__workspace=request.workspace
    )
    before = deal.stage
    moved = commands.move(deal, to=target, by=request.member)
    if not is_partial(request):
        return redirect(deal)
    text = f"{deal.name} moved to {target.name}." if moved else ""
    return done(text=text, undo_url=reverse("records:deal-stage", args=[pk, before.pk]), deals_changed={"id": pk})
