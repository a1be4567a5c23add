"""Settings → Doctor (product.md AD7): checks, and Microsoft's errors explained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from postroom.operations.alerts.channels import is_operator
from postroom.operations.decoder import explain
from postroom.operations.decoder.letter import letter
from postroom.operations.doctor import database, here, round, work
from postroom.operations.doctor import network as outside
from postroom.operations.doctor import settings as environment
from postroom.operations.doctor.findings import Check, Finding, Installation, State
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Membership, Permission, Workspace

HEALTH = {State.OK: "healthy", State.WARN: "stale", State.FAIL: "error", State.NONE: "paused"}
WORDS = {State.OK: "In order", State.WARN: "To look at", State.FAIL: "Broken", State.NONE: "Not applicable"}
admin = permission_required(Permission.MANAGE_WORKSPACE)


class Part(NamedTuple):
    """Checks that come after the page. `note` says what one waits for."""

    key: str
    title: str
    note: str
    checks: tuple[Check, ...]
    go: Callable[[tuple[Check, ...], Installation], list[Finding]] = round.in_turn
    of_installation: bool = True


PARTS: dict[str, Part] = {
    one.key: one
    for one in (
        Part(
            "installation",
            "This installation",
            "Looking at the settings, the disk and the database.",
            (*environment.CHECKS, *database.CHECKS),
        ),
        Part("work", "Work", "Looking at workers, the queue and what they sign in with.", work.CHECKS),
        Part(
            "network",
            "Reaching each other",
            "Asking Microsoft, and our own address as Microsoft would. This takes up to half a minute.",
            outside.CHECKS,
            round.side_by_side,
            of_installation=False,
        ),
    )
}


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
    """For everybody the errors explained; for admins the checks: of the mailboxes at once, the others follow by
    themselves."""
    admins = request.member.may(Permission.MANAGE_WORKSPACE)
    context = {
        "mailboxes": _mailboxes(request.workspace) if admins else None,
        "parts": [one for one in PARTS.values() if may_see(request.member, one)] if admins else [],
        "operator": is_operator(request.member),
        "installation": admins and sees_installation(request.member),
        **_explained(request, request.GET.get("code", "")),
    }
    return render(request, "operations/doctor.html", context)


def _mailboxes(workspace: Workspace) -> dict[str, Any]:
    found = round.in_turn(work.of_mailboxes(workspace), here.installation())
    return {"title": f"Mailboxes of {workspace.name}", "lines": lines(found)}


def may_see(member: Membership, part: Part) -> bool:
    return not part.of_installation or sees_installation(member)


@require_GET
@admin
def checks(request: MemberRequest, part: str) -> HttpResponse:
    """One part of the checks, asked for by the page once it is there."""
    wanted = PARTS.get(part)
    if wanted is None or not may_see(request.member, wanted):
        raise Http404
    found = wanted.go(wanted.checks, here.installation())
    return render(request, "operations/checks.html", {"title": wanted.title, "lines": lines(found)})


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
