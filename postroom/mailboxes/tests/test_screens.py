"""Settings > Integrations > Outlook: what the cards say, what their buttons do, and who may press them."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from postroom.lib.clock import now
from postroom.mailboxes import access, cards, sending
from postroom.mailboxes.hooks import SyncResult
from postroom.mailboxes.models import Failure, Mailbox
from postroom.mailboxes.tests import recorder
from postroom.mailboxes.tests.fakes import FakeProvider
from postroom.workspaces.models import Membership

SignIn = Callable[[Membership], Client]
LIST = "/settings/integrations/outlook/"
HTMX = {"headers": {"HX-Request": "true"}}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hooked(settings: Settings, told: list[str]) -> None:
    settings.MAILBOX_HOOKS = ["postroom.mailboxes.tests.recorder"]


@pytest.fixture
def client(adele: Membership, provider: FakeProvider) -> Client:
    """Adele's browser."""
    browser = Client()
    browser.force_login(adele.user)
    return browser


def text(client: Client, address: str = LIST) -> str:
    return client.get(address).content.decode()


class TestTheList:
    def test_without_mailboxes_it_shows_the_next_step(self, client: Client) -> None:
        assert "Connect a mailbox" in text(client)

    def test_a_healthy_mailbox(self, client: Client, mailbox: Mailbox) -> None:
        Mailbox.objects.update(last_success_at=now())
        page = text(client)
        for words in (mailbox.address, "Healthy", "Sync now", "Disconnect", "What adele@northwind.example allows"):
            assert words in page

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({}, "Never synced"),
            ({"last_success_at": now() - timedelta(hours=27)}, "Stale"),
            ({"failure": Failure.PROVIDER}, "Error"),
            ({"state": "disconnected"}, "Disconnected"),
            ({"throttled_until": now() + timedelta(hours=5)}, "Slowed by Microsoft"),
        ],
    )
    def test_health_in_a_word(self, fields: dict[str, object], words: str, client: Client, mailbox: Mailbox) -> None:
        Mailbox.objects.update(**fields)
        assert words in text(client)

    def test_an_ended_sign_in_says_what_happened_and_offers_reconnect(self, client: Client, mailbox: Mailbox) -> None:
        Mailbox.objects.update(
            failure=Failure.PASSWORD_CHANGED, failure_detail="AADSTS50173", failure_reference="7F3K-Q2MW"
        )
        page = text(client)
        assert "Microsoft ended this sign-in because the password was changed (AADSTS50173)" in page
        assert "7F3K-Q2MW" in page and "Reconnect" in page and "Sync now" not in page

    def test_a_fault_of_the_operator_asks_nobody_to_sign_in(self, client: Client, mailbox: Mailbox) -> None:
        Mailbox.objects.update(failure=Failure.OPERATOR, failure_detail="AADSTS7000222")
        page = text(client)
        assert "You need not sign in again" in page and ">Reconnect<" not in page

    def test_a_sentence_of_the_engine_is_not_shown_as_a_code(self, client: Client, mailbox: Mailbox) -> None:
        Mailbox.objects.update(failure=Failure.INTERNAL, failure_detail="KeyError: something went wrong")
        assert "KeyError" not in text(client)

    @pytest.mark.parametrize("failure", [one for one in Failure if one])
    def test_every_failure_has_words(self, failure: Failure, client: Client, mailbox: Mailbox) -> None:
        Mailbox.objects.update(failure=failure, failure_detail="AADSTS1")
        assert "(AADSTS1)" in text(client)

    def test_an_admin_sees_a_colleagues_mailbox_but_cannot_reconnect_it(
        self, ben: Membership, mailbox: Mailbox, client: Client
    ) -> None:
        Mailbox.objects.update(owner=ben, failure=Failure.REVOKED)
        page = text(client)
        assert "Only Ben Okafor can do that" in page and ">Reconnect<" not in page

    def test_a_member_sees_only_their_own(self, ben: Membership, mailbox: Mailbox, signed_in: SignIn) -> None:
        assert mailbox.address not in text(signed_in(ben))


class TestStrangers:
    ADDRESSES = (
        "",
        "card/",
        "sync/",
        "pause/",
        "resume/",
        "history/",
        "history/pause/",
        "reconnect/",
        "permission/mail/",
        "disconnect/",
    )

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_for_others_the_mailbox_does_not_exist(
        self, address: str, ben: Membership, zoe: Membership, mailbox: Mailbox, signed_in: SignIn, told: list[str]
    ) -> None:
        for stranger in (ben, zoe):
            browser = signed_in(stranger)
            for answer in (
                browser.get(f"/mailboxes/{mailbox.pk}/{address}"),
                browser.post(f"/mailboxes/{mailbox.pk}/{address}"),
            ):
                assert answer.status_code in {404, 405}
        assert told == []


class TestThePull:
    PROGRESS = {
        "done": 24118,
        "total": 37600,
        "rate": 310.2,
        "eta": 44.0,
        "paused": False,
        "folders": [
            {"name": "Inbox", "done": 900, "total": 900},
            {"name": "Sent Items", "done": 71, "total": 100},
            {"name": "Archive", "done": 0, "total": 50},
        ],
    }

    def test_it_shows_count_rate_rest_and_folders(self, client: Client, mailbox: Mailbox) -> None:
        recorder.CARD["progress"] = self.PROGRESS  # type: ignore[typeddict-item]
        page = text(client)
        assert "24,118 of 37,600 messages · 310/s · 44 s left" in page
        assert "Inbox done · Sent Items 71% · Archive waiting" in page
        assert "Pulling the last 90 days" in page and "every 2s" in page

    def test_paused_it_offers_to_go_on(self, client: Client, mailbox: Mailbox) -> None:
        recorder.CARD["progress"] = {**self.PROGRESS, "paused": True}  # type: ignore[typeddict-item]
        page = text(client)
        assert "Resume" in page and "every 20s" in page and "44 s left" not in page

    @pytest.mark.parametrize("change", ["pause", "resume", "cancel"])
    def test_its_buttons_reach_the_hooks(self, change: str, client: Client, mailbox: Mailbox, told: list[str]) -> None:
        answer = client.post(f"/mailboxes/{mailbox.pk}/history/{change}/", **HTMX)
        assert told == [change]
        assert "toast" in json.loads(answer["HX-Trigger"]) and f'id="mailbox-{mailbox.pk}"' in answer.content.decode()

    def test_anything_else_does_not_exist(self, client: Client, mailbox: Mailbox, told: list[str]) -> None:
        assert client.post(f"/mailboxes/{mailbox.pk}/history/disconnecting/").status_code == 404
        assert told == []


class TestPausing:
    def test_a_paused_mailbox_rests_until_it_is_resumed(
        self, client: Client, mailbox: Mailbox, told: list[str]
    ) -> None:
        client.post(f"/mailboxes/{mailbox.pk}/pause/")
        page = text(client)
        assert "Paused" in page and "Resume" in page and "Sync now" not in page
        client.post(f"/mailboxes/{mailbox.pk}/resume/", **HTMX)
        mailbox.refresh_from_db()
        assert (mailbox.state, told) == ("live", [f"reconnected {mailbox.address}"])

    def test_a_failure_shows_even_while_paused(self, client: Client, mailbox: Mailbox) -> None:
        Mailbox.objects.update(state="paused", failure=Failure.REVOKED)
        page = text(client)
        assert "Error" in page and "Reconnect" in page

    def test_only_a_live_mailbox_is_paused_or_resumed(self, client: Client, mailbox: Mailbox, told: list[str]) -> None:
        client.post(f"/mailboxes/{mailbox.pk}/resume/")
        Mailbox.objects.update(state="connecting", history="")
        client.post(f"/mailboxes/{mailbox.pk}/pause/")
        mailbox.refresh_from_db()
        assert (mailbox.state, told) == ("connecting", [])


class TestTheHistoryQuestion:
    @pytest.fixture(autouse=True)
    def unanswered(self, mailbox: Mailbox) -> None:
        Mailbox.objects.update(history="", state="connecting")

    @pytest.mark.parametrize(("answer", "days"), [("none", 0), ("30d", 30), ("90d", 90), ("12m", 365), ("all", None)])
    def test_the_answer_sets_how_far_back(
        self, answer: str, days: int | None, client: Client, mailbox: Mailbox, told: list[str]
    ) -> None:
        client.post(f"/mailboxes/{mailbox.pk}/history/", {"history": answer})
        mailbox.refresh_from_db()
        assert (mailbox.history, mailbox.state) == (answer, "live")
        reach = None if mailbox.since is None else (mailbox.connected_at - mailbox.since).days
        assert reach == days
        assert told == [f"history {answer}"]

    def test_a_longer_range_can_be_pulled_later_but_never_a_shorter_one(
        self, client: Client, mailbox: Mailbox, told: list[str]
    ) -> None:
        for answer in ("90d", "30d", "90d", "all", "none"):
            client.post(f"/mailboxes/{mailbox.pk}/history/", {"history": answer})
        assert told == ["history 90d", "history all"]

    def test_an_unknown_answer_changes_nothing(self, client: Client, mailbox: Mailbox) -> None:
        assert client.post(f"/mailboxes/{mailbox.pk}/history/", {"history": "7 years"}).status_code == 404


class TestSyncNow:
    def test_the_card_waits_for_the_result_and_shows_it_as_a_toast(self, client: Client, mailbox: Mailbox) -> None:
        asked = client.post(f"/mailboxes/{mailbox.pk}/sync/", **HTMX)
        assert "?ticket=7" in asked.content.decode() and "Syncing" in asked.content.decode()
        waiting = client.get(f"/mailboxes/{mailbox.pk}/card/?ticket=7")
        assert "?ticket=7" in waiting.content.decode() and "HX-Trigger" not in waiting
        recorder.RESULT.append(SyncResult(new=1203, changed=4))
        done = client.get(f"/mailboxes/{mailbox.pk}/card/?ticket=7")
        assert json.loads(done["HX-Trigger"])["toast"]["text"] == (
            "adele@northwind.example is up to date: 1,203 new, 4 changed."
        )
        assert "ticket" not in done.content.decode()

    def test_an_error_is_told_precisely(self, client: Client, mailbox: Mailbox) -> None:
        recorder.RESULT.append(SyncResult(error="Microsoft did not answer."))
        toast = json.loads(client.get(f"/mailboxes/{mailbox.pk}/card/?ticket=7")["HX-Trigger"])["toast"]
        assert toast == {"kind": "error", "text": "adele@northwind.example: Microsoft did not answer."}

    def test_without_a_script_it_leads_back_to_the_card(self, client: Client, mailbox: Mailbox) -> None:
        assert client.post(f"/mailboxes/{mailbox.pk}/sync/")["Location"] == f"{LIST}#mailbox-{mailbox.pk}"


class TestDisconnected:
    def test_a_disconnected_mailbox_does_nothing_any_more(
        self, client: Client, mailbox: Mailbox, told: list[str]
    ) -> None:
        client.post(f"/mailboxes/{mailbox.pk}/disconnect/", {"mail": "keep"})
        told.clear()
        for address in ("sync/", "history/", "history/resume/", "reconnect/"):
            assert client.post(f"/mailboxes/{mailbox.pk}/{address}", {"history": "all"}).status_code == 404
        assert told == []


class TestOwnSettings:
    def test_the_owner_names_it_and_shares_it(self, client: Client, mailbox: Mailbox, ben: Membership) -> None:
        data = {"name": "Sales", "purpose": "sales", "visibility": "members", "members": [ben.pk]}
        assert client.post(f"/mailboxes/{mailbox.pk}/", data).status_code == 302
        mailbox.refresh_from_db()
        assert (mailbox.name, mailbox.purpose, list(mailbox.members.all())) == ("Sales", "sales", [ben])

    def test_private_again_nobody_is_left_on_the_list(self, client: Client, mailbox: Mailbox, ben: Membership) -> None:
        mailbox.members.add(ben)
        data = {"purpose": "personal", "visibility": "private", "members": [ben.pk]}
        client.post(f"/mailboxes/{mailbox.pk}/", data)
        assert mailbox.members.count() == 0

    def test_named_members_need_a_name(self, client: Client, mailbox: Mailbox) -> None:
        answer = client.post(f"/mailboxes/{mailbox.pk}/", {"owner": mailbox.owner_id, "visibility": "members"})
        assert answer.status_code == 422 and "Choose at least one colleague" in answer.content.decode()

    def test_people_of_another_workspace_cannot_be_named(
        self, client: Client, mailbox: Mailbox, zoe: Membership
    ) -> None:
        data = {"purpose": "personal", "visibility": "members", "members": [zoe.pk]}
        assert client.post(f"/mailboxes/{mailbox.pk}/", data).status_code == 422
        taken = client.post(f"/mailboxes/{mailbox.pk}/hand-over/", {"owner": zoe.pk, "understood": "on"})
        assert taken.status_code == 422

    def test_handing_over_asks_and_the_grant_stays_with_who_signed_in(
        self, client: Client, mailbox: Mailbox, adele: Membership, ben: Membership
    ) -> None:
        address = f"/mailboxes/{mailbox.pk}/hand-over/"
        assert "Sync goes on under the sign-in of Adele Vance" in client.get(address).content.decode()
        assert client.post(address, {"owner": ben.pk}).status_code == 422
        assert client.post(address, {"owner": ben.pk, "understood": "on"}).status_code == 302
        mailbox.refresh_from_db()
        assert mailbox.owner == ben and mailbox.connection is not None and mailbox.connection.member == adele
        assert not access.may_reconnect(adele, mailbox) and access.may_reconnect(ben, mailbox)

    def test_a_default_for_sending_is_ones_own_and_the_workspaces_an_admins(
        self, client: Client, mailbox: Mailbox, adele: Membership, ben: Membership
    ) -> None:
        data = {"purpose": "sales", "default_mine": "on", "default_workspace": "on"}
        refused = client.post(f"/mailboxes/{mailbox.pk}/", {**data, "visibility": "private"})
        assert "First let everyone in the workspace use it" in refused.content.decode()
        client.post(f"/mailboxes/{mailbox.pk}/", {**data, "visibility": "workspace"})
        assert sending.defaults(adele) == (mailbox.pk, mailbox.pk)
        assert sending.defaults(ben) == (None, mailbox.pk)
        client.post(f"/mailboxes/{mailbox.pk}/", {"purpose": "sales", "visibility": "workspace"})
        assert sending.defaults(adele) == (None, None)

    def test_the_direction_is_changed_with_what_happens_to_the_mail_said(
        self, client: Client, mailbox: Mailbox, told: list[str]
    ) -> None:
        assert "Changing to one-way keeps everything" in client.get(f"/mailboxes/{mailbox.pk}/").content.decode()
        text = client.post(
            f"/mailboxes/{mailbox.pk}/direction/", {"direction": "one_way"}, follow=True
        ).content.decode()
        assert "only sends from now on" in text and "Sends only" in text
        assert client.post(f"/mailboxes/{mailbox.pk}/direction/", {"direction": "sideways"}).status_code == 404

    def test_an_admin_cannot_open_a_colleagues_mailbox_for_himself(
        self, client: Client, mailbox: Mailbox, adele: Membership, ben: Membership
    ) -> None:
        Mailbox.objects.update(owner=ben)
        client.post(
            f"/mailboxes/{mailbox.pk}/",
            {"name": "Ben’s", "purpose": "personal", "visibility": "workspace", "members": [adele.pk]},
        )
        assert client.get(f"/mailboxes/{mailbox.pk}/hand-over/").status_code == 404
        assert (
            client.post(f"/mailboxes/{mailbox.pk}/hand-over/", {"owner": adele.pk, "understood": "on"}).status_code
            == 404
        )
        mailbox.refresh_from_db()
        assert (mailbox.name, mailbox.owner, mailbox.visibility) == ("Ben’s", ben, "private")

    def test_an_admin_hands_what_few_may_read_to_none_but_those_few(
        self, client: Client, mailbox: Mailbox, adele: Membership, ben: Membership, gil: Membership
    ) -> None:
        Mailbox.objects.update(owner=ben, visibility="members")
        mailbox.members.add(gil)
        address = f"/mailboxes/{mailbox.pk}/hand-over/"
        assert client.post(address, {"owner": adele.pk, "understood": "on"}).status_code == 422
        assert client.post(address, {"owner": gil.pk, "understood": "on"}).status_code == 302


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (44, "44 s"), (119, "119 s"), (130, "2 min"), (7300, "2 h"), (14400, "4 h"), (200000, "2 days")],
)
def test_a_span_has_one_unit(seconds: float, words: str) -> None:
    assert cards.span(seconds) == words
