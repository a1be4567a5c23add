"""Tenants do not see each other; roles say what a member may do."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from postroom.accounts.models import User
from postroom.workspaces.access import permission_required
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership, Permission, Role, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def contoso() -> Workspace:
    return create_workspace("Contoso")


@pytest.fixture
def adele(contoso: Workspace) -> Membership:
    return add_member(contoso, User.objects.create_user("adele@contoso.com", "Adele Vance"), role="Admin")


def test_a_new_workspace_has_roles_to_start_with(contoso: Workspace) -> None:
    assert Role.objects.for_workspace(contoso).find(name="Member").permissions == ["connect_mailbox", "export"]


def test_another_workspaces_objects_do_not_exist(contoso: Workspace, adele: Membership) -> None:
    fabrikam = create_workspace("Fabrikam")
    with pytest.raises(Http404):
        Membership.objects.for_workspace(fabrikam).find(pk=adele.pk)


@pytest.mark.parametrize("pk", ["none", 2**80, "", None])
def test_an_id_that_is_none_is_not_found(contoso: Workspace, pk: object) -> None:
    with pytest.raises(Http404):
        Role.objects.for_workspace(contoso).find(pk=pk)


def test_members_of_other_workspaces_are_not_listed(client: Client, contoso: Workspace, adele: Membership) -> None:
    add_member(create_workspace("Fabrikam"), User.objects.create_user("eve@fabrikam.com", "Eve Stranger"))
    client.force_login(adele.user)
    page = client.get("/settings/members/").content.decode()
    assert "Adele Vance" in page
    assert "Eve Stranger" not in page


def test_a_person_without_a_workspace_is_told_so(client: Client) -> None:
    client.force_login(User.objects.create_user("new@contoso.com"))
    response = client.get("/settings/members/")
    assert response.status_code == 403
    assert "workspace" in response.content.decode()


def test_one_can_change_to_an_own_workspace_only(client: Client, contoso: Workspace, adele: Membership) -> None:
    other, foreign = create_workspace("Own"), create_workspace("Foreign")
    add_member(other, adele.user)
    client.force_login(adele.user)
    client.post(f"/workspaces/{other.pk}/choice/")
    assert client.get("/settings/members/").context["workspace"] == other
    assert client.post(f"/workspaces/{foreign.pk}/choice/").status_code == 404


def test_a_permission_is_asked_of_the_role(adele: Membership, contoso: Workspace, rf: RequestFactory) -> None:
    @permission_required(Permission.MANAGE_WORKSPACE)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("done")

    request = rf.get("/")
    request.member, request.workspace = adele, contoso
    assert view(request).content == b"done"
    adele.role = Role.objects.for_workspace(contoso).find(name="Member")
    with pytest.raises(PermissionDenied, match="Manage the workspace"):
        view(request)


def test_who_asks_in_which_workspace_costs_one_query(
    client: Client, adele: Membership, django_assert_num_queries
) -> None:
    client.force_login(adele.user)
    with django_assert_num_queries(2):  # session, user with memberships, their workspaces and roles
        client.get("/favicon.ico")
