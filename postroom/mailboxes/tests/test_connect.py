"""The trip to the provider and back: bound to the session, single use, and every end has a page."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from postroom.lib.clock import frozen, now
from postroom.mailboxes import refusals
from postroom.mailboxes.models import AdminApproval, ConnectAttempt, Connection, Failure, Mailbox
from postroom.mailboxes.tests.fakes import FakeProvider, grant_of
from postroom.providers import errors
from postroom.providers.microsoft import entra_codes
from postroom.workspaces.models import Membership

PERMISSIONS = "/mailboxes/connect/microsoft/"
CALLBACK = "/mailboxes/connect/microsoft/callback"
LIST = "/settings/integrations/outlook/"
BASE = frozenset({"User.Read", "Mail.ReadWrite"})
SignIn = Callable[[Membership], Client]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    settings.POSTROOM_BASE_URL = "http://testserver"
    settings.MAILBOX_HOOKS = ["postroom.mailboxes.tests.recorder"]


def depart(client: Client, *features: str) -> str:
    """Go to the provider; returns the state that was sent along."""
    answer = client.post(PERMISSIONS, {"feature": features})
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer["Location"]).query)["state"][0]


def page(client: Client, **answer: str) -> str:
    """The text of the page a provider's answer ends on."""
    return client.get(CALLBACK, answer, follow=True).content.decode()


class TestDeparting:
    def test_the_review_screen_names_every_permission(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        text = signed_in(adele).get(PERMISSIONS).content.decode()
        for words in ("Mail.ReadWrite", "Send as you", "Continue to Microsoft"):
            assert words in text

    def test_base_mail_is_asked_for_first_and_each_chosen_feature_by_itself(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        provider.signing.answers = [grant_of(scopes=BASE), grant_of(scopes=BASE | {"Mail.Send"})]
        client = signed_in(adele)
        state = depart(client, "sending", "shared", "no-such-feature")
        for _ in range(2):
            client.get(CALLBACK, {"state": state, "code": "c"})
            state = ConnectAttempt.objects.latest("pk").state
        assert [one["scopes"] for one in provider.signing.calls("authorize")] == [
            ["openid", "User.Read", "Mail.ReadWrite"],
            ["openid", "User.Read", "Mail.ReadWrite", "Mail.Send"],
            ["openid", "User.Read", "Mail.ReadWrite", "Mail.Send", "Mail.ReadWrite.Shared"],
        ]

    def test_what_an_administrator_allowed_for_everybody_needs_no_further_leg(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        answer = client.get(CALLBACK, {"state": depart(client, "sending"), "code": "c"})
        assert answer["Location"].startswith("/settings/") and len(provider.signing.calls("authorize")) == 1

    def test_required_features_cannot_be_left_out(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        depart(signed_in(adele))
        assert provider.signing.calls("authorize")[0]["scopes"] == ["openid", "User.Read", "Mail.ReadWrite"]

    def test_every_trip_has_its_own_secrets_and_forces_the_account_picker(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        depart(client), depart(client)
        first, second = provider.signing.calls("authorize")
        assert first["prompt"] == "select_account"
        assert first["redirect_uri"] == "http://testserver/mailboxes/connect/microsoft/callback"
        for secret in ("state", "nonce", "verifier"):
            assert first[secret] != second[secret] and len(first[secret]) >= 43

    def test_secrets_of_a_trip_cannot_be_read_in_the_database(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        depart(signed_in(adele))
        asked = provider.signing.calls("authorize")[0]
        sealed = bytes(ConnectAttempt.objects.get().sealed_secrets)
        assert asked["nonce"].encode() not in sealed and asked["verifier"].encode() not in sealed

    def test_a_role_without_the_permission_learns_whom_to_ask(
        self, gil: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(gil)
        for answer in (client.get("/mailboxes/connect/"), client.get(PERMISSIONS), client.post(PERMISSIONS)):
            assert answer.status_code == 403
            assert "adele@northwind.example" in answer.content.decode()
        assert provider.signing.asked == []

    def test_another_address_than_the_registered_one_is_said_before_the_trip(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, settings: Settings
    ) -> None:
        settings.POSTROOM_BASE_URL = "https://crm.example.com"
        text = signed_in(adele).get(PERMISSIONS).content.decode()
        assert "crm.example.com" in text and "Continue to Microsoft" not in text

    def test_an_unknown_provider_does_not_exist(self, adele: Membership, signed_in: SignIn) -> None:
        assert signed_in(adele).get("/mailboxes/connect/memory/").status_code == 404


class TestArriving:
    def test_a_mailbox_is_made_and_sync_begins(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, told: list[str]
    ) -> None:
        client = signed_in(adele)
        answer = client.get(CALLBACK, {"state": depart(client, "sending"), "code": "c"})
        mailbox = Mailbox.objects.get()
        assert answer["Location"] == f"{reverse('mailboxes:list')}#mailbox-{mailbox.pk}"
        assert (mailbox.address, mailbox.owner, mailbox.state) == ("adele@northwind.example", adele, "connecting")
        assert mailbox.visibility == Mailbox.Visibility.PRIVATE
        assert told == ["connected adele@northwind.example"]

    def test_nonce_and_verifier_of_the_trip_are_used_to_redeem(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        page(client, state=depart(client), code="the-code")
        sent, used = provider.signing.calls("authorize")[0], provider.signing.calls("redeem")[0]
        assert {name: used[name] for name in ("nonce", "verifier", "redirect_uri")} == {
            name: sent[name] for name in ("nonce", "verifier", "redirect_uri")
        }
        assert used["code"] == "the-code"

    def test_a_reload_does_nothing_twice(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, told: list[str]
    ) -> None:
        client = signed_in(adele)
        state = depart(client)
        page(client, state=state, code="c")
        answer = client.get(CALLBACK, {"state": state, "code": "c"})
        assert (answer.status_code, Mailbox.objects.count(), len(told)) == (302, 1, 1)
        assert len(provider.signing.calls("redeem")) == 1

    def test_a_reloaded_failure_says_the_same_again(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        state = depart(client)
        for _ in range(2):
            assert "You did not allow access" in page(client, state=state, error="access_denied")

    @pytest.mark.parametrize("second", ["declined", "left out"])
    def test_a_further_permission_that_is_not_granted_is_said_and_the_mailbox_is_connected(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, second: str
    ) -> None:
        provider.signing.answers = [grant_of(scopes=BASE), grant_of(scopes=BASE)]
        client = signed_in(adele)
        onward = client.get(CALLBACK, {"state": depart(client, "sending"), "code": "c"})["Location"]
        state = parse_qs(urlsplit(onward).query)["state"][0]
        text = page(client, state=state, **({"error": "access_denied"} if second == "declined" else {"code": "c"}))
        assert "Sending: off, because Microsoft did not grant it" in text
        assert "off: permission not granted" in text and "Ask your admin" in text
        assert (Mailbox.objects.get().state, Mailbox.objects.get().failure) == ("connecting", "")

    def test_a_feature_that_was_never_asked_for_says_so(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        provider.signing.answers = [grant_of(scopes=BASE)]
        client = signed_in(adele)
        text = page(client, state=depart(client), code="c")
        assert "off: not switched on yet" in text and "Ask your admin" not in text

    def test_one_way_is_chosen_at_connect_and_asks_for_no_history(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        state = parse_qs(urlsplit(client.post(PERMISSIONS, {"direction": "one_way"})["Location"]).query)["state"][0]
        text = page(client, state=state, code="c")
        mailbox = Mailbox.objects.get()
        assert (mailbox.direction, mailbox.state) == ("one_way", "live")
        assert "How much of the past" not in text and "One-way" in text and "Sends only" in text

    def test_a_role_that_lost_the_permission_on_the_way_connects_nothing(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        state = depart(client)
        adele.role.permissions = []
        adele.role.save()
        text = page(client, state=state, code="c")
        assert "Your role does not include connecting a mailbox" in text and Mailbox.objects.count() == 0

    def test_the_history_question_is_asked_on_return(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        text = page(client, state=depart(client), code="c")
        assert "How much of the past" in text and 'value="90d" checked' in text

    def test_a_mailbox_that_was_disconnected_goes_on(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox, told: list[str]
    ) -> None:
        mailbox.connection.delete()
        Mailbox.objects.update(state="disconnected")
        client = signed_in(adele)
        page(client, state=depart(client), code="c")
        mailbox.refresh_from_db()
        assert (mailbox.state, mailbox.connection is None, told) == ("live", False, [f"reconnected {mailbox.address}"])

    def test_the_kept_mail_of_a_disconnected_mailbox_is_not_a_colleagues_for_its_address(
        self, ben: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox
    ) -> None:
        mailbox.connection.delete()
        Mailbox.objects.update(state="disconnected")
        client = signed_in(ben)
        assert "connected" in page(client, state=depart(client), code="c")
        owner = mailbox.owner
        mailbox.refresh_from_db()
        assert (mailbox.state, mailbox.connection, mailbox.owner) == ("disconnected", None, owner)

    def test_connecting_a_dead_mailbox_again_revives_it(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox
    ) -> None:
        Connection.objects.update(failure=Failure.REVOKED)
        Mailbox.objects.update(failure=Failure.REVOKED)
        client = signed_in(adele)
        page(client, state=depart(client), code="c")
        mailbox.refresh_from_db()
        assert (mailbox.failure, Mailbox.objects.count()) == ("", 1)


class TestNotArriving:
    """Each ends on a page with a reference, and makes nothing."""

    @pytest.mark.parametrize(
        ("problem", "words"),
        [
            (errors.ConnectRefused("no", reason="admin_approval", code="AADSTS90094"), "administrator to approve"),
            (errors.ConnectRefused("no", reason="policy", code="AADSTS53003"), "A policy of your organisation"),
            (errors.ConnectRefused("no", reason="never heard of"), "was not connected"),
            (errors.OperatorFault("no", code="AADSTS70011"), "not set up for Microsoft correctly"),
            (errors.Transient("no"), "Microsoft did not answer"),
            (errors.Malformed("no"), "did not understand Microsoft"),
            (grant_of(scopes=frozenset({"User.Read"})), "A permission is missing"),
        ],
    )
    def test_a_refused_code(
        self,
        problem: Exception,
        words: str,
        adele: Membership,
        provider: FakeProvider,
        signed_in: SignIn,
        told: list[str],
    ) -> None:
        provider.signing.answers = [problem]
        client = signed_in(adele)
        text = page(client, state=depart(client), code="c")
        assert words in text and "Reference" in text
        assert getattr(problem, "code", "") in text
        assert (Mailbox.objects.count(), Connection.objects.count(), told) == (0, 0, [])

    def test_no_mailbox_behind_the_account(self, adele: Membership, provider: FakeProvider, signed_in: SignIn) -> None:
        provider.missing = errors.AccessLost("no licence", reason="no_mailbox", code="MailboxNotEnabledForRESTAPI")
        client = signed_in(adele)
        assert "no mailbox we can reach" in page(client, state=depart(client), code="c")
        assert Mailbox.objects.count() == 0

    def test_declining_shows_the_link_for_an_administrator_too(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        text = page(client, state=depart(client), error="access_denied")
        assert "login.example/adminconsent" in text and "Need admin approval" in text

    def test_a_state_older_than_fifteen_minutes(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        with frozen() as clock:
            state = depart(client)
            clock.advance(timedelta(minutes=15, seconds=1))
            assert "took too long" in page(client, state=state, code="c")
        assert provider.signing.calls("redeem") == []

    @pytest.mark.parametrize("state", ["", "invented", "x" * 500, "\x00"])
    def test_a_state_we_never_gave(
        self, state: str, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        assert "took too long" in page(signed_in(adele), state=state, code="c")

    def test_an_answer_without_code_or_error(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        assert "did not understand" in page(client, state=depart(client))

    def test_the_answer_of_another_session(
        self, adele: Membership, ben: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        state = depart(signed_in(adele))
        other = Client()
        other.force_login(ben.user)
        assert "started elsewhere" in page(other, state=state, code="c")
        assert ConnectAttempt.objects.get().used_at is None

    def test_a_browser_without_cookies(self, adele: Membership, provider: FakeProvider, signed_in: SignIn) -> None:
        state = depart(signed_in(adele))
        text = page(Client(), state=state, code="c")
        assert "could not recognise your browser" in text and "/sign-in/?next=" in text

    def test_an_account_that_is_connected_already(
        self, adele: Membership, ben: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox
    ) -> None:
        client = signed_in(ben)
        text = page(client, state=depart(client), code="c")
        assert "adele@northwind.example is connected already" in text
        assert "Adele Vance" in text and "private window" in text
        mailbox.refresh_from_db()
        assert mailbox.owner == adele

    def test_claims_of_a_refusal_go_into_the_next_attempt(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        provider.signing.answers = [errors.ConnectRefused("mfa", reason="mfa", claims='{"c":1}', code="AADSTS50076")]
        client = signed_in(adele)
        page(client, state=depart(client), code="c")
        depart(client), depart(client)
        assert [one["claims"] for one in provider.signing.calls("authorize")] == ["", '{"c":1}', ""]


class TestReconnecting:
    def test_it_asks_for_what_is_on_with_hint_and_claims(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox
    ) -> None:
        Connection.objects.update(failure=Failure.CONDITIONAL_ACCESS, failure_claims='{"c":1}')
        signed_in(adele).post(f"/mailboxes/{mailbox.pk}/reconnect/")
        asked = provider.signing.calls("authorize")[0]
        assert (asked["login_hint"], asked["prompt"], asked["claims"]) == (mailbox.address, "", '{"c":1}')
        assert asked["scopes"] == ["openid", "User.Read", "Mail.ReadWrite"]
        assert ConnectAttempt.objects.get().later == ["sending"]

    def reconnect(self, client: Client, mailbox: Mailbox) -> str:
        client.post(f"/mailboxes/{mailbox.pk}/reconnect/")
        return page(client, state=ConnectAttempt.objects.latest("pk").state, code="c")

    def test_the_same_account_replaces_the_grant_and_nothing_else(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox, told: list[str]
    ) -> None:
        Connection.objects.update(failure=Failure.REVOKED, failure_code="AADSTS50173")
        Mailbox.objects.update(failure=Failure.REVOKED, failure_reference="7F3K-Q2MW")
        provider.signing.answers = [grant_of(number=9)]
        assert "connected again" in self.reconnect(signed_in(adele), mailbox)
        after = Mailbox.objects.get()
        assert (after.pk, after.failure, after.history) == (mailbox.pk, "", "90d")
        assert Connection.objects.get().failure_code == ""
        assert told == [f"reconnected {mailbox.address}"]

    def test_another_account_changes_nothing(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox, told: list[str]
    ) -> None:
        provider.signing.answers = [grant_of("adele.vance@outlook.example")]
        text = self.reconnect(signed_in(adele), mailbox)
        assert "That was another account" in text and "adele.vance@outlook.example" in text
        assert f"/mailboxes/{mailbox.pk}/reconnect/" in text
        assert told == [] and Connection.objects.get().account_key == "tenant:adele"

    def test_nobody_else_can_do_it(
        self, ben: Membership, zoe: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox
    ) -> None:
        for stranger in (ben, zoe):
            assert signed_in(stranger).post(f"/mailboxes/{mailbox.pk}/reconnect/").status_code == 404
        assert provider.signing.asked == []

    def test_one_more_feature_asks_for_its_scopes_as_well(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox
    ) -> None:
        signed_in(adele).post(f"/mailboxes/{mailbox.pk}/permission/shared/")
        assert provider.signing.calls("authorize")[0]["scopes"][-1] == "Mail.ReadWrite.Shared"


class TestApproving:
    @pytest.fixture
    def approval(self, adele: Membership, provider: FakeProvider, signed_in: SignIn) -> AdminApproval:
        """What a member gets who was refused: a link to forward."""
        client = signed_in(adele)
        text = page(client, state=depart(client, "sending"), error="consent_required")
        assert "Link for your administrator" in text and "A mail to send it with" in text
        return AdminApproval.objects.get()

    def back(self, **answer: str) -> HttpResponse:
        """The administrator's browser, which nobody knows here."""
        return Client().get(CALLBACK, {"admin_consent": "True", **answer})

    def test_an_administrator_needs_no_account_here_and_the_member_learns_of_it(
        self, approval: AdminApproval, client: Client
    ) -> None:
        assert approval.features == ["account", "mail", "sending"]
        answer = self.back(tenant="t", state=approval.state)
        assert (answer.status_code, "Thank you" in answer.content.decode()) == (200, True)
        assert "Your organisation approved" in client.get(LIST).content.decode()

    def test_a_refused_approval_is_not_taken_for_one(self, approval: AdminApproval, client: Client) -> None:
        answer = self.back(error="consent_required", state=approval.state)
        assert "was not approved" in answer.content.decode()
        assert "Show link" in client.get(LIST).content.decode()

    @pytest.mark.parametrize("state", ["", "none-of-ours"])
    def test_an_answer_to_a_question_nobody_asked_changes_nothing(self, approval: AdminApproval, state: str) -> None:
        answer = self.back(tenant="t", state=state)
        assert answer.status_code == 400 and "We do not know this link" in answer.content.decode()
        approval.refresh_from_db()
        assert approval.outcome == ""

    def test_a_link_ends_after_thirty_days(self, approval: AdminApproval) -> None:
        with frozen(now() + timedelta(days=31)):
            assert self.back(tenant="t", state=approval.state).status_code == 400

    def test_asking_again_gives_the_same_link(self, approval: AdminApproval, client: Client) -> None:
        page(client, state=depart(client, "sending"), error="consent_required")
        assert AdminApproval.objects.get().state == approval.state

    def test_a_request_is_done_with_once_everything_is_granted(self, approval: AdminApproval, client: Client) -> None:
        page(client, state=depart(client, "sending"), code="c")
        assert AdminApproval.objects.count() == 0

    def test_a_link_can_be_made_beforehand_for_chosen_features(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn
    ) -> None:
        client = signed_in(adele)
        answer = client.post("/mailboxes/connect/microsoft/approval/", {"feature": ["shared"]}, follow=True)
        assert "Mail.ReadWrite.Shared" in answer.content.decode()
        assert AdminApproval.objects.get().features == ["account", "mail", "shared"]

    def test_one_feature_of_a_mailbox_is_asked_for_at_its_own_organisation(
        self, adele: Membership, provider: FakeProvider, signed_in: SignIn, mailbox: Mailbox
    ) -> None:
        Connection.objects.update(tenant="t-1")
        signed_in(adele).post(f"/mailboxes/{mailbox.pk}/permission/shared/ask/")
        assert AdminApproval.objects.get().tenant == "t-1"

    def test_nobody_sees_a_colleagues_request(
        self, approval: AdminApproval, ben: Membership, zoe: Membership, signed_in: SignIn
    ) -> None:
        for stranger in (ben, zoe):
            assert signed_in(stranger).get(f"/mailboxes/approvals/{approval.pk}/").status_code == 404


def test_every_reason_of_the_connectors_has_a_page() -> None:
    listed = errors.__doc__.partition("ConnectRefused.reason")[2] + errors.__doc__.partition("AccessLost.reason")[2]
    known = {word.strip() for word in listed.split("ReauthNeeded")[0].replace("\n", " ").split("|")}
    words = {word.split()[0] for word in known if word and word.split()[0].isidentifier()}
    assert len(words) > 15
    assert words - set(refusals.REFUSALS) - {"access"} == set()


@pytest.mark.parametrize("number", sorted(entra_codes.CODES))
def test_every_code_of_entras_leads_to_a_page_that_says_what_to_do(number: int) -> None:
    reason = refusals.reason_of(entra_codes.fault(error="invalid_grant", numbers=(number,), connecting=True))
    page_of = refusals.refusal(reason)
    assert page_of is not refusals.UNKNOWN, reason
    assert page_of.happened and page_of.todo and page_of.actions
    assert "{wanted}" not in "".join((page_of.happened, *page_of.todo)) or reason == "permission"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (7000222, "has expired"),
        (7000215, "is wrong"),
        (50020, "does not belong here"),
        (50105, "not on the list"),
        (650052, "no subscription"),
        (700016, "does not find Postroom"),
        (65004, "You did not allow access"),
        (90094, "wants an administrator"),
        (53000, "a device that your organisation knows"),
        (53003, "A policy of your organisation"),
        (50079, "Set up a second factor"),
        (500208, "Personal accounts are not allowed"),
        (50053, "locked for now"),
    ],
)
def test_what_went_wrong_is_said_exactly(
    adele: Membership, provider: FakeProvider, signed_in: SignIn, number: int, words: str
) -> None:
    fault = entra_codes.fault(error="invalid_grant", numbers=(number,), connecting=True)
    provider.signing.answers = [fault]
    client = signed_in(adele)
    text = page(client, state=depart(client), code="c")
    assert words in text and f"AADSTS{number}" in text and "Reference" in text and "What to do" in text


def test_every_page_can_be_filled_in() -> None:
    words = dict.fromkeys(("provider", "wanted", "got", "address", "who"), "X")
    for row in [*refusals.REFUSALS.values(), refusals.UNKNOWN]:
        assert "{" not in "".join((row.title, row.happened, *row.todo)).format(**words)
        assert row.todo and row.actions
