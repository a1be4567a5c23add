from __future__ import annotations

from typing import Any

import pytest

from postroom_sandbox.graph.tests.client import ADA, BOB, QUIET, Graph, encoded, mail, to
from postroom_sandbox.limits import Limits
from postroom_sandbox.mime import parse_message

MARK = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Marker"


@pytest.fixture
def graph() -> Graph:
    return Graph()


def inbox_of(graph: Graph, token_user: Any) -> list[dict[str, Any]]:
    token, graph.token = graph.token, graph.token_for(token_user)
    rows: list[dict[str, Any]] = graph.get("/me/mailFolders/inbox/messages?$top=50")["value"]
    graph.token = token
    return rows


def test_a_draft_leaves_drafts_only_after_a_while(graph: Graph) -> None:
    graph.world.limits[graph.ada.id] = Limits(send_delay_ms=5_000)
    draft = graph.draft(toRecipients=to(BOB))
    assert graph("POST", f"/me/messages/{draft['id']}/send").status == 202
    assert graph.get(f"/me/messages/{draft['id']}")["isDraft"] is True
    assert graph("POST", f"/me/messages/{draft['id']}/send").status == 404
    graph.settle()
    assert graph("GET", f"/me/messages/{draft['id']}").status == 404
    (sent,) = graph.get("/me/mailFolders/sentitems/messages")["value"]
    assert sent["internetMessageId"] == draft["internetMessageId"] and not sent["isDraft"]
    assert sent["conversationId"] == draft["conversationId"]


@pytest.mark.parametrize("changes", [False, True])
def test_the_immutable_id_of_a_draft_may_or_may_not_survive_sending(graph: Graph, changes: bool) -> None:
    graph.world.limits[graph.ada.id] = QUIET.changed({"sent_id_changes": changes})
    prefer = {"prefer": 'IdType="ImmutableId"'}
    key = graph("POST", "/me/messages", {"toRecipients": to(BOB)}, **prefer).json["id"]
    graph("POST", f"/me/messages/{key}/send")
    graph.settle()
    assert graph("GET", f"/me/messages/{key}", **prefer).status == (404 if changes else 200)


def test_the_default_id_of_the_sent_copy_may_change_once_more(graph: Graph) -> None:
    graph.world.limits[graph.ada.id] = QUIET.changed({"sent_copy_moves": True, "send_delay_ms": 1000})
    graph("POST", "/me/sendMail", {"message": {"toRecipients": to(BOB)}})
    graph.settle()
    prefer = {"prefer": 'IdType="ImmutableId"'}
    ids = [graph.get("/me/mailFolders/sentitems/messages", **more)["value"][0]["id"] for more in ({}, prefer)]
    graph.settle()
    assert graph("GET", f"/me/messages/{ids[0]}").status == 404
    assert graph.get(f"/me/messages/{ids[1]}", **prefer)["id"] == ids[1]
    assert len(inbox_of(graph, graph.bob)) == 1


def test_an_answer_is_one_conversation_on_both_sides(graph: Graph) -> None:
    graph("POST", "/me/sendMail", {"message": {"subject": "Offer", "toRecipients": to(BOB)}})
    graph.settle()
    (received,) = inbox_of(graph, graph.bob)
    graph.token = graph.token_for(graph.bob)
    reply = graph("POST", f"/me/messages/{received['id']}/createReply", {}).json
    assert reply["subject"] == "RE: Offer" and reply["conversationId"] == received["conversationId"]
    graph("POST", f"/me/messages/{reply['id']}/send")
    graph.settle()
    graph.token = graph.token_for(graph.ada)
    rows = graph.get("/me/messages")["value"]
    assert len(rows) == 2 and len({row["conversationId"] for row in rows}) == 1
    indexes = sorted((row["conversationIndex"] for row in rows), key=len)
    assert indexes[1].startswith(indexes[0][:28]) and len(indexes[1]) > len(indexes[0])
    raw = graph("GET", f"/me/mailFolders/inbox/messages/{rows[0]['id']}/$value").body
    assert b"In-Reply-To: " + received["internetMessageId"].encode() in raw


def test_sendmail_answers_nothing_and_may_leave_no_copy(graph: Graph) -> None:
    body = {"message": {"subject": "x", "toRecipients": to(BOB)}, "saveToSentItems": False}
    answer = graph("POST", "/me/sendMail", body)
    assert (answer.status, answer.body) == (202, b"")
    graph.settle()
    assert graph.get("/me/messages")["value"] == []
    assert [row["subject"] for row in inbox_of(graph, graph.bob)] == ["x"]


def test_unknown_colleagues_come_back_as_reports_and_outsiders_are_recorded(graph: Graph) -> None:
    people = to("ghost@contoso.example", "someone@outside.example")
    graph("POST", "/me/sendMail", {"message": {"subject": "Hi", "toRecipients": people}})
    graph.settle()
    (report,) = inbox_of(graph, graph.ada)
    assert report["subject"] == "Undeliverable: Hi"
    sent = graph.get("/me/mailFolders/sentitems/messages")["value"][0]
    assert report["conversationId"] == sent["conversationId"]
    ((_, _, recipients, raw),) = graph.world.transport.outgoing(graph.ada)
    assert recipients == ["ghost@contoso.example", "someone@outside.example"]
    assert parse_message(raw).subject == "Hi"


def test_blind_copies_stay_blind(graph: Graph) -> None:
    graph("POST", "/me/sendMail", {"message": {"toRecipients": to("x@outside.example"), "bccRecipients": to(BOB)}})
    graph.settle()
    (received,) = inbox_of(graph, graph.bob)
    assert received["bccRecipients"] == []
    (sent,) = graph.get("/me/mailFolders/sentitems/messages")["value"]
    assert [person["emailAddress"]["address"] for person in sent["bccRecipients"]] == [BOB]


def test_what_cannot_be_sent_is_refused_at_once(graph: Graph) -> None:
    assert graph("POST", "/me/sendMail", {"message": {"subject": "x"}}).code == "ErrorInvalidRecipients"
    many = to(*(f"p{number}@outside.example" for number in range(501)))
    assert graph("POST", "/me/sendMail", {"message": {"toRecipients": many}}).code == "ErrorExceededMaxRecipientLimit"
    key = graph.deliver()
    assert graph("POST", f"/me/messages/{key}/send").status == 404


def test_sending_as_another_needs_the_right(graph: Graph) -> None:
    desk = graph.user("desk@contoso.example", kind="shared", delegates=[ADA], send_as=[], send_on_behalf=[ADA])
    message = {"subject": "x", "toRecipients": to(BOB), "from": to(desk.address)[0]}
    assert graph("POST", "/me/sendMail", {"message": message}).status == 202
    graph.settle()
    (received,) = inbox_of(graph, graph.bob)
    assert received["from"]["emailAddress"]["address"] == desk.address
    assert received["sender"]["emailAddress"]["address"] == ADA
    message["from"] = to(BOB)[0]
    assert graph("POST", "/me/sendMail", {"message": message}).code == "ErrorSendAsDenied"


@pytest.mark.parametrize(("allowed", "seen"), [("yes", "ada.l@contoso.example"), ("no", ADA)])
def test_an_alias_goes_out_only_where_the_tenant_sends_from_aliases(graph: Graph, allowed: str, seen: str) -> None:
    graph.ada.aliases.append("ada.l@contoso.example")
    graph.ada.details["sendFromAlias"] = allowed
    draft = graph.draft(subject="x", toRecipients=to(BOB), **{"from": to("ada.l@contoso.example")[0]})
    assert graph("POST", f"/me/messages/{draft['id']}/send").status == 202
    graph.settle()
    (received,) = inbox_of(graph, graph.bob)
    (sent,) = graph.get("/me/mailFolders/sentitems/messages")["value"]
    for one in (received, sent):
        assert one["from"]["emailAddress"]["address"] == one["sender"]["emailAddress"]["address"] == seen


def test_replies_honour_reply_to_and_reply_all_leaves_oneself_out(graph: Graph) -> None:
    key = graph.deliver(mail(headers=f"Reply-To: list@outside.example\r\nCc: {ADA}, d@outside.example\r\n"))
    reply = graph("POST", f"/me/messages/{key}/createReply", {}).json
    assert [person["emailAddress"]["address"] for person in reply["toRecipients"]] == ["list@outside.example"]
    everyone = graph("POST", f"/me/messages/{key}/createReplyAll").json
    assert [person["emailAddress"]["address"] for person in everyone["ccRecipients"]] == ["d@outside.example"]


def test_a_comment_is_lost_in_drafts_but_not_in_direct_replies(graph: Graph) -> None:
    key = graph.deliver()
    draft = graph("POST", f"/me/messages/{key}/createReply", {"comment": "Agreed!"}).json
    assert "Agreed!" not in draft["body"]["content"]
    assert graph("POST", f"/me/messages/{key}/reply", {"comment": "Agreed!"}).status == 202
    graph.settle()
    assert "Agreed!" in graph.get("/me/mailFolders/sentitems/messages")["value"][0]["body"]["content"]


def test_comment_and_body_or_double_recipients_are_refused(graph: Graph) -> None:
    key = graph.deliver()
    body = {"comment": "a", "message": {"body": {"contentType": "text", "content": "b"}}}
    assert graph("POST", f"/me/messages/{key}/createReply", body).status == 400
    both = {"toRecipients": to(BOB), "message": {"toRecipients": to(BOB)}}
    assert graph("POST", f"/me/messages/{key}/createForward", both).status == 400


def test_forwards_carry_the_attachments_along(graph: Graph) -> None:
    raw = mail(headers='MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n', body=(
        "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n1,2\r\n--b--"
    ))  # fmt: skip
    forward = graph("POST", f"/me/messages/{graph.deliver(raw)}/createForward", {"toRecipients": to(BOB)}).json
    assert forward["subject"] == "FW: Plan" and forward["hasAttachments"] is True
    (file,) = graph.get(f"/me/messages/{forward['id']}/attachments")["value"]
    assert (file["name"], file["contentBytes"]) == ("a.csv", encoded(b"1,2"))


def test_only_x_headers_and_only_five(graph: Graph) -> None:
    def headers(*names: str) -> list[dict[str, str]]:
        return [{"name": name, "value": "1"} for name in names]

    refused = graph("POST", "/me/messages", {"internetMessageHeaders": headers("In-Reply-To")})
    assert refused.code == "InvalidInternetMessageHeader"
    six = headers(*(f"x-{number}" for number in range(6)))
    assert (
        graph("POST", "/me/messages", {"internetMessageHeaders": six}).code == "InvalidInternetMessageHeaderCollection"
    )
    draft = graph.draft(internetMessageHeaders=headers("x-mark"), toRecipients=to(BOB))
    graph("POST", f"/me/messages/{draft['id']}/send")
    graph.settle()
    (received,) = inbox_of(graph, graph.bob)
    graph.token = graph.token_for(graph.bob)
    shown = graph.get(f"/me/messages/{received['id']}?$select=internetMessageHeaders")["internetMessageHeaders"]
    assert {"name": "x-mark", "value": "1"} in shown


def test_an_extended_property_finds_the_sent_copy(graph: Graph) -> None:
    draft = graph.draft(toRecipients=to(BOB), singleValueExtendedProperties=[{"id": MARK, "value": "Job-7"}])
    graph("POST", f"/me/messages/{draft['id']}/send")
    graph.settle()
    query = f"singleValueExtendedProperties/Any(ep: ep/id eq '{MARK}' and ep/value eq 'job-7')"
    expand = f"$expand=singleValueExtendedProperties($filter=id eq '{MARK}')"
    (row,) = graph.get(f"/me/messages?$filter={query}&{expand}")["value"]
    assert row["isDraft"] is False
    assert row["singleValueExtendedProperties"] == [{"id": MARK, "value": "Job-7"}]
    other = query.replace("Marker", "marker")
    assert graph.get(f"/me/messages?$filter={other}")["value"] == []


def test_a_received_looking_message_can_be_made_with_mapi_flags(graph: Graph) -> None:
    properties = [
        {"id": "Integer 0x0E07", "value": "1"},
        {"id": "SystemTime 0x0E06", "value": "2001-02-03T04:05:06Z"},
    ]  # fmt: skip
    made = graph.draft(singleValueExtendedProperties=properties)
    assert made["isDraft"] is False and made["receivedDateTime"] == "2001-02-03T04:05:06Z"


def test_mime_makes_drafts_and_mail_and_its_from_is_ignored(graph: Graph) -> None:
    raw = mail(sender="evil@outside.example").replace(b"To: " + ADA.encode(), b"To: " + BOB.encode())
    made = graph("POST", "/me/messages", encoded(raw).encode(), content_type="text/plain")
    assert made.status == 201 and made.json["from"]["emailAddress"]["address"] == ADA
    assert graph("POST", "/me/sendMail", encoded(raw).encode(), content_type="text/plain").status == 202
    graph.settle()
    assert [row["subject"] for row in inbox_of(graph, graph.bob)] == ["Plan"]
    bad = graph("POST", "/me/messages", b"*not base64*", content_type="text/plain")
    assert bad.code == "ErrorMimeContentInvalidBase64String"


def test_unknown_and_read_only_properties(graph: Graph) -> None:
    assert graph("POST", "/me/messages", {"colour": "red"}).code == "RequestBodyRead"
    assert graph.draft(id="mine", bodyPreview="mine")["bodyPreview"] == ""
    for wrong in ({"toRecipients": "x"}, {"body": 7}, {"subject": 7}, {"importance": "extreme"}):
        assert graph("POST", "/me/messages", wrong).status == 400


def test_a_draft_can_be_rewritten_and_its_message_id_set(graph: Graph) -> None:
    draft = graph.draft()
    body = {"contentType": "text", "content": "a < b"}
    changed = graph(
        "PATCH", f"/me/messages/{draft['id']}", {"body": body, "internetMessageId": "<own@x>", "subject": "S"}
    )
    assert changed.json["internetMessageId"] == "<own@x>" and changed.json["bodyPreview"] == "a < b"
    assert graph.get("/me/messages?$filter=internetMessageId eq '<own@x>'")["value"][0]["subject"] == "S"


def test_submissions_survive_a_restart(tmp_path: Any) -> None:
    from postroom_sandbox.world import World

    world = World(tmp_path)
    with world.operation():
        ada = world.users.add(ADA, "Ada")
        mailbox = world.mailbox(ada)
        content, origin = mailbox.contents.add(parse_message(b"To: someone@outside.example\r\nSubject: x\r\n\r\ny"))
        world.transport.submit(mailbox, mailbox.add(content, origin, mailbox.tree["drafts"], received=1, flags=2))
    world.db.commit()
    again = World(tmp_path)
    again.clock.advance(10)
    assert again.transport.run_due() == 1
    found = again.user_by_address(ADA)
    assert found is not None and len(again.mailbox(found).tree["sentitems"].messages) == 1
