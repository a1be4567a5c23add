"""What only deals have: the board, and the forecast."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from postroom.records import boards
from postroom.records.deals import commands
from postroom.records.deals.board import columns
from postroom.records.deals.forecast import forecast
from postroom.records.deals.screen import DEALS
from postroom.records.filters import first_of
from postroom.records.models import Deal, Pipeline
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.models import Membership

MOST_OWNERS = 24  # chips; all the others have their line in the table


def pipelines_of(request: MemberRequest) -> tuple[Pipeline, list[boards.Choice]]:
    """The first pipeline, or the one ?pipeline= names; and what there is to choose, where there are several."""
    pipelines = list(Pipeline.objects.for_workspace(request.workspace).prefetch_related("stages"))
    wanted = request.GET.get("pipeline", "")
    if wanted:
        pipeline = Pipeline.objects.for_workspace(request.workspace).prefetch_related("stages").find(pk=wanted)
    else:
        pipeline = pipelines[0] if pipelines else commands.pipeline_of(request.workspace)
    choices = [boards.Choice(one.name, f"?pipeline={one.pk}", one.pk == pipeline.pk) for one in pipelines]
    return pipeline, choices if len(choices) > 1 else []


@require_GET
@member_required
def board(request: MemberRequest) -> HttpResponse:
    pipeline, choices = pipelines_of(request)
    return boards.page(request, DEALS, columns(pipeline), choices=choices, today=timezone.localdate())


@require_GET
@member_required
def outlook(request: MemberRequest) -> HttpResponse:
    """What the deals of a pipeline may bring; ?owner= narrows it to one member's."""
    pipeline, choices = pipelines_of(request)
    everybody = Membership.objects.for_workspace(request.workspace).select_related("user").order_by("user__name")
    sellers = everybody.filter(pk__in=Deal.objects.filter(stage__pipeline=pipeline).values("owner"))
    wanted, today = request.GET.get("owner", ""), timezone.localdate()
    owner = everybody.find(pk=wanted) if wanted else None
    owners = [boards.Choice("Everybody", f"?pipeline={pipeline.pk}", owner is None)]
    of = f"?pipeline={pipeline.pk}&owner="
    owners += [boards.Choice(one.name, f"{of}{one.pk}", one == owner) for one in sellers[:MOST_OWNERS]]
    context = {
        "screen": DEALS,
        "active": DEALS.root,
        "forecast": forecast(pipeline, today=today, owner=owner),
        "choices": choices,
        "owners": owners if len(owners) > 2 else [],
        "since": first_of(today),
        "narrowed": f"&f.owner={owner.pk}" if owner else "",
    }
    return render(request, "records/deals/forecast.html", context)
