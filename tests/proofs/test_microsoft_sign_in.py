"""Sign in with Microsoft (product.md CN4), against the sandbox: who comes in, and above all who does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from postroom.accounts import microsoft
from postroom.accounts.models import Identity, SignIn, User
from postroom.lib import clock
from postroom.workspaces import sign_in as policy
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import AllowedTenant, Membership, Role, Workspace
from postroom_sandbox.testing import Sandbox, running_sandbox
from tests.proofs import at_microsoft
from tests.proofs.together import microsoft as settings_of

pytestmark = pytest.mark.django_db
ADA, PROFILE = "ada@northwind.example", "/settings/profile/"
DORA = "dora@northwind.example"  # who has never consented


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        for address in (ADA, "ben@northwind.example", "cara@contoso.example", DORA):
            sandbox.user(address)
        sandbox.user("pat@outlook.example", kind="personal")
        yield sandbox


@pytest.fixture(autouse=True)
def registered(sandbox: Sandbox, settings: Settings) -> Iterator[None]:
    for name, value in settings_of(sandbox.url).items():
        setattr(settings, name, value)
    settings.POSTROOM_BASE_URL = "http://127.0.0.1:8000"
    microsoft._provider.cache_clear()
    yield
    microsoft._provider.cache_clear()


@pytest.fixture
def northwind() -> Workspace:
    return create_workspace("Northwind")


def tenant(sandbox: Sandbox, address: str = ADA) -> str:
    return sandbox.user(address).tenant_id


def allow(sandbox: Sandbox, workspace: Workspace, *, joins_as: str = "", address: str = ADA) -> AllowedTenant:
    role = Role.objects.get(workspace=workspace, name=joins_as) if joins_as else None
    return policy.allow_tenant(workspace, tenant(sandbox, address), "Northwind Traders", role)


def arrive(client: Client, address: str = ADA, **told: str) -> Any:
    start = client.post("/sign-in/microsoft/", told)
    assert start.status_code == 302, start.content.decode()
    return at_microsoft.come_back(client, at_microsoft.sign_in(start.url, address))


def is_in(client: Client) -> bool:
    return client.get(PROFILE).status_code == 200


def invited(workspace: Workspace, address: str, role: str = "Member") -> str:
    admin = add_member(workspace, User.objects.create_user("admin@northwind.example"), role="Admin")
    return policy.invite(admin, address, Role.objects.get(workspace=workspace, name=role))[1]


def test_only_who_somebody_is_is_asked_and_the_answer_goes_to_an_address_of_its_own(client: Client) -> None:
    told = {name: value[0] for name, value in parse_qs(urlsplit(client.post("/sign-in/microsoft/").url).query).items()}
    assert told["scope"] == "openid profile email"
    assert told["redirect_uri"] == "http://127.0.0.1:8000/sign-in/microsoft/callback"
    assert (told["code_challenge_method"], len(told["code_challenge"])) == ("S256", 43)
    assert told["nonce"] and told["state"]


def test_nobody_comes_in_while_no_tenant_is_allowed(client: Client, northwind: Workspace) -> None:
    add_member(northwind, User.objects.create_user(ADA), role="Admin")
    answer = arrive(client)
    assert answer.status_code == 403
    assert "Your organisation may not sign in here" in answer.content.decode()
    assert not is_in(client)


def test_a_known_address_alone_opens_nothing(client: Client, northwind: Workspace, sandbox: Sandbox) -> None:
    """The nOAuth attack: an account with the address of somebody here, in a tenant that may even sign in."""
    victim = add_member(northwind, User.objects.create_user(ADA, "Ada", "long-enough-word"), role="Admin")
    allow(sandbox, northwind, joins_as="Member")
    answer = arrive(client)
    assert "Somebody with this address has an account here already" in answer.content.decode()
    assert not is_in(client)
    assert not Identity.objects.exists()
    assert list(Membership.objects.all()) == [victim]


def test_people_of_a_tenant_join_where_an_admin_said_so(client: Client, northwind: Workspace, sandbox: Sandbox) -> None:
    allow(sandbox, northwind, joins_as="Guest")
    assert arrive(client, next=PROFILE).url == PROFILE
    assert is_in(client)
    identity = Identity.objects.get()
    assert (identity.tenant, identity.subject) == (tenant(sandbox), sandbox.user(ADA).id)
    member = Membership.objects.get(user=identity.user)
    assert (member.role.name, member.user.email, member.user.has_usable_password()) == ("Guest", ADA, False)
    assert SignIn.objects.get().how == "microsoft"
    again = Client()
    arrive(again)
    assert is_in(again)
    assert User.objects.count() == 1


def test_an_invitation_binds_the_account_that_uses_it_whatever_its_address(
    client: Client, northwind: Workspace, sandbox: Sandbox
) -> None:
    allow(sandbox, northwind)
    assert arrive(client).status_code == 403
    token = invited(northwind, "sales@northwind.example")
    arrive(client, invitation=token)
    assert is_in(client)
    assert Identity.objects.get().user.email == "sales@northwind.example"
    assert Client().get(f"/invitations/{token}/").status_code == 404
    assert arrive(Client(), "ben@northwind.example", invitation=token).status_code == 403


def test_an_invitation_does_not_hand_over_an_account_that_exists(
    client: Client, northwind: Workspace, sandbox: Sandbox
) -> None:
    User.objects.create_user("boss@northwind.example", "Boss", "long-enough-word")
    allow(sandbox, northwind)
    assert arrive(client, invitation=invited(northwind, "boss@northwind.example")).status_code == 403
    assert not Identity.objects.exists()


def test_an_invitation_of_one_workspace_needs_a_tenant_of_that_one(
    client: Client, northwind: Workspace, sandbox: Sandbox
) -> None:
    allow(sandbox, create_workspace("Elsewhere"), joins_as="")
    assert arrive(client, invitation=invited(northwind, "x@northwind.example")).status_code == 403


def test_another_tenant_does_not_come_in(client: Client, northwind: Workspace, sandbox: Sandbox) -> None:
    allow(sandbox, northwind, joins_as="Member")
    answer = arrive(client, "cara@contoso.example")
    assert tenant(sandbox, "cara@contoso.example") in answer.content.decode()
    assert not User.objects.exists()


def test_who_is_taken_out_of_the_list_or_the_workspace_stays_out(
    client: Client, northwind: Workspace, sandbox: Sandbox
) -> None:
    row = allow(sandbox, northwind, joins_as="Member")
    arrive(client)
    Membership.objects.all().delete()
    assert arrive(Client()).status_code == 403  # not let in again by the rule: somebody has taken them out
    add_member(northwind, User.objects.get(), role="Member")
    assert arrive(Client()).status_code == 302
    row.delete()
    assert arrive(Client()).status_code == 403


def test_a_session_sees_only_workspaces_that_allow_its_tenant(
    client: Client, northwind: Workspace, sandbox: Sandbox
) -> None:
    row = allow(sandbox, northwind, joins_as="Member")
    arrive(client)
    other = create_workspace("Woodgrove")
    add_member(other, User.objects.get(), role="Admin")
    client.post(f"/workspaces/{other.pk}/choice/")
    assert "Northwind" in client.get("/settings/members/").content.decode()
    row.delete()
    assert client.get("/settings/members/").status_code == 403


def test_a_deactivated_person_does_not_come_in(client: Client, northwind: Workspace, sandbox: Sandbox) -> None:
    allow(sandbox, northwind, joins_as="Member")
    arrive(client)
    User.objects.update(is_active=False)
    assert "deactivated" in arrive(Client()).content.decode()


def test_a_signed_in_person_links_an_account_and_unlinks_it(
    client: Client, northwind: Workspace, sandbox: Sandbox
) -> None:
    add_member(northwind, User.objects.create_user(ADA, "Ada", "long-enough-word"), role="Admin")
    allow(sandbox, northwind)
    client.post("/sign-in/", {"email": ADA, "password": "long-enough-word"})
    start = client.post("/settings/security/microsoft/")
    at_microsoft.come_back(client, at_microsoft.sign_in(start.url, "ben@northwind.example"))
    identity = Identity.objects.get()
    assert (identity.user.email, identity.address) == (ADA, "ben@northwind.example")
    other = Client()
    arrive(other, "ben@northwind.example")
    assert is_in(other)
    client.post(f"/settings/security/microsoft/{identity.pk}/remove/")
    assert arrive(Client(), "ben@northwind.example").status_code == 403


def test_an_account_is_linked_to_one_person_only(client: Client, northwind: Workspace, sandbox: Sandbox) -> None:
    allow(sandbox, northwind, joins_as="Member")
    arrive(Client(), "ben@northwind.example")
    add_member(northwind, User.objects.create_user(ADA, "Ada", "long-enough-word"), role="Admin")
    client.post("/sign-in/", {"email": ADA, "password": "long-enough-word"})
    start = client.post("/settings/security/microsoft/")
    answer = at_microsoft.come_back(client, at_microsoft.sign_in(start.url, "ben@northwind.example"))
    assert "linked to somebody else" in answer.content.decode()


def test_the_only_way_in_cannot_be_unlinked(client: Client, northwind: Workspace, sandbox: Sandbox) -> None:
    allow(sandbox, northwind, joins_as="Member")
    arrive(client)
    client.post(f"/settings/security/microsoft/{Identity.objects.get().pk}/remove/")
    assert Identity.objects.exists()


def test_an_answer_is_good_once_in_its_own_browser_and_for_ten_minutes(
    client: Client, northwind: Workspace, sandbox: Sandbox
) -> None:
    allow(sandbox, northwind, joins_as="Member")
    where = at_microsoft.sign_in(client.post("/sign-in/microsoft/").url, ADA)
    stranger = Client()
    assert at_microsoft.come_back(stranger, where).status_code == 403  # a link somebody sent: not their sign-in
    assert not is_in(stranger)
    assert at_microsoft.come_back(client, where).status_code == 302
    client.post("/sign-out/")
    assert at_microsoft.come_back(client, where).status_code == 403
    with clock.frozen() as held:
        where = at_microsoft.sign_in(client.post("/sign-in/microsoft/").url, ADA)
        held.advance(timedelta(minutes=11))
        assert "too long" in at_microsoft.come_back(client, where).content.decode()


@pytest.mark.parametrize("swapped", ["nonce", "verifier"])
def test_an_answer_to_another_question_is_refused(
    client: Client, northwind: Workspace, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    from dataclasses import replace

    allow(sandbox, northwind, joins_as="Member")
    whole = microsoft._take_trip
    monkeypatch.setattr(microsoft, "_take_trip", lambda *given: replace(whole(*given), **{swapped: "x" * 50}))
    assert arrive(client).status_code == 403
    assert not User.objects.exists()


def test_declining_at_microsoft_says_so(client: Client) -> None:
    where = at_microsoft.sign_in(client.post("/sign-in/microsoft/").url, DORA, decision="cancel")
    answer = at_microsoft.come_back(client, where)
    assert answer.status_code == 403
    assert "You did not sign in" in answer.content.decode()


def test_microsoft_s_own_second_factor_is_enough_where_one_is_required(
    client: Client, northwind: Workspace, sandbox: Sandbox
) -> None:
    Workspace.objects.update(second_factor_required=True)
    allow(sandbox, northwind, joins_as="Member")
    arrive(client)
    assert client.get("/settings/members/").status_code == 200


def test_a_password_alone_sees_nothing_where_more_is_required(client: Client, northwind: Workspace) -> None:
    add_member(northwind, User.objects.create_user(ADA, "Ada", "long-enough-word"), role="Admin")
    Workspace.objects.update(second_factor_required=True)
    client.post("/sign-in/", {"email": ADA, "password": "long-enough-word"})
    for path in ("/inbox/", "/settings/members/", PROFILE, "/search/"):
        assert client.get(path).url == "/settings/security/needed/", path
    partial = client.get("/inbox/", headers={"HX-Request": "true"})
    assert (partial.status_code, partial.headers["HX-Redirect"]) == (204, "/settings/security/needed/")
    for path in ("/settings/security/needed/", "/settings/security/", "/settings/security/authenticator/"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("tenant", ["", "northwind.example", "common", microsoft.PERSONAL_TENANT, "x" * 36])
def test_an_admin_cannot_allow_what_is_no_organisation(northwind: Workspace, tenant: str) -> None:
    with pytest.raises(policy.Refused):
        policy.allow_tenant(northwind, tenant, "All of them", None)


def test_an_invitation_opens_with_a_password_too_and_once(client: Client, northwind: Workspace) -> None:
    token = invited(northwind, "new@northwind.example")
    told = {"name": "New", "password": "long-enough-word"}
    assert client.post(f"/invitations/{token}/", {**told, "password": "short"}).status_code == 422
    assert client.post(f"/invitations/{token}/", told).url == "/"
    assert Membership.objects.get(user__email="new@northwind.example").role.name == "Member"
    assert Client().post(f"/invitations/{token}/", told).status_code == 404


def test_an_invitation_for_somebody_known_wants_their_own_sign_in(client: Client, northwind: Workspace) -> None:
    ada = User.objects.create_user(ADA, "Ada", "long-enough-word")
    token = invited(northwind, ADA)
    assert client.post(f"/invitations/{token}/", {"name": "Eve", "password": "another-long-word"}).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password("long-enough-word")
    other = Client()
    other.force_login(User.objects.create_user("eve@x.example"))
    other.post(f"/invitations/{token}/")
    assert not Membership.objects.filter(role__name="Member").exists()
    client.force_login(ada)
    client.post(f"/invitations/{token}/")
    assert Membership.objects.get(user=ada).role.name == "Member"
