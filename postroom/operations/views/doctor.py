"""Settings → Doctor (product.md AD7): checks, and Microsoft's errors explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from postroom.operations.alerts.channels import is_operator
from postroom.operations.decoder import explain
from postroom.operations.decoder.letter import letter
from postroom.operations.doctor import database, here, round, work
from postroom.operations.doctor import network as outside
from postroom.operations.doctor import settings as environment
from postroom.operations.doctor.findings import Finding, State
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Membership, Permission

HEALTH = {State.OK: "healthy", State.WARN: "stale", State.FAIL: "error", State.NONE: "paused"}
WORDS = {State.OK: "In order", State.WARN: "To look at", State.FAIL: "Broken", State.NONE: "Not applicable"}
admin = permission_required(Permission.MANAGE_WORKSPACE)


class Line(NamedTuple):
    """A finding as the page shows it."""

    finding: Finding
    health: str
    word: str


def lines(findings: Sequence[Finding]) -> list[Line]:
    return [Line(one, HEALTH[one.state], WORDS[one.state]) for one in findings]


def sees_installation(member: Membership) -> bool:
    """Its machines and database concern the operators; where none are named, every admin."""
    return is_operator(member) or not settings.POSTROOM_OPERATORS


@require_GET
@member_required
def page(request: MemberRequest) -> HttpResponse:
    """For everybody the errors explained; for admins the checks. What needs the network follows by itself."""
    sections = _sections(request) if request.member.may(Permission.MANAGE_WORKSPACE) else []
    operator = is_operator(request.member)
    context = {
        "sections": sections,
        "operator": operator,
        "installation": len(sections) > 1,
        **_explained(request, request.GET.get("code", "")),
    }
    return render(request, "operations/doctor.html", context)


def _sections(request: MemberRequest) -> list[dict[str, Any]]:
    """What can be told at once."""
    installation = here.installation()
    sections: list[dict[str, Any]] = []
    if sees_installation(request.member):
        own = round.in_turn((*environment.CHECKS, *database.CHECKS), installation)
        sections.append({"title": "This installation", "lines": lines(own)})
        sections.append({"title": "Work", "lines": lines(round.in_turn(work.CHECKS, installation))})
    mailboxes = round.in_turn(work.of_mailboxes(request.workspace), installation)
    sections.append({"title": f"Mailboxes of {request.workspace.name}", "lines": lines(mailboxes)})
    return sections


@require_GET
@admin
def network(request: MemberRequest) -> HttpResponse:
    """The checks that take seconds: webhook, DNS, TLS, Entra, Graph."""
    found = round.side_by_side(outside.CHECKS, here.installation())
    return render(request, "operations/checks.html", {"title": "Reaching each other", "lines": lines(found)})


@require_http_methods(["GET", "POST"])
@member_required
def explanation(request: MemberRequest) -> HttpResponse:
    """What a pasted error means. Posted, because what is pasted may hold an address that belongs in no log."""
    context = _explained(request, request.POST.get("text", ""))
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "operations/explanation.html" if partial else "operations/doctor.html", context)


def _explained(request: MemberRequest, text: str) -> dict[str, Any]:
    answer = explain(text)
    reference = "".join(sign for sign in request.POST.get("reference", "")[:40] if sign.isalnum() or sign == "-")
    app = here.app_of(here.installation())
    made = letter(answer, app, reference=reference) if answer.found else None
    return {"pasted": text[:2000], "reference": reference, "answer": answer if text.strip() else None, "letter": made}
