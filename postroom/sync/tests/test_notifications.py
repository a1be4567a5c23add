"""The address that providers post to."""

import json
import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.urls import reverse

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes, notified
from postroom.sync.models import Activity, Lane, Notification, Subscription

pytestmark = pytest.mark.django_db
ADDRESS = "/hooks/microsoft"


@pytest.fixture
def subscription(mailbox: Mailbox) -> Subscription:
    return Subscription.objects.create(
        mailbox=mailbox, remote_id="s-1", client_state="secret", expires_at=now(), renewed_at=now()
    )


def item(**more: object) -> dict[str, object]:
    return {
        "subscriptionId": "s-1",
        "clientState": "secret",
        "changeType": "created",
        "resource": "Users/u/Messages/AAA=",
        "resourceData": {"id": "AAA="},
        **more,
    }


def post(client: Client, *items: dict[str, object]) -> int:
    return client.post(ADDRESS, json.dumps({"value": list(items)}), content_type="application/json").status_code


def test_the_handshake_gives_the_decoded_token_back_as_text(client: Client) -> None:
    response = client.post(f"{ADDRESS}?validationToken=a%20b%2Bc%26")
    assert (response.status_code, response.content, response["Content-Type"]) == (
        200, b"a b+c&", "text/plain; charset=utf-8"
    )  # fmt: skip


def test_a_notification_is_noted_and_wakes_the_live_lane(client: Client, subscription: Subscription) -> None:
    assert post(client, item()) == 202
    assert Notification.objects.get().remote_id == "AAA="
    assert Lane.objects.get(mailbox=subscription.mailbox, activity=Activity.LIVE).due_at is not None


@pytest.mark.parametrize("wrong", [{"clientState": "guess"}, {"subscriptionId": "other"}])
def test_strangers_learn_nothing_and_change_nothing(
    client: Client, subscription: Subscription, wrong: dict[str, object]
) -> None:
    assert post(client, item(**wrong)) == 202
    assert not Notification.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"value": 7}', b"\xff"])
def test_what_no_provider_sends_is_refused(client: Client, body: bytes) -> None:
    assert client.post(ADDRESS, body, content_type="application/json").status_code == 400


def test_a_provider_we_do_not_know_is_not_found(client: Client) -> None:
    assert client.post("/hooks/nobody", b"{}", content_type="application/json").status_code == 404


def test_the_page_cannot_be_opened_as_a_page(client: Client) -> None:
    assert client.get(reverse("notifications", args=["microsoft"])).status_code == 405


def test_a_removed_subscription_is_made_again(client: Client, subscription: Subscription) -> None:
    assert post(client, item(lifecycleEvent="subscriptionRemoved")) == 202
    assert not Subscription.objects.exists()
    assert Lane.objects.get(mailbox=subscription.mailbox, activity=Activity.RENEWAL).due_at is not None


def test_a_thousand_notifications_are_one_wish(client: Client, subscription: Subscription) -> None:
    assert post(client, *[item() for _ in range(1000)]) == 202
    assert Lane.objects.get(mailbox=subscription.mailbox, activity=Activity.LIVE).wanted == 1


@pytest.mark.parametrize(
    "odd",
    [{"subscriptionId": "s\x00"}, {"clientState": "é"}, {"resourceData": {"id": "A\x00"}}, {"subscriptionId": "\x7f"}],
)
def test_an_item_no_provider_would_send_is_left_out_and_the_others_are_taken(
    client: Client, subscription: Subscription, odd: dict[str, object]
) -> None:
    assert post(client, item(**odd), item()) == 202
    assert Notification.objects.count() == 1


# --- what is noted stays little, and nobody waits --------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notified, "_counted", {})
    monkeypatch.setattr(notified, "_unkept", notified._Unkept(threading.Lock(), Counter()))


@pytest.mark.parametrize("change", [{"state": "paused"}, {"failure": "reauth"}, {"failure": "breaker"}])
def test_a_mailbox_that_cannot_work_now_gets_one_line_whatever_is_told(
    client: Client, subscription: Subscription, change: dict[str, str]
) -> None:
    Mailbox.objects.filter(pk=subscription.mailbox_id).update(**change)
    for number in range(5):
        assert post(client, item(resourceData={"id": f"A{number}"}), item(resourceData={"id": f"B{number}"})) == 202
    assert [row.change for row in Notification.objects.all()] == [Notification.EVERYTHING]
    assert Lane.objects.get(mailbox=subscription.mailbox, activity=Activity.LIVE).due_at is None


def test_a_storm_longer_than_anybody_reads_becomes_one_line(
    client: Client, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notified, "MOST", 50)
    monkeypatch.setattr(notified, "COUNTED_EVERY", 0)
    for number in range(10):
        assert post(client, *[item(resourceData={"id": f"{number}-{n}"}) for n in range(20)]) == 202
    assert Notification.objects.count() == 61
    assert Notification.objects.filter(change=Notification.EVERYTHING).count() == 1


def test_a_storm_wakes_once_and_writes_the_lane_once(
    client: Client, subscription: Subscription, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(lanes, "wake", lambda *mailbox_ids: woken.extend(mailbox_ids))
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(20):
            assert post(client, item(resourceData={"id": str(number)})) == 202
    assert woken == [subscription.mailbox_id]
    assert Lane.objects.get(mailbox=subscription.mailbox, activity=Activity.LIVE).wanted == 1


def test_what_is_told_during_a_run_leads_to_another(
    client: Client, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client, item())
    lane = lanes.claim(subscription.mailbox_id, "worker")
    assert lane is not None
    post(client, item())
    lanes.finish(lane, next_due=None)
    assert lanes.claim(subscription.mailbox_id, "worker") is not None


def test_a_lane_that_waits_out_a_failure_is_not_hurried_by_push(client: Client, subscription: Subscription) -> None:
    later = now() + timedelta(minutes=5)
    live = Lane.objects.filter(mailbox=subscription.mailbox, activity=Activity.LIVE)
    live.update(due_at=later, failure="throttled")
    assert post(client, item()) == 202
    assert live.get().due_at == later
    lanes.want(subscription.mailbox_id, Activity.LIVE)  # a person may
    assert live.get().due_at < later


@pytest.mark.django_db(transaction=True)
def test_the_answer_does_not_wait_for_a_page_of_mail_that_is_being_stored(
    client: Client, subscription: Subscription
) -> None:
    lanes.want(subscription.mailbox_id, Activity.LIVE)
    lane = lanes.claim(subscription.mailbox_id, "worker")
    assert lane is not None
    with transaction.atomic():
        lanes.hold(lane)
        other = connection.copy()
        try:
            with other.cursor() as raw:
                raw.execute("SET lock_timeout = '1s'")
                raw.execute("UPDATE sync_lane SET wanted = wanted + 1 WHERE id = %s", [lane.pk])
                raw.execute("SELECT pg_try_advisory_lock(%s, %s)", [lanes._ADVISORY_CLASS, subscription.mailbox_id])
                assert raw.fetchone() == (False,)  # and yet nobody can claim the mailbox meanwhile
        finally:
            other.close()


def test_whoever_slept_through_its_lease_cannot_write_beside_the_next(subscription: Subscription) -> None:
    mailbox_id = subscription.mailbox_id
    lanes.want(mailbox_id, Activity.BACKFILL)
    asleep = lanes.claim(mailbox_id, "asleep")
    assert asleep is not None
    Lane.objects.filter(pk=asleep.pk).update(lease_until=now() - timedelta(seconds=1))
    lanes.want(mailbox_id, Activity.LIVE)
    awake = lanes.claim(mailbox_id, "awake")
    assert awake is not None and awake.activity == Activity.LIVE
    with pytest.raises(lanes.LeaseLost):
        lanes.hold(asleep)
    assert lanes.must_stop(awake) is False


# --- what is not ours ------------------------------------------------------------------------------------------------


def test_strays_are_counted_by_what_is_wrong_with_them(client: Client, subscription: Subscription) -> None:
    post(client, item(subscriptionId="other"), item(subscriptionId="another"), item(clientState="guess"), item())
    client.post(ADDRESS, b"{", content_type="application/json")
    notified._unkept.kept_at = -100.0
    notified.count_strays("microsoft", {})
    assert notified.strays() == {"unknown": 2, "wrong_state": 1, "malformed": 1, "too_large": 0}


def test_a_thousand_knocks_cost_one_write(client: Client, django_assert_max_num_queries: Any) -> None:
    post(client, item())
    with django_assert_max_num_queries(10):
        for _ in range(10):
            assert post(client, item()) == 202  # one look-up each


def test_a_body_that_is_too_large_is_refused_unread(client: Client) -> None:
    body = b" " * (4 * 1024 * 1024 + 1)
    assert client.post(ADDRESS, body, content_type="application/json").status_code == 413
    assert notified.strays()["too_large"] == 1


def test_what_cannot_be_kept_is_asked_for_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object, **__: object) -> int:
        raise OperationalError("the database is being restarted")

    monkeypatch.setattr(notified, "take", down)
    assert post(client, item()) == 503


# --- lifecycle (SY5) -------------------------------------------------------------------------------------------------


def test_asked_to_reauthorise_the_subscription_is_renewed_at_once(client: Client, subscription: Subscription) -> None:
    assert post(client, item(lifecycleEvent="reauthorizationRequired")) == 202
    subscription.refresh_from_db()
    assert subscription.renew_asked_at is not None
    assert Lane.objects.get(mailbox=subscription.mailbox, activity=Activity.RENEWAL).due_at is not None


def test_missed_notifications_lead_to_a_look_at_everything(client: Client, subscription: Subscription) -> None:
    assert post(client, item(lifecycleEvent="missed"), item(lifecycleEvent="missed")) == 202
    assert [row.change for row in Notification.objects.all()] == [Notification.EVERYTHING]
    assert Lane.objects.get(mailbox=subscription.mailbox, activity=Activity.LIVE).due_at is not None


def test_a_lifecycle_event_for_a_mailbox_that_needs_a_sign_in_is_kept_for_later(
    client: Client, subscription: Subscription
) -> None:
    Mailbox.objects.filter(pk=subscription.mailbox_id).update(failure="reauth")
    assert post(client, item(lifecycleEvent="subscriptionRemoved")) == 202
    assert not Subscription.objects.exists()
    assert Notification.objects.get().change == Notification.EVERYTHING


def test_a_word_of_the_provider_ends_the_doubt_about_its_silence(client: Client, subscription: Subscription) -> None:
    Subscription.objects.update(unannounced=2, last_notified_at=now())
    post(client, item())
    subscription.refresh_from_db()
    assert subscription.unannounced == 0
