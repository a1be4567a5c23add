"""Push that keeps itself alive, against a local Microsoft 365 over HTTP: lifecycle events, lost and doubled
subscriptions, silence, a mailbox that cannot be pushed to, and an installation that slept for forty days."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from postroom.lib import clock
from postroom.mail import events
from postroom.mail.models import Message
from postroom.mailboxes import hooks, lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes, push, viewing
from postroom.sync.models import Activity, Subscription
from postroom.sync.schedule import IDLE, QUICK
from tests.mirror import corpus
from tests.mirror.other_side import OtherSide
from tests.proofs.together import ADDRESS, COLLEAGUE, Together

SALES = "sales@northwind.example"


def letter(subject: str, to: str = ADDRESS) -> bytes:
    return (
        f"From: Ines Costa <ines@contoso.example>\nTo: {to}\nSubject: {subject}\n"
        f"Message-ID: <{subject.replace(' ', '-')}@contoso.example>\n\nHello.\n"
    ).encode()


def here(mailbox: Mailbox, subject: str) -> bool:
    return Message.objects.filter(mailbox=mailbox, subject=subject).exists()


def at_the_provider(both: Together) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = both.http.get("/sandbox/subscriptions").raise_for_status().json()["value"]
    return found


def in_step(both: Together) -> bool:
    """Exactly one subscription, the same one on both sides."""
    return [one["id"] for one in at_the_provider(both)] == [row.remote_id for row in Subscription.objects.all()]


def told(both: Together, event: str) -> None:
    both.http.post(f"/sandbox/mailboxes/{ADDRESS}/lifecycle/{event}").raise_for_status()
    assert both.take_pushed(wait=True)


def pushed(both: Together, mailbox: Mailbox, subject: str) -> bool:
    """Whether new mail comes by push alone, within seconds."""
    both.sandbox.deliver(ADDRESS, letter(subject))
    both.take_pushed(wait=True)
    both.settle(mailbox, ahead=timedelta(seconds=1))
    return here(mailbox, subject)


@pytest.fixture
def mailbox(both: Together) -> Mailbox:
    """Connected, with some history and push on."""
    for folder, mbox in corpus.generated(30):
        both.import_(ADDRESS, mbox, folder=folder)
    made = both.connect()
    both.settle(made)
    assert in_step(both) and len(at_the_provider(both)) == 1
    return made


# --- lifecycle (SY5) -------------------------------------------------------------------------------------------------


def test_asked_to_reauthorise_it_is_renewed_at_once(both: Together, mailbox: Mailbox) -> None:
    both.advance(timedelta(hours=20))
    both.settle(mailbox)
    before, since = Subscription.objects.get(), both.mark()
    told(both, "reauthorizationRequired")
    both.settle(mailbox, ahead=timedelta(seconds=1))
    after = Subscription.objects.get()
    assert after.remote_id == before.remote_id and after.expires_at > before.expires_at
    assert [row["method"] for row in both.requests(since) if "/subscriptions" in row["url"]] == ["PATCH"]
    assert pushed(both, mailbox, "after the renewal")


def test_a_removed_subscription_is_made_again_and_what_came_meanwhile_is_found(
    both: Together, mailbox: Mailbox
) -> None:
    told(both, "subscriptionRemoved")
    both.sandbox.deliver(ADDRESS, letter("while nobody was told"))
    both.settle(mailbox, ahead=timedelta(seconds=5))
    assert in_step(both)
    assert here(mailbox, "while nobody was told")
    assert pushed(both, mailbox, "told again")


def test_missed_notifications_are_made_up_for(both: Together, mailbox: Mailbox) -> None:
    both.faults([{"notifications": {"drop": True}, "rate": 1.0}])
    both.sandbox.deliver(ADDRESS, letter("lost on the way"))
    both.calm()
    both.hook.taken()
    told(both, "missed")
    both.settle(mailbox, ahead=timedelta(seconds=5))
    assert here(mailbox, "lost on the way")
    assert both.difference(mailbox) == []


# --- renewal (SY6) ---------------------------------------------------------------------------------------------------


def test_a_subscription_lives_on_for_weeks_without_a_person(both: Together, mailbox: Mailbox) -> None:
    first = Subscription.objects.get().remote_id
    for _ in range(4 * 15):
        both.advance(timedelta(hours=6))
        both.settle(mailbox, ahead=timedelta(seconds=1))
        assert in_step(both)
    assert Subscription.objects.get().remote_id == first
    assert pushed(both, mailbox, "after two weeks")


def test_one_that_is_gone_is_found_by_sync_now_and_made_again(both: Together, mailbox: Mailbox) -> None:
    both.http.post(f"/sandbox/mailboxes/{ADDRESS}/drop-subscriptions").raise_for_status()
    both.advance(timedelta(minutes=11))
    both.follow(mailbox)
    assert in_step(both) and at_the_provider(both)
    assert pushed(both, mailbox, "made again")


def test_one_that_a_killed_worker_left_behind_is_replaced(both: Together, mailbox: Mailbox) -> None:
    """The provider says 409: there is one already, and nobody knows its client state any more."""
    Subscription.objects.all().delete()
    lanes.want(mailbox.pk, Activity.RENEWAL)
    both.settle(mailbox)
    assert in_step(both) and len(at_the_provider(both)) == 1
    assert pushed(both, mailbox, "from the new one")


def test_an_address_that_does_not_answer_leads_to_polling_and_is_tried_again(
    both: Together, mailbox: Mailbox, settings: Any
) -> None:
    good, settings.POSTROOM_PUBLIC_URL = settings.POSTROOM_PUBLIC_URL, "http://127.0.0.1:9"
    told(both, "subscriptionRemoved")
    both.settle(mailbox, ahead=timedelta(seconds=5))
    card = hooks.card(mailbox)
    assert (card["push"], card["push_note"]) == ("polling", "Microsoft could not reach Postroom")
    both.sandbox.deliver(ADDRESS, letter("polled"))
    both.settle(mailbox, ahead=IDLE)
    assert here(mailbox, "polled")
    settings.POSTROOM_PUBLIC_URL = good
    both.settle(mailbox, ahead=timedelta(minutes=10))
    assert in_step(both) and hooks.card(mailbox)["push"] == "on"


# --- silence ---------------------------------------------------------------------------------------------------------


def until_the_daily_delta(both: Together, mailbox: Mailbox) -> None:
    """Of the Inbox, whenever in the day that is."""
    count = Message.objects.filter(mailbox=mailbox).count()
    for _ in range(24 * 4):
        until = clock.now() + timedelta(minutes=15)
        both.settle(mailbox, ahead=timedelta(minutes=15))
        both.advance(max(until - clock.now(), timedelta(0)))
        if Message.objects.filter(mailbox=mailbox).count() > count:
            both.settle(mailbox, ahead=timedelta(0))
            return


def test_push_that_went_silent_is_noticed_replaced_and_said(both: Together, mailbox: Mailbox) -> None:
    assert pushed(both, mailbox, "all is well")
    both.settle(mailbox)
    both.http.post(f"/sandbox/mailboxes/{ADDRESS}/drop-subscriptions").raise_for_status()
    dead = Subscription.objects.get().remote_id
    both.advance(timedelta(hours=1))
    for number in range(3):
        both.sandbox.deliver(ADDRESS, letter(f"untold {number}"))
    both.advance(timedelta(minutes=2))
    until_the_daily_delta(both, mailbox)
    assert here(mailbox, "untold 2")
    assert Subscription.objects.get().remote_id != dead and in_step(both)
    said = hooks.card(mailbox)["push_note"]
    assert said.startswith("Microsoft stopped notifying; Postroom resubscribed at ")
    assert pushed(both, mailbox, "told again")


def test_one_mail_nobody_told_of_is_doubt_and_deltas_come_more_often(both: Together, mailbox: Mailbox) -> None:
    both.http.post(f"/sandbox/mailboxes/{ADDRESS}/drop-subscriptions").raise_for_status()
    both.advance(timedelta(hours=1))
    both.sandbox.deliver(ADDRESS, letter("the first"))
    both.advance(timedelta(minutes=2))
    until_the_daily_delta(both, mailbox)
    assert Subscription.objects.get().unannounced == 1
    assert hooks.card(mailbox)["push_note"] == "checking that Microsoft still notifies"
    both.sandbox.deliver(ADDRESS, letter("the second"))
    both.settle(mailbox, ahead=timedelta(minutes=5))
    assert here(mailbox, "the second")


def test_moves_reads_and_our_own_mail_are_no_silence(both: Together, mailbox: Mailbox) -> None:
    both.faults([{"notifications": {"drop": True}, "rate": 1.0}])
    other = OtherSide(both.sandbox.url, both.sandbox.token(ADDRESS, minutes=600), ADDRESS, 7)
    other._folders = other._all_folders()
    for _ in range(10):
        both.advance(timedelta(minutes=10))
        for act in (other.read, other.flag, other.move, other.categorise):
            act()
        both.follow(mailbox)
    assert Subscription.objects.get().unannounced == 0
    assert both.difference(mailbox) == []


# --- nobody pushes (SY11) --------------------------------------------------------------------------------------------


@pytest.fixture
def shared(both: Together, mailbox: Mailbox) -> Mailbox:
    """A shared mailbox that borrows the member's connection; nobody looks into it yet."""
    both.sandbox.user(SALES, "Sales", kind="shared", delegates=[ADDRESS])
    both.import_(SALES, letter("from long ago", SALES).join([b"From x Mon Nov 16 10:00:00 2026\n", b"\n"]))
    made = Mailbox.objects.create(
        workspace=mailbox.workspace,
        connection=mailbox.connection,
        owner=mailbox.owner,
        provider=mailbox.provider,
        kind=Mailbox.Kind.SHARED,
        address=SALES,
        name="Sales",
        state=Mailbox.State.LIVE,
        history=Mailbox.History.ALL,
    )
    hooks.tell("connected", made)
    both.settle(made)
    assert here(made, "from long ago")
    return made


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What open screens are told."""
    found: list[dict[str, Any]] = []

    def publish(workspace: int, topic: str, payload: dict[str, Any], **_: object) -> None:
        found.append({**payload, "topic": topic})

    monkeypatch.setattr(events, "publish", publish)
    return found


def test_a_change_in_a_shared_mailbox_is_on_screen_within_ten_seconds_while_somebody_looks(
    both: Together, shared: Mailbox, announced: list[dict[str, Any]]
) -> None:
    viewing.looked_into([shared.pk])
    both.settle(shared, ahead=timedelta(0))
    for moment in range(5):  # wherever between two looks the change falls
        both.advance(QUICK * moment / 5)
        announced.clear()
        came, subject = clock.now(), f"hurry {moment}"
        both.sandbox.deliver(SALES, letter(subject, SALES))
        both.settle(shared, ahead=timedelta(seconds=10))
        assert here(shared, subject)
        news = [one for one in announced if one.get("threads")]
        assert news and news[0]["mailbox"] == shared.pk
        assert clock.now() - came <= timedelta(seconds=10)
    assert both.difference(shared) == []


def test_looking_stays_within_a_share_of_the_allowance(both: Together, shared: Mailbox) -> None:
    viewing.looked_into([shared.pk])
    both.settle(shared, ahead=timedelta(0))
    since = both.mark()
    for _ in range(10):
        viewing.looked_into([shared.pk])  # as an open screen does
        both.settle(shared, ahead=timedelta(minutes=1))
    asked = [row for row in both.requests(since) if SALES.partition("@")[0] in row["url"]]
    assert 100 < len(asked) < 4_000


def test_whom_nobody_looks_at_is_asked_every_few_minutes_and_at_once_when_somebody_comes(
    both: Together, shared: Mailbox
) -> None:
    both.settle(shared, ahead=timedelta(minutes=20))
    both.sandbox.deliver(SALES, letter("in no hurry", SALES))
    both.settle(shared, ahead=timedelta(minutes=1))
    assert not here(shared, "in no hurry")
    viewing.looked_into([shared.pk])
    both.settle(shared, ahead=timedelta(0))
    assert here(shared, "in no hurry")


def test_without_a_public_address_the_card_says_so_and_mail_comes_all_the_same(both: Together, settings: Any) -> None:
    settings.POSTROOM_PUBLIC_URL = ""
    made = both.connect()
    both.settle(made)
    card = hooks.card(made)
    assert (card["push"], card["push_note"]) == ("polling", "no public URL")
    both.sandbox.deliver(ADDRESS, letter("asked for"))
    both.settle(made, ahead=IDLE)
    assert here(made, "asked for")


# --- forty days asleep -----------------------------------------------------------------------------------------------


def meanwhile(both: Together, address: str, seed: int) -> None:
    """Forty days of somebody else's work; delta cursors and subscriptions do not survive them."""
    other = OtherSide(both.sandbox.url, both.sandbox.token(address), address, seed)
    for _ in range(40):
        both.advance(timedelta(days=1))
        other.token = both.sandbox.token(address)
        other._http.headers["Authorization"] = f"Bearer {other.token}"
        other.steps(3)
    both.http.post(f"/sandbox/mailboxes/{address}/expire-delta").raise_for_status()


def test_forty_days_asleep_and_healthy_without_a_person_but_for_the_sign_in_microsoft_demands(
    both: Together, mailbox: Mailbox
) -> None:
    for folder, mbox in corpus.generated(30):
        both.import_(COLLEAGUE, mbox, folder=folder)
    locked_out = both.connect(COLLEAGUE)
    both.settle(locked_out)
    meanwhile(both, ADDRESS, 40)
    both.http.post(f"/sandbox/mailboxes/{COLLEAGUE}/revoke").raise_for_status()
    both.hook.taken()
    assert not [one for one in at_the_provider(both) if one["expirationDateTime"] > f"{clock.now():%Y-%m-%dT%H:%M}"]

    awake(both, mailbox, locked_out)
    mailbox.refresh_from_db()
    assert mailbox.health == "healthy"
    assert both.difference(mailbox) == []
    assert push.is_on(mailbox) and pushed(both, mailbox, "good morning")

    locked_out.refresh_from_db()
    assert (locked_out.health, locked_out.failure) == ("error", "revoked")
    assert locked_out.connection is not None
    lifecycle.reconnect(locked_out.connection, _signed_in_again())
    awake(both, locked_out)
    locked_out.refresh_from_db()
    assert locked_out.health == "healthy" and push.is_on(locked_out)
    assert both.difference(locked_out) == []


def awake(both: Together, *mailboxes: Mailbox) -> None:
    """What the sweep of a started worker does."""
    for _ in range(3):
        due = set(lanes.due())
        for mailbox in mailboxes:
            if mailbox.pk in due:
                both.settle(mailbox, ahead=timedelta(minutes=1))


def _signed_in_again() -> Any:
    from postroom.mailboxes import commands

    grant: Callable[[str], Any] = commands._sandbox_grant
    return grant(COLLEAGUE)
