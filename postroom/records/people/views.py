"""What only contacts have."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from postroom.records import lists
from postroom.records.models import Person
from postroom.records.record import Record
from postroom.workspaces.access import MemberRequest, member_required


@require_GET
@member_required
def suggest(request: MemberRequest) -> HttpResponse:
    """Contacts for a field of recipients."""
    everybody = Person.objects.for_workspace(request.workspace).select_related("company").prefetch_related("addresses")
    found: list[Record] = lists.suggestions(everybody, request.GET.get("q", ""))
    return render(request, "records/people/suggestions.html", {"people": found})
