"""The address that providers post to."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
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
