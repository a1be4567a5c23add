import json
from datetime import UTC, datetime, timedelta

import pytest

from postroom.lib import clock
from postroom.providers.contract import Notified
from postroom.providers.errors import Malformed, NotFound, Unsupported
from postroom.providers.microsoft.notifications import notified
from postroom.providers.microsoft.tests.world import Microsoft, no, ok

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MADE = {"id": "s1", "expirationDateTime": "2026-03-09T08:30:00.0000000Z", "resource": "me/messages"}


def subscribe(world: Microsoft) -> None:
    with clock.frozen(NOW):
        made = world.mail().subscribe(
            url="https://p.example/hook", client_state="c", lifecycle_url="https://p.example/hook"
        )
    assert (made.id, made.expires) == ("s1", datetime(2026, 3, 9, 8, 30, tzinfo=UTC))


def test_a_subscription_covers_the_mailbox_for_just_under_seven_days() -> None:
    world = Microsoft(ok(MADE, 201))
    subscribe(world)
    body = world.body()
    assert (body["resource"], body["changeType"], body["clientState"]) == (
        "me/messages",
        "created,updated,deleted",
        "c",
    )
    life = datetime.fromisoformat(body["expirationDateTime"]) - NOW
    assert timedelta(days=6, hours=23) < life < timedelta(minutes=10_080)
    assert "IdType" in world.asked[0].headers["Prefer"]


def test_one_of_ours_in_the_way_is_replaced_and_others_are_left() -> None:
    there = [
        {"id": "old", "resource": "/me/messages"},
        {"id": "same", "resource": "Users('u1')/messages"},
        {"id": "calendar", "resource": "me/events"},
    ]
    world = Microsoft(no(409, "Conflict"), ok({"value": there}), ok(status=204), no(404), ok(MADE, 201))
    subscribe(world)
    asked = [(one.method, one.url.path.removeprefix("/v1.0/subscriptions")) for one in world.asked]
    assert asked == [("POST", ""), ("GET", ""), ("DELETE", "/old"), ("DELETE", "/same"), ("POST", "")]


def test_a_shared_mailbox_cannot_push() -> None:
    with pytest.raises(Unsupported):
        Microsoft().mail("s@x.example").subscribe(url="u", client_state="c", lifecycle_url="u")


def test_renewing_what_is_gone_says_so_and_ending_it_is_done() -> None:
    assert Microsoft(ok(MADE)).mail().renew("s1").id == "s1"
    with pytest.raises(NotFound):
        Microsoft(no(404, "ResourceNotFound")).mail().renew("s1")
    Microsoft(no(404, "ResourceNotFound")).mail().unsubscribe("s1")


def test_one_post_may_hold_many_kinds_of_items() -> None:
    body = {
        "value": [
            {
                "subscriptionId": "s1",
                "clientState": "c",
                "changeType": "Created",
                "resource": "Users/u1/Messages/AAk=1",
                "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "id": "AAk=1"},
                "tenantId": "",
            },
            {"subscriptionId": "s1", "changeType": "deleted", "resource": "users('u1')/messages('AAk=2')"},
            {"subscriptionId": "s2", "clientState": None, "lifecycleEvent": "missed"},
            {"no": "subscription"},
            {"subscriptionId": "s2", "lifecycleEvent": "somethingNew", "changeType": "moved"},
        ]
    }
    assert notified(json.dumps(body).encode()) == [
        Notified(subscription_id="s1", client_state="c", message_id="AAk=1", change="created"),
        Notified(subscription_id="s1", client_state="", message_id="AAk=2", change="deleted"),
        Notified(subscription_id="s2", client_state="", lifecycle="missed"),
        Notified(subscription_id="s2", client_state=""),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"value":7}', b"\xff\xfe", b'{"value":[' + b"[" * 10_000])
def test_what_is_no_notification_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        notified(body)
