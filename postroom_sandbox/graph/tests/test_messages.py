from __future__ import annotations

import json
from collections import Counter

import pytest

from postroom_sandbox.graph.represent import ON_REQUEST, PROPERTIES
from postroom_sandbox.graph.tests.client import BOB, Graph, encoded, mail, to
from postroom_sandbox.limits import Limits


@pytest.fixture
def graph() -> Graph:
    return Graph()


def test_a_move_gives_a_new_default_id_and_keeps_the_immutable_one(graph: Graph) -> None:
    old = graph.deliver()
    stable = graph.get(f"/me/messages/{old}", prefer='IdType="ImmutableId"')["id"]
    moved = graph("POST", f"/me/messages/{old}/move", {"destinationId": "archive"})
    assert moved.status == 201
    assert moved.json["id"] != old
    assert graph("GET", f"/me/messages/{old}").code == "ErrorItemNotFound"
    assert graph.get(f"/me/messages/{stable}")["id"] == moved.json["id"]
    assert graph.get(f"/me/messages/{stable}", prefer='IdType="ImmutableId"')["id"] == stable


def test_ids_are_case_sensitive_and_bound_to_their_mailbox(graph: Graph) -> None:
    known = graph.deliver()
    assert graph("GET", f"/me/messages/{known.swapcase()}").status in (400, 404)
    graph.token = graph.token_for(graph.bob)
    assert graph("GET", f"/me/messages/{known}").status == 404
    assert graph("GET", "/me/messages/nonsense").code == "ErrorInvalidIdMalformed"


def test_deleting_goes_to_deleted_items_then_to_recoverable_items_then_nowhere(graph: Graph) -> None:
    first = graph.deliver()
    stable = graph.get(f"/me/messages/{first}", prefer='IdType="ImmutableId"')["id"]
    for folder in ("deleteditems", "recoverableitemsdeletions"):
        assert graph("DELETE", f"/me/messages/{stable}").status == 204
        assert graph.get(f"/me/messages/{stable}")["parentFolderId"] == graph.get(f"/me/mailFolders/{folder}")["id"]
    assert graph.get("/me/messages")["value"] == []
    assert graph("DELETE", f"/me/messages/{stable}").status == 204
    assert graph("GET", f"/me/messages/{stable}").status == 404


def test_every_write_moves_the_change_key_and_if_match_is_honoured(graph: Graph) -> None:
    key = graph.deliver()
    before = graph.get(f"/me/messages/{key}")
    after = graph("PATCH", f"/me/messages/{key}", {"isRead": True}).json
    assert after["changeKey"] != before["changeKey"]
    stale = graph("PATCH", f"/me/messages/{key}", {"isRead": False}, if_match=before["@odata.etag"])
    assert (stale.status, stale.code) == (412, "ErrorIrresolvableConflict")
    assert graph("PATCH", f"/me/messages/{key}", {"isRead": False}, if_match=after["@odata.etag"]).status == 200


@pytest.mark.parametrize("body", [{"subject": "x"}, {"body": {"contentType": "text", "content": "x"}}, {"replyTo": []}])
def test_content_of_sent_mail_is_locked(graph: Graph, body: dict[str, object]) -> None:
    assert graph("PATCH", f"/me/messages/{graph.deliver()}", body).code == "ErrorInvalidPropertySet"


def test_state_can_be_changed_on_any_message(graph: Graph) -> None:
    key = graph.deliver()
    flag = {"flagStatus": "flagged"}
    changed = graph(
        "PATCH",
        f"/me/messages/{key}",
        {
            "isRead": True,
            "flag": flag,
            "categories": ["A", "B"],
            "importance": "High",
            "inferenceClassification": "other",
        },
    ).json
    assert (changed["isRead"], changed["flag"], changed["categories"]) == (True, flag, ["A", "B"])
    assert (changed["importance"], changed["inferenceClassification"]) == ("high", "other")
    assert graph.get("/me/mailFolders/inbox")["unreadItemCount"] == 0


def test_a_due_date_needs_a_start_date(graph: Graph) -> None:
    due = {"dateTime": "2026-12-01T00:00:00", "timeZone": "UTC"}
    key = graph.deliver()
    assert graph("PATCH", f"/me/messages/{key}", {"flag": {"flagStatus": "flagged", "dueDateTime": due}}).status == 400
    flag = {"flagStatus": "flagged", "startDateTime": due, "dueDateTime": due}
    assert graph("PATCH", f"/me/messages/{key}", {"flag": flag}).json["flag"] == flag


def test_selecting_every_property_gives_the_same_as_selecting_none(graph: Graph) -> None:
    key = graph.deliver(mail(headers="Importance: high\r\nList-Unsubscribe: <x>\r\nCc: d@outside.example\r\n"))
    names = [name for name in PROPERTIES.values() if name not in ON_REQUEST] + ["body"]
    whole = graph.get(f"/me/messages/{key}")
    picked = graph.get(f"/me/messages/{key}?$select={','.join(names)}")
    assert {k: v for k, v in picked.items() if k != "@odata.context"} == {
        k: v for k, v in whole.items() if k != "@odata.context"
    }


def test_select_always_brings_id_and_etag_and_refuses_unknown_names(graph: Graph) -> None:
    graph.deliver()
    (row,) = graph.get("/me/messages?$select=subject")["value"]
    assert set(row) == {"@odata.etag", "id", "subject"}
    assert graph("GET", "/me/messages?$select=colour").code == "RequestBroker--ParseUri"


def test_bodies_come_as_html_or_as_text_when_asked(graph: Graph) -> None:
    key = graph.deliver(body="a < b")
    assert "a &lt; b" in graph.get(f"/me/messages/{key}")["body"]["content"]
    answer = graph("GET", f"/me/messages/{key}", prefer='outlook.body-content-type="text"')
    assert answer.json["body"] == {"contentType": "text", "content": "a < b\n"}
    assert answer.header("Preference-Applied") == 'outlook.body-content-type="text"'


def test_scripts_are_stripped_unless_unsafe_html_is_allowed(graph: Graph) -> None:
    raw = b"Subject: x\r\nContent-Type: text/html\r\n\r\n<p>a</p><script>alert(1)</script>"
    key = graph.deliver(raw)
    assert "script" not in graph.get(f"/me/messages/{key}")["body"]["content"]
    unsafe = graph.get(f"/me/messages/{key}?$select=body", prefer="outlook.allow-unsafe-html")
    assert "<script>" in unsafe["body"]["content"]


def test_mime_comes_back_byte_for_byte_for_received_mail(graph: Graph) -> None:
    raw = mail(headers="X-Odd:   spaced\r\n")
    answer = graph("GET", f"/me/messages/{graph.deliver(raw)}/$value")
    assert (answer.status, answer.body, answer.header("Content-Type")) == (200, raw, "text/plain")


def test_internet_headers_only_come_when_selected(graph: Graph) -> None:
    key = graph.deliver(mail(headers="X-Thing: 7\r\n"))
    assert "internetMessageHeaders" not in graph.get(f"/me/messages/{key}")
    headers = graph.get(f"/me/messages/{key}?$select=internetMessageHeaders")["internetMessageHeaders"]
    assert {"name": "X-Thing", "value": "7"} in headers


def test_unknown_users_and_mailless_ones_are_told_apart(graph: Graph) -> None:
    graph.user("trainee@contoso.example", kind="no-licence")
    scopes = ["Mail.ReadWrite", "Mail.ReadWrite.Shared"]
    graph.token = graph.token_for(graph.ada, scopes)
    assert graph("GET", "/users/ghost@contoso.example/messages").code == "ErrorInvalidUser"
    trainee = graph.world.user_by_address("trainee@contoso.example")
    assert trainee is not None
    graph.token = graph.token_for(trainee, scopes)
    answer = graph("GET", "/me/mailFolders")
    assert (answer.status, answer.code) == (404, "MailboxNotEnabledForRESTAPI")


def test_a_shared_mailbox_needs_the_scope_and_the_right(graph: Graph) -> None:
    eve = graph.user("eve@contoso.example")
    graph.user("desk@contoso.example", kind="shared", delegates=[eve.address])
    path = "/users/desk@contoso.example/mailFolders/inbox"
    graph.token = graph.token_for(eve, ["Mail.Read", "Mail.ReadWrite"])
    assert graph("GET", path).code == "ErrorAccessDenied"
    graph.token = graph.token_for(eve, ["Mail.Read.Shared"])
    assert graph("GET", path).status == 200
    assert graph("POST", f"{path}/messages", {"subject": "x"}).code == "ErrorAccessDenied"
    graph.token = graph.token_for(graph.bob, ["Mail.ReadWrite.Shared"])
    assert graph("GET", path).code == "ErrorAccessDenied"


def test_basic_reading_shows_no_bodies_and_does_not_search(graph: Graph) -> None:
    eve = graph.user("eve@contoso.example")
    graph.deliver(to=eve)
    graph.token = graph.token_for(eve, ["Mail.ReadBasic"])
    (row,) = graph.get("/me/messages")["value"]
    assert row["subject"] == "Plan" and not {"body", "bodyPreview"} & set(row)
    assert graph("GET", '/me/messages?$search="plan"').status == 403


def test_a_missing_or_wrong_token_is_a_401_in_graphs_envelope(graph: Graph) -> None:
    answer = graph("GET", "/me", authorization="Bearer nonsense", client_request_id="my-id")
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert answer.header("client-request-id") == "my-id"
    assert answer.json["error"]["innerError"]["client-request-id"] == "my-id"
    assert answer.header("request-id")


def test_five_calls_at_once_are_one_too_many(graph: Graph) -> None:
    graph.deliver()
    answers = graph.many(*(graph.request("GET", "/me/messages") for _ in range(6)))
    assert Counter(answer.status for answer in answers) == {200: 4, 429: 2}
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.code == "ApplicationThrottled" and refused.header("Retry-After") == "1"


def test_two_mailboxes_do_not_throttle_each_other(graph: Graph) -> None:
    ours = [graph.request("GET", "/me/messages") for _ in range(4)]
    graph.token = graph.token_for(graph.bob)
    theirs = [graph.request("GET", "/me/messages") for _ in range(4)]
    assert {answer.status for answer in graph.many(*ours, *theirs)} == {200}


def test_too_many_calls_in_ten_minutes_are_refused_until_time_passes(graph: Graph) -> None:
    graph.world.limits[graph.ada.id] = Limits(requests=3)
    assert [graph("GET", "/me").status for _ in range(4)] == [200, 200, 200, 429]
    graph.world.clock.advance(700)
    assert graph("GET", "/me").status == 200


def test_batches_run_four_at_a_time_and_report_each_answer(graph: Graph) -> None:
    key = graph.deliver()
    requests = [{"id": str(n), "method": "GET", "url": f"/me/messages/{key}?$select=subject"} for n in range(19)]
    requests.append({"id": "x", "method": "GET", "url": f"/me/messages/{key}/$value"})
    answers = {item["id"]: item for item in graph("POST", "/$batch", {"requests": requests}).json["responses"]}
    assert {item["status"] for item in answers.values()} == {200}
    assert answers["0"]["body"]["subject"] == "Plan"
    assert answers["x"]["body"] == encoded(mail())


def test_batches_refuse_too_many_double_ids_and_nesting(graph: Graph) -> None:
    one = {"id": "1", "method": "GET", "url": "/me"}
    for requests in ([one] * 21, [one, one], [{**one, "url": "/$batch"}], [{**one, "dependsOn": ["9"]}], []):
        assert graph("POST", "/$batch", {"requests": requests}).status == 400


def test_a_failed_dependency_is_424(graph: Graph) -> None:
    requests = [
        {"id": "1", "method": "GET", "url": "/me/messages/nonsense"},
        {"id": "2", "method": "GET", "url": "/me", "dependsOn": ["1"]},
    ]
    assert [item["status"] for item in graph("POST", "/$batch", {"requests": requests}).json["responses"]] == [400, 424]


def test_translated_ids_lead_to_the_same_message(graph: Graph) -> None:
    key = graph.deliver()
    body = {"inputIds": [key], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}
    (found,) = graph("POST", "/me/translateExchangeIds", body).json["value"]
    assert graph.get(f"/me/messages/{found['targetId']}")["id"] == key


def test_odd_text_in_json_survives_or_is_mended(graph: Graph) -> None:
    body = json.dumps({"subject": "a\ud800b", "toRecipients": to(BOB)}).encode()
    answer = graph("POST", "/me/messages", body, content_type="application/json")
    assert answer.json["subject"] == "a\ufffdb"


@pytest.mark.parametrize(
    "path",
    [
        "/me/messages?$top=0",
        "/me/messages?$top=1001",
        "/me/messages?$skip=-1",
        "/me/messages?$filter=subject",
        "/me/messages?$filter=nothing eq 1",
        "/me/messages?$filter=toRecipients/any(r:r/emailAddress/address eq 'x')",
        "/me/messages?$orderby=subject sideways",
        "/me/messages?$expand=everything",
        "/me/messages?$bogus=1",
        "/me/messages?$search=",
    ],
)  # fmt: skip
def test_senseless_queries_are_400(graph: Graph, path: str) -> None:
    assert graph("GET", path).status == 400


def test_deep_nesting_is_refused_not_fatal(graph: Graph) -> None:
    for text in ("(" * 3000 + "isRead eq true" + ")" * 3000, "not " * 3000 + "isRead eq true"):
        assert graph("GET", f"/me/messages?$filter={text}").status == 400
    assert graph("GET", "/me/messages?$search=" + "(" * 3000).status == 400
    assert graph("POST", "/me/messages", b"[" * 200_000, content_type="application/json").status == 400


def test_wrong_methods_and_unknown_paths(graph: Graph) -> None:
    assert graph("PUT", "/me/messages").status == 405
    assert graph("GET", "/me/nonsense/here").status == 404
