"""Decorators that say who may use a view."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from postroom.accounts.models import User
from postroom.workspaces.models import Membership, Permission, Workspace

P = ParamSpec("P")


class MemberRequest(HttpRequest):
    """A request by a member of the current workspace. For annotations only; Django makes the objects."""

    user: User
    member: Membership
    workspace: Workspace


View = Callable[Concatenate[MemberRequest, P], HttpResponse]
AnyView = Callable[Concatenate[HttpRequest, P], HttpResponse]


def member_required(view: View[P]) -> AnyView[P]:
    """For members of a workspace; a signed-in person without one gets a page that says so."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if getattr(request, "member", None) is None:
            from postroom.workspaces.views import no_workspace

            return no_workspace(request)
        return view(cast(MemberRequest, request), *args, **kwargs)

    return checked


def permission_required(permission: Permission) -> Callable[[View[P]], AnyView[P]]:
    """For members whose role has `permission`; others get 403. Implies `member_required`."""

    def decorate(view: View[P]) -> AnyView[P]:
        @member_required
        @wraps(view)
        def checked(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.member.may(permission):
                raise PermissionDenied(f"Your role lacks “{permission.label}”.")
            return view(request, *args, **kwargs)

        return checked

    return decorate
