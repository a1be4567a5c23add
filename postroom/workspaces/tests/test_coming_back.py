"""Who was removed and is invited again before the purge comes back whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from postroom.accounts import microsoft
from postroom.accounts.models import Identity, User
from postroom.accounts.policy import Arrival
from postroom.lib.clock import now
from postroom.workspaces import leaving, purging, sign_in
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership, Purge, Role

pytestmark = pytest.mark.django_db
WORD = "long-enough-word"
TENANT = "1b2c3d4e-0000-1111-2222-333344445555"


@pytest.fixture
def admin() -> Membership:
    return add_member(create_workspace("Contoso"), User.objects.create_user("adele@contoso.com"), role="Admin")


@pytest.fixture
def ben(admin: Membership) -> Membership:
    user = User.objects.create_user("ben@contoso.com", "Ben", WORD)
    return add_member(admin.workspace, user, role="Member")


def invited(admin: Membership, address: str) -> str:
    return sign_in.invite(admin, address, Role.objects.get(workspace=admin.workspace, name="Member"))[1]


def test_who_is_asked_back_signs_in_and_is_not_purged(client: Client, admin: Membership, ben: Membership) -> None:
    purge = leaving.remove_member(ben)
    token = invited(admin, "ben@contoso.com")
    client.post("/sign-in/", {"email": "ben@contoso.com", "password": WORD})
    assert client.post(f"/invitations/{token}/").status_code == 302
    assert Membership.objects.active().get(user=ben.user).pk == ben.pk
    Purge.objects.filter(pk=purge.pk).update(due_at=now() - timedelta(days=1))
    purging.run_due()
    assert Membership.objects.filter(pk=ben.pk).exists()
    assert User.objects.filter(pk=ben.user_id).exists()


def test_a_purge_that_has_begun_stops_for_who_is_back(admin: Membership, ben: Membership) -> None:
    purge = leaving.remove_member(ben)
    Purge.objects.filter(pk=purge.pk).update(started_at=now())
    Membership.objects.filter(pk=ben.pk).update(removed_at=None)
    assert purging.run_due() == 0
    assert Membership.objects.filter(pk=ben.pk).exists()
    assert not Purge.objects.filter(pk=purge.pk).exists()


def test_an_invitation_opens_no_account_that_was_never_of_this_workspace(admin: Membership) -> None:
    User.objects.create_user("eve@fabrikam.com", "Eve", WORD, is_active=False)
    invited(admin, "eve@fabrikam.com")
    assert not User.objects.get(email="eve@fabrikam.com").is_active


def test_nobody_becomes_an_operator_by_an_invitation(client: Client, admin: Membership, settings: Any) -> None:
    """Operators are known by their address; the link of an invitation is shown to whoever invites."""
    early = invited(admin, "ops@contoso.com")
    settings.POSTROOM_OPERATORS = ["ops@contoso.com"]
    with pytest.raises(sign_in.Refused, match="command line"):
        invited(admin, "Ops@contoso.com")
    client.post(f"/invitations/{early}/", {"name": "Not them", "password": WORD})
    assert not User.objects.filter(email="ops@contoso.com").exists()


def test_who_has_no_password_comes_back_with_microsoft(admin: Membership) -> None:
    ben = add_member(admin.workspace, User.objects.create_user("ben@contoso.com", "Ben"), role="Member")
    Identity.objects.create(user=ben.user, tenant=TENANT, subject="o-1")
    sign_in.allow_tenant(admin.workspace, TENANT, "Contoso", None)
    arrival = Arrival(provider="microsoft", tenant=TENANT, subject="o-1", address="ben@contoso.com", name="Ben")
    leaving.remove_member(ben)
    with pytest.raises(microsoft.NotSignedIn):
        microsoft.person(arrival, "")
    for_another = invited(admin, "carl@contoso.com")
    token = invited(admin, "ben@contoso.com")
    with pytest.raises(microsoft.NotSignedIn):
        microsoft.person(arrival, for_another)
    assert microsoft.person(arrival, token) == ben.user
    assert Membership.objects.active().filter(user=ben.user).exists()
