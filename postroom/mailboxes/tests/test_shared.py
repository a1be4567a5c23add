"""Shared mailboxes: who may add one, every refusal by its name, and what becomes of one without its delegate."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from postroom.mailboxes import failures, grants, lifecycle, shared
from postroom.mailboxes.models import Connection, Failure, Mailbox
from postroom.mailboxes.tests.fakes import ALL_SCOPES, FakeProvider, grant_of
from postroom.providers import errors
from postroom.workspaces.models import Membership

SignIn = Callable[[Membership], Client]
SUPPORT = "support@northwind.example"
LIST = "/settings/integrations/outlook/"
NEW = "/mailboxes/shared/new/"
SHARED_SCOPES = ALL_SCOPES | {"Mail.ReadWrite.Shared"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hooked(settings: Settings, told: list[str]) -> None:
    settings.MAILBOX_HOOKS = ["postroom.mailboxes.tests.recorder"]


def lender(member: Membership) -> Connection:
    """A connection of the member's that has the permission for shared mailboxes."""
    address = member.address
    grant = grant_of(address, scopes=SHARED_SCOPES)
    return lifecycle.connect(member, "microsoft", grant).connection  # type: ignore[return-value]


@pytest.fixture
def adeles(adele: Membership, provider: FakeProvider) -> Connection:
    return lender(adele)


@pytest.fixture
def support(adele: Membership, adeles: Connection) -> Mailbox:
    made = shared.add(adele, adeles, SUPPORT)
    lifecycle.choose_history(made, Mailbox.History.DAYS_90)
    return made


def refusal(member: Membership, connection: Connection, address: str = SUPPORT) -> shared.SharedRefused:
    with pytest.raises(shared.SharedRefused) as refused:
        shared.add(member, connection, address)
    return refused.value


def test_it_is_added_once_exchange_lets_the_delegate_open_it(
    adele: Membership, adeles: Connection, provider: FakeProvider, told: list[str]
) -> None:
    made = shared.add(adele, adeles, " Support@Northwind.example ", purpose=Mailbox.Purpose.SUPPORT)
    assert provider.opened[-1]["address"] == SUPPORT
    assert (made.kind, made.address, made.visibility, made.purpose) == ("shared", SUPPORT, "workspace", "support")
    assert (made.connection, made.owner, made.delegate) == (adeles, adele, adele)
    assert told[-1] == f"connected {SUPPORT}"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (errors.ConnectRefused("", reason="no_mailbox", code="ErrorInvalidUser"), "no_mailbox"),
        (errors.AccessLost("", reason="access", code="ErrorAccessDenied"), "no_access"),
        (errors.AccessLost("", reason="access", code="ErrorItemNotFound"), "no_access"),
        (errors.AccessLost("", reason="no_mailbox", code="MailboxNotEnabledForRESTAPI"), "no_mailbox"),
        (errors.ReauthNeeded("", reason="revoked", code="AADSTS50173"), "sign_in"),
        (errors.OperatorFault("", code="AADSTS7000222"), "operator"),
        (errors.Transient("", code="ErrorServerBusy"), "busy"),
    ],
)
def test_what_exchange_refuses_is_named_and_nothing_is_made(
    adele: Membership, adeles: Connection, provider: FakeProvider, answer: errors.ProviderError, reason: str
) -> None:
    provider.missing = answer
    refused = refusal(adele, adeles)
    assert (refused.reason, refused.code) == (reason, answer.code)
    assert not Mailbox.objects.filter(kind="shared").exists()


@pytest.mark.parametrize(
    ("address", "reason"), [("support", "address"), ("", "address"), ("Adele@northwind.example", "own")]
)
def test_an_address_that_cannot_be_one_is_not_even_asked_for(
    adele: Membership, adeles: Connection, provider: FakeProvider, address: str, reason: str
) -> None:
    asked = len(provider.opened)
    assert refusal(adele, adeles, address).reason == reason
    assert len(provider.opened) == asked


def test_one_that_a_colleague_connected_is_not_connected_twice(
    support: Mailbox, ben: Membership, adele: Membership, adeles: Connection
) -> None:
    refused = refusal(ben, lender(ben))
    assert (refused.reason, refused.who) == ("connected", "Adele Vance")
    assert "connected by Adele Vance" in shared.explain(refused, address=SUPPORT, connection=None).happened
    assert refusal(adele, adeles).who == "you"


def test_every_refusal_has_words(adeles: Connection) -> None:
    for reason in shared.WORDS:
        told = shared.explain(shared.SharedRefused(reason, who="Ben"), address=SUPPORT, connection=adeles)
        assert told.happened and told.todo and "{" not in f"{told.happened}{told.todo}"


class TestConnectionsThatCannotLend:
    def test_a_personal_account(self, adele: Membership, adeles: Connection) -> None:
        adeles.account_kind = "personal"
        adeles.save()
        assert [one.why for one in shared.delegates(adele)] == ["personal"]
        assert refusal(adele, adeles).reason == "personal"

    def test_one_from_before_the_permission(self, adele: Membership, mailbox: Mailbox) -> None:
        assert [one.why for one in shared.delegates(adele)] == ["permission"]

    def test_one_that_waits_for_a_sign_in(self, adele: Membership, adeles: Connection) -> None:
        failures.mark_connection(adeles, errors.ReauthNeeded("", reason="revoked"))
        assert [one.why for one in shared.delegates(adele)] == ["sign_in"]

    def test_a_colleagues_is_not_offered(self, ben: Membership, adeles: Connection) -> None:
        assert shared.delegates(ben) == []

    def test_the_list_says_why_and_leads_to_the_permission(
        self, adele: Membership, mailbox: Mailbox, signed_in: SignIn
    ) -> None:
        page = signed_in(adele).get(LIST).content.decode()
        assert "It lacks the permission Mail.ReadWrite.Shared." in page
        assert f"/mailboxes/{mailbox.pk}/permission/shared/" in page
        assert NEW not in page


class TestThePage:
    def test_a_member_adds_one_for_named_colleagues(
        self, adele: Membership, adeles: Connection, ben: Membership, signed_in: SignIn
    ) -> None:
        data = {"connection": adeles.pk, "address": SUPPORT, "visibility": "members", "members": [ben.pk]}
        answer = signed_in(adele).post(NEW, {**data, "purpose": "support"})
        made = Mailbox.objects.get(kind="shared")
        assert answer["Location"] == f"{LIST}#mailbox-{made.pk}"
        assert (made.visibility, list(made.members.all())) == ("members", [ben])

    def test_a_refusal_is_shown_with_what_was_typed(
        self, adele: Membership, adeles: Connection, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        provider.missing = errors.AccessLost("", reason="access", code="ErrorAccessDenied")
        data = {"connection": adeles.pk, "address": SUPPORT, "visibility": "workspace", "purpose": "sales"}
        answer = signed_in(adele).post(NEW, data)
        page = answer.content.decode()
        assert answer.status_code == 422 and f'value="{SUPPORT}"' in page and "ErrorAccessDenied" in page
        assert f"does not let {adele.address} open {SUPPORT}" in page

    def test_a_colleagues_connection_cannot_be_used(
        self, ben: Membership, adeles: Connection, signed_in: SignIn
    ) -> None:
        data = {"connection": adeles.pk, "address": SUPPORT, "visibility": "workspace", "purpose": "sales"}
        assert signed_in(ben).post(NEW, data).status_code in (200, 422)
        assert not Mailbox.objects.filter(kind="shared").exists()

    def test_a_role_without_the_permission_is_led_to_whom_to_ask(self, gil: Membership, signed_in: SignIn) -> None:
        assert signed_in(gil).get(NEW)["Location"] == "/mailboxes/connect/"


class TestWithoutItsDelegate:
    def test_another_member_with_access_takes_over_and_nothing_is_lost(
        self, support: Mailbox, adeles: Connection, ben: Membership, told: list[str]
    ) -> None:
        lifecycle.end(adeles)
        bens = lender(ben)
        told.clear()
        again = shared.add(ben, bens, SUPPORT)
        assert (again.pk, again.connection, again.owner, again.delegate) == (support.pk, bens, ben, ben)
        assert (again.state, again.failure, again.history) == ("live", "", "90d")
        assert told == [f"reconnected {SUPPORT}"]

    def test_who_has_no_access_does_not_take_over(
        self, support: Mailbox, adeles: Connection, ben: Membership, provider: FakeProvider
    ) -> None:
        lifecycle.end(adeles)
        bens = lender(ben)
        provider.missing = errors.AccessLost("", reason="access", code="ErrorAccessDenied")
        assert refusal(ben, bens).reason == "no_access"
        support.refresh_from_db()
        assert (support.connection, support.failure) == (None, Failure.NO_DELEGATE)

    def test_a_delegate_whose_grant_ended_is_named_and_both_ways_on_are_offered(
        self, support: Mailbox, adeles: Connection, adele: Membership, ben: Membership, signed_in: SignIn
    ) -> None:
        failures.mark_connection(adeles, errors.ReauthNeeded("", reason="revoked", code="AADSTS50173"))
        page = signed_in(adele).get(f"/mailboxes/{support.pk}/card/").content.decode()
        assert "Its delegate Adele Vance has to sign in again (AADSTS50173)." in page
        assert "Choose another delegate" in page and "Reconnect" in page
        bens = lender(ben)
        page = signed_in(ben).get(LIST).content.decode()
        assert f"/mailboxes/{support.pk}/delegate/" in page
        signed_in(ben).post(f"/mailboxes/{support.pk}/delegate/", {"connection": bens.pk})
        support.refresh_from_db()
        assert (support.connection, support.failure) == (bens, "")

    def test_a_healthy_one_is_not_taken_from_a_colleague(
        self, support: Mailbox, adele: Membership, ben: Membership, signed_in: SignIn
    ) -> None:
        """Who lends the connection owns the mailbox, and may delete all of it."""
        answer = signed_in(ben).post(f"/mailboxes/{support.pk}/delegate/", {"connection": lender(ben).pk})
        support.refresh_from_db()
        assert (answer.status_code, support.owner) == (404, adele)

    def test_a_mailbox_that_is_not_shared_has_no_delegate(
        self, mailbox: Mailbox, adele: Membership, signed_in: SignIn
    ) -> None:
        assert signed_in(adele).get(f"/mailboxes/{mailbox.pk}/delegate/").status_code == 404

    def test_a_run_that_ends_late_says_the_same(self, support: Mailbox, adeles: Connection) -> None:
        connection_id = adeles.pk
        lifecycle.end(adeles)
        with pytest.raises(errors.AccessLost) as lost:
            grants.current(connection_id)
        assert failures.failure_of(lost.value) == Failure.NO_DELEGATE


def test_access_that_was_withdrawn_is_said_with_the_delegates_name(support: Mailbox) -> None:
    failures.mark(support, errors.AccessLost("", reason="access", code="ErrorAccessDenied"))
    told: Any = failures.advice(support, provider="Microsoft")
    assert told.happened == "Microsoft no longer lets Adele Vance open this mailbox (ErrorAccessDenied)."
