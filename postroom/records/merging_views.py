"""Finding duplicates and merging two."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from postroom.records import lists, merging
from postroom.records.screens import Screen
from postroom.records.views import find, form_methods
from postroom.workspaces.access import MemberRequest, member_required, permission_required
from postroom.workspaces.models import Permission


@require_GET
@member_required
def index(request: MemberRequest, screen: Screen) -> HttpResponse:
    """Groups of records of one name."""
    groups = merging.duplicates(screen, request.workspace)
    may = request.member.may(Permission.DELETE_RECORDS)
    context = {"screen": screen, "active": screen.root, "groups": groups, "may_merge": may}
    return render(request, "records/duplicates.html", context)


@form_methods
@permission_required(Permission.DELETE_RECORDS)
def merge(request: MemberRequest, screen: Screen, pk: int) -> HttpResponse:
    """This record and ?with= another, side by side: one of them stays. Without it, another is looked for."""
    record, problem = find(screen, request, pk), ""
    chosen = request.POST.get("with") or request.GET.get("with", "")
    other = screen.whole(screen.type.of(request.workspace)).find(pk=chosen) if chosen else None
    if request.method == "POST" and other is not None:
        kept, gone = (other, record) if request.POST.get("stays") == str(other.pk) else (record, other)
        try:
            merging.merge(kept, gone, by=request.member)
        except ValidationError as refused:
            problem = refused.messages[0]
        else:
            messages.success(request, f"“{kept.name}” is one {screen.type.label.lower()} now.")
            return redirect(kept)
    words = request.GET.get("q", record.name)[:200].replace("\x00", "")
    found = [one for one in lists.suggestions(screen.type.of(request.workspace), words) if one.pk != pk]
    both = [record, other] if other is not None else []
    context = {"screen": screen, "active": screen.root, "record": record, "other": other, "words": words}
    context |= {"found": found, "problem": problem, "sides": merging.lines(screen, both) if both else []}
    return render(request, "records/merge.html", context, status=422 if problem else 200)
