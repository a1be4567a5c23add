"""The tabs only candidates have."""

from __future__ import annotations

from django.template.loader import render_to_string

from postroom.lib.clock import now
from postroom.records.candidates.commands import CRITERIA
from postroom.records.extensions import Panel, add_panel, counter
from postroom.records.models import Candidate, Interview, Scorecard
from postroom.records.record import Record
from postroom.workspaces.access import MemberRequest
from postroom.workspaces.models import Membership

TYPES = frozenset({"candidate"})


def overview(request: MemberRequest, record: Record) -> str:
    assert isinstance(record, Candidate)
    coming = record.interviews.filter(at__gte=now()).prefetch_related("interviewers__user")[:3]
    cards = record.scorecards.select_related("author__user")
    context = {"record": record, "coming": coming, "cards": cards, "notes": record.notes.order_by("-created_at")[:3]}
    return render_to_string("records/candidates/overview.html", context, request)


def evaluation(request: MemberRequest, record: Record) -> str:
    assert isinstance(record, Candidate)
    cards = list(record.scorecards.select_related("author__user"))
    own = next((one for one in cards if one.author_id == request.member.pk), None)
    marks = [(number, one, own.marks.get(one) if own else None) for number, one in enumerate(CRITERIA)]
    context = {
        "record": record,
        "cards": [(card, [(one, card.marks.get(one)) for one in CRITERIA if one in card.marks]) for card in cards],
        "own": own,
        "marks": marks,
        "scale": range(1, 6),
        "verdicts": Scorecard.Verdict.choices,
    }
    return render_to_string("records/candidates/evaluation.html", context, request)


def interviews(request: MemberRequest, record: Record) -> str:
    assert isinstance(record, Candidate)
    members = Membership.objects.for_workspace(request.workspace).select_related("user").order_by("user__name")
    context = {
        "record": record,
        "interviews": record.interviews.prefetch_related("interviewers__user"),
        "kinds": Interview.Kind.choices,
        "members": members,
        "now": now(),
    }
    return render_to_string("records/candidates/interviews.html", context, request)


def references(request: MemberRequest, record: Record) -> str:
    assert isinstance(record, Candidate)
    context = {"record": record, "references": record.references.all()}
    return render_to_string("records/candidates/references.html", context, request)


def register() -> None:
    """Called when Django starts."""
    add_panel(Panel("overview", "Overview", overview, types=TYPES, weight=5))
    add_panel(Panel("evaluation", "Evaluation", evaluation, counter("scorecards"), TYPES, weight=40))
    add_panel(Panel("interview", "Interview", interviews, counter("interviews"), TYPES, weight=45))
    add_panel(Panel("references", "References", references, counter("references"), TYPES, weight=50))
