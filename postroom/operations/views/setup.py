"""Settings → Setup (product.md AD6): registering the app in Entra, step by step, each checked."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from postroom.operations import setup
from postroom.operations.doctor import here, network, round, work
from postroom.operations.doctor import settings as environment
from postroom.operations.doctor.findings import Finding, State
from postroom.operations.views.doctor import HEALTH, admin, sees_installation
from postroom.workspaces.access import MemberRequest

WORDS = {
    State.OK: "Done",
    State.WARN: "Works, to look at",
    State.FAIL: "To do",
    State.NONE: "Cannot be checked from here",
}


@require_GET
@admin
def page(request: MemberRequest) -> HttpResponse:
    """The steps; htmx asks for them again with what the checks found."""
    if not sees_installation(request.member):
        raise Http404
    installation = here.installation()
    checked = "checked" in request.GET
    walked = setup.walk(setup.steps(installation, here.app_of(installation)), _found(request) if checked else None)
    context = {"steps": [_shown(one) for one in walked], "checked": checked, **_sum(walked)}
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "operations/setup_steps.html" if partial else "operations/setup.html", context)


def _found(request: MemberRequest) -> dict[str, list[Finding]]:
    """The doctor's findings by key."""
    installation = here.installation()
    own = (*environment.CHECKS, work.workers, work.credentials, *work.of_mailboxes(request.workspace))
    found: dict[str, list[Finding]] = {}
    for one in [*round.in_turn(own, installation), *round.side_by_side(network.CHECKS, installation)]:
        found.setdefault(one.key, []).append(one)
    return found


def _shown(one: setup.Walked) -> dict[str, Any]:
    lines = [{"finding": finding, "health": HEALTH[finding.state]} for finding in one.findings]
    state = one.state
    return {
        "step": one.step,
        "lines": lines,
        "health": HEALTH[state] if state else "",
        "word": WORDS[state] if state else "",
    }


def _sum(walked: list[setup.Walked]) -> dict[str, Any]:
    open_ = [one.step.title for one in walked if one.state is State.FAIL]
    return {"done": bool(walked) and not open_, "next": open_[0] if open_ else ""}
