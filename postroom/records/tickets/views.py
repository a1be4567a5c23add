"""What only tickets have: taking one, merging two."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from postroom.records import lists
from postroom.records.models import Ticket
from postroom.records.tickets import commands
from postroom.records.views import done, form_methods, is_partial
from postroom.workspaces.access import MemberRequest, member_required


def _ticket(request: MemberRequest, pk: Any) -> Ticket:
    every = Ticket.objects.for_workspace(request.workspace).select_related("queue", "merged_into")
    return every.find(pk=pk)


@require_POST
@member_required
def take(request: MemberRequest, pk: int) -> HttpResponse:
    """Assign the ticket to whoever presses."""
    ticket = _ticket(request, pk)
    commands.change(ticket, by=request.member, owner=request.member)
    if not is_partial(request):
        return redirect(ticket)
    return done(text=f"#{ticket.number} is yours.", record_changed={"id": pk})


@form_methods
@member_required
def merge(request: MemberRequest, pk: int) -> HttpResponse:
    """Choose by number or words the ticket this one is the same as."""
    ticket = _ticket(request, pk)
    words, problem = request.GET.get("q", "")[:200].replace("\x00", ""), ""
    if request.method == "POST":
        try:
            into = commands.merge(ticket, _ticket(request, request.POST.get("into", "")), by=request.member)
        except ValidationError as refused:
            problem = refused.messages[0]
        else:
            return redirect(into)
    others = Ticket.objects.for_workspace(request.workspace).filter(merged_into=None).exclude(pk=pk)
    found = lists.matching(others.select_related("requester", "company"), words).order_by("-created_at", "-id")[:12]
    context = {"record": ticket, "found": found, "words": words, "problem": problem, "active": "tickets"}
    return render(request, "records/tickets/merge.html", context, status=422 if problem else 200)
