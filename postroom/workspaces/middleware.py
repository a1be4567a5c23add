"""The current workspace of a request: `request.workspace` and `request.member`, both None for strangers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse

from postroom.accounts.models import User
from postroom.workspaces.models import Membership

SESSION_KEY = "workspace"
Handler = Callable[[HttpRequest], HttpResponse]


def membership_of(user: User, chosen: int | None) -> Membership | None:
    """The membership in the chosen workspace, else the oldest one; with workspace and role loaded."""
    mine = Membership.objects.active().filter(user=user).select_related("workspace", "role").order_by("id")
    by_workspace = {membership.workspace_id: membership for membership in mine}
    return by_workspace.get(chosen or 0) or next(iter(by_workspace.values()), None)


def current_workspace(get_response: Handler) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponse:
        bag = cast(Any, request)
        bag.member = bag.workspace = None
        if request.user.is_authenticated:
            member = membership_of(request.user, request.session.get(SESSION_KEY))
            if member is not None:
                member.user = request.user  # known already: saves a query
                bag.member, bag.workspace = member, member.workspace
        return get_response(request)

    return middleware
