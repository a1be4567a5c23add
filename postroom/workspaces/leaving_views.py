"""Removing a member and deleting the workspace, as pages for admins (product.md MA4)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from postroom.workspaces import hooks, leaving
from postroom.workspaces.access import MemberRequest, permission_required
from postroom.workspaces.models import Membership, Permission


@require_http_methods(["GET", "POST"])
@permission_required(Permission.MANAGE_WORKSPACE)
def remove_member(request: MemberRequest, pk: int) -> HttpResponse:
    """What becomes of the member's mailboxes, and the answer."""
    members = Membership.objects.for_workspace(request.workspace).select_related("user", "role", "workspace")
    member = members.find(pk=pk)
    belongings, problem = hooks.belongings(member), ""
    if request.method == "POST":
        try:
            purge = leaving.remove_member(member, _heirs(request, belongings))
        except leaving.Refused as refused:
            problem = str(refused)
        else:
            messages.success(request, f"{member.name} is removed, and purged on {purge.due_at:%-d %B %Y}.")
            return redirect("workspaces:members" if member.pk != request.member.pk else "home")
    context = {"leaver": member, "belongings": [_asked(one) for one in belongings], "problem": problem}
    context |= {"active": "members", "days": settings.POSTROOM_PURGE_DAYS, "self": member.pk == request.member.pk}
    return render(request, "workspaces/remove_member.html", context, status=422 if problem else 200)


def _asked(one: hooks.Belonging) -> dict[str, Any]:
    nobody = {"value": "", "label": "Nobody: deleted with the member" if one.heirs else "Nobody may read it"}
    heirs = [{"value": heir.pk, "label": heir.name} for heir in one.heirs]
    return {"name": f"heir-{one.key}", "label": one.label, "fate": one.fate, "options": [nobody, *heirs]}


def _heirs(request: MemberRequest, belongings: list[hooks.Belonging]) -> dict[str, Membership]:
    found = {}
    for one in belongings:
        if chosen := request.POST.get(f"heir-{one.key}", ""):
            heir = next((heir for heir in one.heirs if str(heir.pk) == chosen), None)
            if heir is None:
                raise Http404
            found[one.key] = heir
    return found


@require_http_methods(["GET", "POST"])
@permission_required(Permission.MANAGE_WORKSPACE)
def delete_workspace(request: MemberRequest) -> HttpResponse:
    """Deletes the workspace once its name is typed; everybody is out at once."""
    workspace, problem = request.workspace, ""
    if request.method == "POST":
        if " ".join(request.POST.get("name", "").split()) == workspace.name:
            leaving.delete_workspace(workspace)
            return redirect("home")
        problem = f"Type {workspace.name} to confirm."
    people = Membership.objects.for_workspace(workspace).count()
    context = {"active": "members", "problem": problem, "people": people, "days": settings.POSTROOM_PURGE_DAYS}
    return render(request, "workspaces/delete_workspace.html", context, status=422 if problem else 200)
