"""The subscription contract of graph.md 3, over HTTP against a running sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ...clock import Clock
from ...testing import Sandbox, running_sandbox
from .. import notifications
from .webhook import Webhook, webhook

ADELE = "adele@northwind.example"
RAW = (
    b"Message-ID: <%d@contoso.example>\r\nFrom: ines@contoso.example\r\nTo: adele@northwind.example\r\n"
    b"Subject: %d\r\n\r\nHello\r\n"
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(clock=Clock(frozen_at=datetime(2026, 3, 2, 9, tzinfo=UTC))) as running:
        running.user(ADELE)
        running.user("support@northwind.example", kind="shared", delegates=[ADELE])
        yield running


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


@pytest.fixture
def graph(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {sandbox.token(ADELE)}"}
    with httpx2.Client(base_url=f"{sandbox.url}/v1.0", headers=headers) as client:
        yield client


def body(sandbox: Sandbox, hook: Webhook, **changes: Any) -> dict[str, Any]:
    expires = sandbox.world.clock.now() + timedelta(days=3)
    made = {
        "changeType": "created,updated,deleted",
        "notificationUrl": hook.url,
        "resource": "me/messages",
        "expirationDateTime": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        "clientState": "secret",
    } | changes
    return {key: value for key, value in made.items() if value is not None}


def subscribe(graph: httpx2.Client, sandbox: Sandbox, hook: Webhook, **changes: Any) -> dict[str, Any]:
    response = graph.post("/subscriptions", json=body(sandbox, hook, **changes))
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def deliver(sandbox: Sandbox, number: int = 1) -> str:
    return sandbox.deliver(ADELE, RAW % (number, number))


def test_a_delivered_mail_reaches_the_webhook_with_client_state_and_ids(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    made = subscribe(graph, sandbox, hook)
    deliver(sandbox)
    (item,) = hook.wait(1)
    assert (item["subscriptionId"], item["clientState"], item["changeType"]) == (made["id"], "secret", "created")
    assert item["resource"] == item["resourceData"]["@odata.id"]
    assert graph.get(f"/me/messages/{item['resourceData']['id']}").json()["subject"] == "1"
    assert item["resourceData"]["@odata.type"] == "#Microsoft.Graph.Message"


def test_immutable_ids_are_sent_when_the_subscription_was_made_with_them(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    graph.headers["Prefer"] = 'IdType="ImmutableId"'
    subscribe(graph, sandbox, hook)
    assert deliver(sandbox) == hook.wait(1)[0]["resourceData"]["id"]


def test_the_handshake_wants_the_decoded_token_as_plain_text(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    hook.answer_token = lambda token: token.replace(" ", "+")
    refused = graph.post("/subscriptions", json=body(sandbox, hook))
    assert refused.status_code == 400 and refused.json()["error"]["code"] == "InvalidRequest"
    assert "validation request failed" in refused.json()["error"]["message"]
    assert graph.get("/subscriptions").json()["value"] == []


def test_a_lifecycle_url_is_validated_too_even_when_it_is_the_same(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    subscribe(graph, sandbox, hook, lifecycleNotificationUrl=hook.url)
    assert len(hook.handshakes) == 2


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"notificationUrl": "https://example.com/hook"}, 400),
        ({"notificationUrl": None}, 400),
        ({"notificationUrl": "http://127.0.0.1:99999/"}, 400),
        ({"changeType": "created,moved"}, 400),
        ({"resource": "me/drive/root"}, 400),
        ({"expirationDateTime": "soon"}, 400),
        ({"expirationDateTime": "2026-03-10T09:00:00Z"}, 400),
        ({"clientState": "x" * 129}, 400),
        ({"includeResourceData": True}, 400),
        ({"resource": "users/support@northwind.example/messages"}, 403),
        ({"resource": "me/events"}, 403),
        ({"resource": "me/mailFolders('nowhere')/messages"}, 404),
    ],
)
def test_what_graph_refuses_is_refused_without_calling_anybody(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook, changes: dict[str, Any], status: int
) -> None:
    assert graph.post("/subscriptions", json=body(sandbox, hook, **changes)).status_code == status
    assert hook.handshakes == []


def test_an_expiry_under_45_minutes_is_raised_silently(sandbox: Sandbox, graph: httpx2.Client, hook: Webhook) -> None:
    soon = sandbox.world.clock.now() + timedelta(minutes=5)
    made = subscribe(graph, sandbox, hook, expirationDateTime=soon.isoformat())
    assert made["expirationDateTime"].startswith("2026-03-02T09:45:00")


def test_the_same_combination_twice_is_a_conflict_and_another_folder_is_not(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    first = subscribe(graph, sandbox, hook)
    again = graph.post("/subscriptions", json=body(sandbox, hook, resource="/me/messages"))
    assert again.status_code == 409 and first["id"] in again.json()["error"]["message"]
    subscribe(graph, sandbox, hook, resource="me/mailFolders('inbox')/messages")


def test_a_subscription_is_listed_renewed_moved_to_another_url_and_deleted(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    made = subscribe(graph, sandbox, hook)
    path = f"/subscriptions/{made['id']}"
    later = {"expirationDateTime": "2026-03-08T09:00:00Z"}
    assert graph.patch(path, json=later).json()["expirationDateTime"].startswith("2026-03-08")
    assert graph.patch(path, json={"notificationUrl": hook.url + "&y=2"}).status_code == 200
    assert len(hook.handshakes) == 2
    assert graph.patch(path, json={"lifecycleNotificationUrl": hook.url}).status_code == 400
    assert graph.post(f"{path}/reauthorize").status_code == 204
    assert [item["id"] for item in graph.get("/subscriptions").json()["value"]] == [made["id"]]
    assert graph.delete(path).status_code == 204
    assert graph.get(path).json()["error"]["code"] == "ResourceNotFound"


def test_nobody_sees_or_changes_another_persons_subscription(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    made = subscribe(graph, sandbox, hook)
    sandbox.user("mara@northwind.example")
    graph.headers["Authorization"] = f"Bearer {sandbox.token('mara@northwind.example')}"
    assert graph.get("/subscriptions").json()["value"] == []
    assert graph.delete(f"/subscriptions/{made['id']}").status_code == 404


def test_an_expired_subscription_is_gone_and_silent(sandbox: Sandbox, graph: httpx2.Client, hook: Webhook) -> None:
    made = subscribe(graph, sandbox, hook)
    sandbox.world.clock.advance(4 * 86400)
    deliver(sandbox)
    graph.headers["Authorization"] = f"Bearer {sandbox.token(ADELE)}"
    assert graph.get(f"/subscriptions/{made['id']}").status_code == 404
    assert notifications(sandbox.world).courier.idle.is_set() and hook.items == []


def test_a_move_is_a_deletion_and_a_creation(sandbox: Sandbox, graph: httpx2.Client, hook: Webhook) -> None:
    graph.headers["Prefer"] = 'IdType="ImmutableId"'
    message = deliver(sandbox)
    subscribe(graph, sandbox, hook)
    assert graph.post(f"/me/messages/{message}/move", json={"destinationId": "archive"}).status_code == 201
    items = hook.wait(2)
    assert {item["changeType"] for item in items} == {"deleted", "created"}
    assert {item["resourceData"]["id"] for item in items} == {message}


def test_a_folder_subscription_hears_only_of_its_folder(sandbox: Sandbox, graph: httpx2.Client, hook: Webhook) -> None:
    subscribe(graph, sandbox, hook, resource="me/mailFolders('archive')/messages", changeType="created")
    message = deliver(sandbox)
    graph.post(f"/me/messages/{message}/move", json={"destinationId": "archive"})
    assert len(hook.wait(1)) == 1 and notifications(sandbox.world).courier.idle.wait(5)
    assert [item["changeType"] for item in hook.items] == ["created"]


def test_a_filter_on_unread_turns_reading_into_a_deletion(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    message = deliver(sandbox)
    subscribe(graph, sandbox, hook, resource="me/messages?$filter=isRead eq false")
    graph.patch(f"/me/messages/{message}", json={"isRead": True})
    assert hook.wait(1)[0]["changeType"] == "deleted"
    graph.patch(f"/me/messages/{message}", json={"isRead": False})
    assert hook.wait(2)[1]["changeType"] == "created"


def test_a_storm_travels_in_few_posts(sandbox: Sandbox, graph: httpx2.Client, hook: Webhook) -> None:
    subscribe(graph, sandbox, hook)
    with sandbox.world.operation():
        for number in range(60):
            deliver(sandbox, number)
    hook.wait(60)
    assert len(hook.posts) <= 6


def test_a_failing_endpoint_is_tried_again_by_the_clock_until_it_answers(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    subscribe(graph, sandbox, hook)
    hook.statuses = [503, 500]
    deliver(sandbox)
    courier = notifications(sandbox.world).courier

    def attempts() -> list[int]:
        return [entry["attempt"] for entry in courier.log if entry["kind"] == "notification"]

    while len(attempts()) < 3:  # an attempt is written down after the endpoint has answered
        sandbox.world.clock.advance(2)
        courier.poke()
        courier.idle.wait(0.01)
    assert attempts() == [1, 2, 3]
    assert len(hook.posts) == 1


def test_after_four_hours_a_missed_event_is_sent_instead(sandbox: Sandbox, graph: httpx2.Client, hook: Webhook) -> None:
    made = subscribe(graph, sandbox, hook, lifecycleNotificationUrl=hook.url)
    hook.statuses = [503] * 2
    deliver(sandbox)
    courier = notifications(sandbox.world).courier
    while len(courier.log) < 3:  # two handshakes and the first attempt
        courier.idle.wait(0.01)
    sandbox.world.clock.advance(4.5 * 3600)
    courier.poke()
    (item,) = hook.wait(1)
    assert (item["lifecycleEvent"], item["subscriptionId"]) == ("missed", made["id"])
    assert "resourceData" not in item


@pytest.mark.parametrize("accident", ["change-password", "revoke"])
def test_a_password_change_or_revocation_removes_subscriptions_and_says_so(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook, accident: str
) -> None:
    subscribe(graph, sandbox, hook, lifecycleNotificationUrl=hook.url)
    assert httpx2.post(f"{sandbox.url}/sandbox/mailboxes/{ADELE}/{accident}").status_code == 204
    assert hook.wait(1)[0]["lifecycleEvent"] == "subscriptionRemoved"
    assert list(notifications(sandbox.world).registry) == []


def test_subscriptions_can_vanish_without_a_word_and_lifecycle_events_be_sent(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    subscribe(graph, sandbox, hook, lifecycleNotificationUrl=hook.url)
    control = f"{sandbox.url}/sandbox/mailboxes/{ADELE}"
    assert httpx2.post(f"{control}/lifecycle/reauthorizationRequired").json() == {"told": 1}
    assert hook.wait(1)[0]["lifecycleEvent"] == "reauthorizationRequired"
    assert httpx2.post(f"{control}/lifecycle/nonsense").status_code == 400
    assert httpx2.post(f"{control}/drop-subscriptions").json() == {"dropped": 1}
    assert graph.get("/subscriptions").json()["value"] == [] and len(hook.items) == 1


def test_the_owner_is_asked_once_to_reauthorise_in_the_last_hour(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    subscribe(graph, sandbox, hook, lifecycleNotificationUrl=hook.url)
    service = notifications(sandbox.world)
    assert service.warn_expiring() == 0
    sandbox.world.clock.advance(3 * 86400 - 1800)
    assert [service.warn_expiring(), service.warn_expiring()] == [1, 0]
    assert hook.wait(1)[0]["lifecycleEvent"] == "reauthorizationRequired"


def test_faults_drop_and_double_notifications(sandbox: Sandbox, graph: httpx2.Client, hook: Webhook) -> None:
    subscribe(graph, sandbox, hook)
    rules = [{"notifications": {"drop": True}, "nth": 1}, {"notifications": {"duplicate": True}, "nth": 2}]
    assert httpx2.put(f"{sandbox.url}/sandbox/faults", json={"rules": rules}).status_code == 200
    for number in range(3):
        deliver(sandbox, number)
    assert len(hook.wait(3)) == 3


def test_each_post_is_on_record_with_the_time_it_was_sent(
    sandbox: Sandbox, graph: httpx2.Client, hook: Webhook
) -> None:
    subscribe(graph, sandbox, hook)
    deliver(sandbox)
    hook.wait(1)
    assert notifications(sandbox.world).courier.idle.wait(5)
    lines = httpx2.get(f"{sandbox.url}/sandbox/notifications?since=0").text.splitlines()
    assert len(lines) == 2 and '"kind": "notification"' in lines[1] and "secret" not in lines[1]


def test_subscriptions_survive_a_restart(tmp_path: Path, hook: Webhook) -> None:
    with running_sandbox(home=tmp_path) as sandbox:
        token = sandbox.token(ADELE)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=f"{sandbox.url}/v1.0", headers=headers) as graph:
            subscribe(graph, sandbox, hook)
    with running_sandbox(home=tmp_path) as sandbox:
        deliver(sandbox)
        assert hook.wait(1)[0]["clientState"] == "secret"
        assert httpx2.get(f"{sandbox.url}/v1.0/subscriptions", headers=headers).json()["value"]
