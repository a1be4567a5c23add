"""The current workspace of a request: `request.workspace` and `request.member`, both None for strangers.

What a session may see depends on how it began: one that Microsoft vouched for reaches the workspaces that allow that
tenant; where a second factor is required, a session begun with a password alone first has to set one up (CN4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from postroom.accounts import signing_in
from postroom.accounts.models import User
from postroom.lib.prepared import Prepared
from postroom.workspaces.models import AllowedTenant, Membership

SESSION_KEY = "workspace"
KNOWN = "_memberships"
Handler = Callable[[HttpRequest], HttpResponse]
WITHOUT_SECOND_FACTOR = ("/settings/security/", "/sign-out/", "/sign-in/", "/static/")  # where one can be set up


def memberships_of(user_id: int) -> list[Membership]:
    """Those a person gets in by, oldest first, with user, workspace and role; one query. What a session that rests on
    the word of Microsoft needs is with them: ``tenants``, whose people the workspace lets in."""
    return _of_user(user_id)


@Prepared
def _of_user(user_id: int) -> QuerySet[Membership]:
    tenants = AllowedTenant.objects.filter(workspace=OuterRef("workspace")).order_by().values("tenant")
    rows = Membership.objects.active().filter(user=user_id).annotate(tenants=ArraySubquery(tenants))
    return rows.select_related("user", "workspace", "role").order_by("id")


def membership_of(user: User, chosen: int | None, *, tenant: str = "") -> Membership | None:
    """The membership in the chosen workspace, else the oldest one; with workspace and role loaded.

    ``tenant``: the one whose word the session rests on ("" for sessions begun here).
    """
    known: list[Membership] | None = getattr(user, KNOWN, None)  # read together with the user
    mine = memberships_of(user.pk) if known is None else known
    by_workspace = {one.workspace_id: one for one in mine if not tenant or tenant in cast(Any, one).tenants}
    return by_workspace.get(chosen or 0) or next(iter(by_workspace.values()), None)


def lacks_second_factor(member: Membership, session: Any) -> bool:
    """Was this session begun with less than the workspace asks for? (Sessions made otherwise are of no password.)"""
    mark = signing_in.mark(session)
    return member.workspace.second_factor_required and not mark.get("strong", not mark)


def current_workspace(get_response: Handler) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponse:
        bag = cast(Any, request)
        bag.member = bag.workspace = None
        if request.user.is_authenticated:
            tenant = signing_in.mark(request.session).get("tenant", "")
            member = membership_of(request.user, request.session.get(SESSION_KEY), tenant=tenant)
            if member is not None and lacks_second_factor(member, request.session):
                if not request.path.startswith(WITHOUT_SECOND_FACTOR):
                    return _set_one_up(request)
            elif member is not None:
                member.user = request.user  # known already: saves a query
                bag.member, bag.workspace = member, member.workspace
        return get_response(request)

    return middleware


def _set_one_up(request: HttpRequest) -> HttpResponse:
    where = reverse("workspaces:second-factor-needed")
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)
