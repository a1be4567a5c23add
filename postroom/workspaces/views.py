"""Members and roles, choosing the workspace."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from postroom.workspaces import leaving
from postroom.workspaces.access import MemberRequest, member_required
from postroom.workspaces.middleware import SESSION_KEY
from postroom.workspaces.models import Membership, Permission, Role


def no_workspace(request: HttpRequest) -> HttpResponse:
    """For people who can sign in but belong nowhere (yet, or no longer)."""
    return render(request, "workspaces/none.html", status=403)


@require_GET
@member_required
def members(request: MemberRequest) -> HttpResponse:
    """Who is in the workspace, and what each role allows."""
    rows = Membership.objects.for_workspace(request.workspace).select_related("user", "role").order_by("user__name")
    may = request.member.may(Permission.MANAGE_WORKSPACE)
    roles = Role.objects.for_workspace(request.workspace).order_by("pk")
    context = {
        "rows": rows,
        "roles": roles,
        "may_manage": may,
        "purges": leaving.waiting(request.workspace) if may else [],
    }
    return render(request, "workspaces/members.html", context)


@require_POST
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Make another of one's workspaces the current one."""
    if not Membership.objects.active().filter(user=request.user.pk, workspace=pk).exists():
        raise Http404
    request.session[SESSION_KEY] = pk
    return redirect("home")
