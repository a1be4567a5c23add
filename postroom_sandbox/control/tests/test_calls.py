from __future__ import annotations

import json

import pytest

from postroom_sandbox.graph.tests.client import ADA, BOB, Graph, mail, to

KEYS = [
    "internet_message_id", "folder", "subject", "from", "to", "cc", "received", "is_read", "is_flagged", "is_draft",
    "categories", "has_attachments", "body_sha256",
]  # fmt: skip


@pytest.fixture
def graph() -> Graph:
    return Graph()


def lines(body: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in body.splitlines()]


def test_the_dump_has_the_format_of_the_interfaces_and_is_sorted(graph: Graph) -> None:
    import hashlib

    graph.deliver(number=2)
    key = graph.deliver(number=1, folder="Deals/Won")
    graph("PATCH", f"/me/messages/{key}", {"categories": ["b", "a"], "flag": {"flagStatus": "flagged"}})
    first, second = lines(graph("GET", f"/sandbox/mailboxes/{ADA}/dump").body)
    assert list(first) == KEYS
    assert (first["internet_message_id"], first["folder"]) == ("<m1@outside.example>", "Deals/Won")
    assert (first["categories"], first["is_flagged"], first["to"]) == (["a", "b"], True, [ADA])
    assert second["folder"] == "Inbox"
    content = graph.get(f"/me/messages/{key}")["body"]["content"]
    assert first["body_sha256"] == hashlib.sha256(content.encode()).hexdigest()


def test_the_dump_leaves_recoverable_items_out(graph: Graph) -> None:
    key = graph.deliver(folder="deleteditems")
    assert len(lines(graph("GET", f"/sandbox/mailboxes/{ADA}/dump").body)) == 1
    graph("DELETE", f"/me/messages/{key}")
    assert lines(graph("GET", f"/sandbox/mailboxes/{ADA}/dump").body) == []


def test_an_import_is_dated_as_written_and_tells_nobody(graph: Graph) -> None:
    heard: list[object] = []
    graph.world.on_change(heard.append)
    mbox = b"From x Fri Nov 20 10:00:00 2026\n" + mail(number=1) + b"\n>From here\n\nFrom y Sat Nov 21 11:00:00 2026\n"
    mbox += b"Subject: undated\n\nhi\n"
    answer = graph("POST", f"/sandbox/mailboxes/{ADA}/import?folder=Old/Lists", mbox)
    assert answer.json == {"imported": 2, "folder": "Old/Lists"}
    assert heard == []
    rows = graph.get("/me/messages?$select=subject,receivedDateTime,isRead,body")["value"]
    dates = {row["subject"]: row["receivedDateTime"] for row in rows}
    assert dates == {"Plan": "2026-11-20T10:00:00Z", "undated": "2026-11-21T11:00:00Z"}
    assert all(row["isRead"] for row in rows)
    assert "From here" in rows[1]["body"]["content"] and "&gt;From" not in rows[1]["body"]["content"]


def test_a_delivery_is_unread_dated_now_and_announced(graph: Graph) -> None:
    heard: list[str] = []
    graph.world.on_change(lambda change: heard.append(change.change_type))
    answer = graph("POST", f"/sandbox/mailboxes/{ADA}/deliver", mail())
    assert answer.status == 201
    row = graph.get(f"/me/messages/{answer.json['id']}")
    assert row["isRead"] is False and row["receivedDateTime"] > "2026-11-20T10:00:00Z"
    assert heard == ["created"]


def test_moves_are_announced_as_deleted_and_created_with_one_immutable_id(graph: Graph) -> None:
    key = graph.deliver()
    heard: list[tuple[str, str, str]] = []
    graph.world.on_change(lambda c: heard.append((c.change_type, c.message_default_id, c.message_immutable_id)))
    moved = graph("POST", f"/me/messages/{key}/move", {"destinationId": "archive"}).json["id"]
    assert [item[:2] for item in heard] == [("deleted", key), ("created", moved)]
    assert heard[0][2] == heard[1][2]


def test_users_are_added_once(graph: Graph) -> None:
    body = {"address": "new@contoso.example", "name": "New", "kind": "work"}
    assert graph("POST", "/sandbox/users", body).status == 201
    assert graph("POST", "/sandbox/users", body).status == 400
    assert graph("POST", "/sandbox/users", {"address": "x", "kind": "work"}).status == 400
    assert graph("POST", "/sandbox/users", {"address": "a@b.example", "kind": "robot"}).status == 400
    addresses = [user["address"] for user in graph("GET", "/sandbox/company").json["users"]]
    assert addresses == [ADA, BOB, "new@contoso.example"]


def test_what_left_is_shown_raw_and_in_order(graph: Graph) -> None:
    for subject in ("one", "two"):
        graph("POST", "/me/sendMail", {"message": {"subject": subject, "toRecipients": to("x@outside.example")}})
    graph.settle()
    sent = graph("GET", f"/sandbox/mailboxes/{ADA}/outgoing").json["value"]
    assert ["Subject: one" in sent[0]["raw"], "Subject: two" in sent[1]["raw"]] == [True, True]


def test_the_record_masks_tokens_and_goes_on_from_a_number(graph: Graph) -> None:
    graph("GET", "/me")
    graph("GET", "/me/messages")
    rows = lines(graph("GET", "/sandbox/requests?since=0").body)
    assert [row["n"] for row in rows] == [1, 2]
    assert rows[0]["mailbox"] == ADA and rows[0]["status"] == 200
    assert graph.token not in json.dumps(rows)
    assert len(lines(graph("GET", "/sandbox/requests?since=1").body)) == 1
    graph("PUT", "/sandbox/requests", {"enabled": False})
    graph("GET", "/me")
    assert len(lines(graph("GET", "/sandbox/requests").body)) == 2


def test_the_record_forgets_the_oldest_when_it_is_full(graph: Graph) -> None:
    graph.world.traffic.max_bytes = 10_000
    for _ in range(20):
        graph("GET", "/me")
    kept = lines(graph("GET", "/sandbox/requests").body)
    assert 0 < len(kept) < 20 and kept[-1]["n"] == 20


def test_limits_are_set_shown_and_restored(graph: Graph) -> None:
    path = f"/sandbox/mailboxes/{ADA}/limits"
    assert graph("PUT", path, {"concurrent": 2}).json["concurrent"] == 2
    assert graph("PUT", path, {"bogus": 2}).status == 400
    assert graph("PUT", path, {"concurrent": "many"}).status == 400
    assert graph("PUT", path, {}).json["concurrent"] == 4


def test_the_clock_moves_when_told(graph: Graph) -> None:
    before = graph("GET", "/sandbox/clock").json["now"]
    assert graph("POST", "/sandbox/clock", {"advance_seconds": 86_400}).json["now"][:10] > before[:10]
    assert graph("POST", "/sandbox/clock", {"advance_seconds": "soon"}).status == 400


def test_unknown_mailboxes_are_404_and_mailless_ones_409(graph: Graph) -> None:
    graph.user("trainee@contoso.example", kind="no-licence")
    assert graph("GET", "/sandbox/mailboxes/ghost@x.example/dump").status == 404
    assert graph("GET", "/sandbox/mailboxes/trainee@contoso.example/dump").status == 409
