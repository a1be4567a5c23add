from __future__ import annotations

from typing import Any

import pytest

from postroom_sandbox.graph.tests.client import ADA, Graph, encoded, mail

MB = 1024 * 1024
FILE = "#microsoft.graph.fileAttachment"


@pytest.fixture
def graph() -> Graph:
    return Graph()


def add(graph: Graph, draft: str, **fields: Any) -> Any:
    body = {"@odata.type": FILE, "name": "a.txt", "contentBytes": encoded(b"hello"), **fields}
    return graph("POST", f"/me/messages/{draft}/attachments", body)


def session(graph: Graph, draft: str, size: int, **fields: Any) -> Any:
    item = {"attachmentType": "file", "name": "big.bin", "size": size, **fields}
    return graph("POST", f"/me/messages/{draft}/attachments/createUploadSession", {"AttachmentItem": item})


def put(graph: Graph, url: str, data: bytes, start: int, total: int) -> Any:
    where = f"bytes {start}-{start + len(data) - 1}/{total}"
    return graph("PUT", url.partition(".test")[2], data, content_range=where, authorization="")


def test_small_files_are_added_read_and_removed(graph: Graph) -> None:
    draft = graph.draft()["id"]
    made = add(graph, draft)
    assert (made.status, made.json["size"]) == (201, 5)
    path = f"/me/messages/{draft}/attachments/{made.json['id']}"
    assert graph("GET", f"{path}/$value").body == b"hello"
    assert graph.get(path)["contentBytes"] == encoded(b"hello")
    (row,) = graph.get(f"/me/messages/{draft}/attachments?$select=name")["value"]
    assert "contentBytes" not in row
    assert graph.get(f"/me/messages/{draft}")["hasAttachments"] is True
    assert graph("DELETE", path).status == 204
    assert graph.get(f"/me/messages/{draft}")["hasAttachments"] is False
    assert graph("GET", path).status == 404


def test_inline_pictures_do_not_count_as_attachments(graph: Graph) -> None:
    draft = graph.draft(body={"contentType": "html", "content": '<img src="cid:logo">'})["id"]
    add(graph, draft, isInline=True, contentId="logo")
    assert graph.get(f"/me/messages/{draft}")["hasAttachments"] is False


def test_attachments_can_ride_in_expand_and_in_the_message(graph: Graph) -> None:
    file = {"@odata.type": FILE, "name": "a.txt", "contentBytes": encoded(b"hello")}
    draft = graph.draft(attachments=[file])["id"]
    (row,) = graph.get(f"/me/messages/{draft}?$expand=attachments")["attachments"]
    assert row["contentBytes"] == encoded(b"hello")


def test_received_mail_keeps_its_attachments(graph: Graph) -> None:
    assert add(graph, graph.deliver()).code == "ErrorInvalidPropertySet"


def test_items_are_shown_expanded_and_as_mime(graph: Graph) -> None:
    inner = mail(subject="Inside")
    raw = b'Subject: Outer\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nsee\r\n--b\r\n'
    key = graph.deliver(raw + b"Content-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--b--\r\n")
    (item,) = graph.get(f"/me/messages/{key}/attachments")["value"]
    assert (item["@odata.type"], item["name"]) == ("#microsoft.graph.itemAttachment", "Inside")
    path = f"/me/messages/{key}/attachments/{item['id']}"
    assert graph("GET", f"{path}/$value").body == inner
    assert graph.get(f"{path}?$expand=microsoft.graph.itemAttachment/item")["item"]["subject"] == "Inside"


def test_large_files_go_through_a_session_in_order(graph: Graph) -> None:
    draft = graph.draft()["id"]
    data = bytes(range(256)) * (4096 * 5)
    assert add(graph, draft, contentBytes=encoded(data)).status == 413
    made = session(graph, draft, len(data))
    assert (made.status, made.json["nextExpectedRanges"]) == (201, ["0-"])
    url = made.json["uploadUrl"]
    first = put(graph, url, data[: 2 * MB], 0, len(data))
    assert (first.status, first.json["NextExpectedRanges"]) == (200, [str(2 * MB)])
    assert put(graph, url, data[3 * MB : 4 * MB], 3 * MB, len(data)).status == 416
    assert graph.get(url.partition(".test")[2])["NextExpectedRanges"] == [str(2 * MB)]
    last = put(graph, url, data[2 * MB :], 2 * MB, len(data))
    assert (last.status, last.body) == (201, b"")
    assert "/Attachments('" in (last.header("Location") or "")
    (row,) = graph.get(f"/me/messages/{draft}/attachments")["value"]
    assert row["contentBytes"] == encoded(data)
    assert put(graph, url, b"x", 0, len(data)).status == 404


def test_sessions_refuse_small_files_big_chunks_and_wrong_ranges(graph: Graph) -> None:
    draft = graph.draft()["id"]
    assert session(graph, draft, MB).code == "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"
    assert session(graph, draft, 151 * MB).status == 413
    url = session(graph, draft, 9 * MB).json["uploadUrl"]
    assert put(graph, url, bytes(4 * MB + 1), 0, 9 * MB).status == 413
    assert put(graph, url, b"x", 0, 8 * MB).status == 400
    assert graph("PUT", url.partition(".test")[2], b"x").status == 400


def test_a_session_can_be_cancelled(graph: Graph) -> None:
    url = session(graph, graph.draft()["id"], 9 * MB).json["uploadUrl"].partition(".test")[2]
    assert graph("DELETE", url).status == 204
    assert graph("GET", url).status == 404


def test_no_large_files_into_a_shared_mailbox(graph: Graph) -> None:
    graph.user("desk@contoso.example", kind="shared", delegates=[ADA])
    base = "/users/desk@contoso.example/messages"
    draft = graph("POST", base, {"subject": "x"}).json["id"]
    item = {"AttachmentItem": {"attachmentType": "file", "name": "x", "size": 9 * MB}}
    assert graph("POST", f"{base}/{draft}/attachments/createUploadSession", item).status == 403


def test_too_much_upload_in_five_minutes_is_throttled(graph: Graph) -> None:
    graph.world.limits[graph.ada.id] = graph.world.limits_of(graph.ada).changed({"upload_bytes": 5 * MB})
    total = 9 * MB
    url = session(graph, graph.draft()["id"], total).json["uploadUrl"]
    assert put(graph, url, bytes(4 * MB), 0, total).status == 200
    refused = put(graph, url, bytes(4 * MB), 4 * MB, total)
    assert refused.status == 429 and refused.header("Retry-After")
    graph.world.clock.advance(400)
    assert put(graph, url, bytes(4 * MB), 4 * MB, total).status == 200
