import json
from datetime import UTC, datetime
from typing import Any

import pytest

from postroom.providers.contract import Address, Flag, RemoteAttachment, RemoteBody, RemoteMessage, Unusable
from postroom.providers.microsoft.decode import decode_item, decode_listing, repaired
from postroom.providers.microsoft.messages import MARKER, WireMessage, message, whole_message

# The shape of a message as Graph tells it when asked for everything we ask for (names and values are made up).
WHOLE: dict[str, Any] = {
    "@odata.etag": 'W/"CQAAABYAAAA1"',
    "id": "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A==",
    "lastModifiedDateTime": "2026-03-02T09:00:01Z",
    "changeKey": "CQAAABYAAAA1",
    "categories": ["Red category"],
    "receivedDateTime": "2026-03-02T09:00:00Z",
    "sentDateTime": "2026-03-02T08:59:58Z",
    "hasAttachments": True,
    "internetMessageId": "<a1@contoso.example>",
    "subject": "Offer 7",
    "bodyPreview": "Dear Ana",
    "importance": "high",
    "parentFolderId": "AQMkAinbox",
    "conversationId": "AAQkAconv",
    "isRead": False,
    "isDraft": False,
    "body": {"contentType": "html", "content": "<p>Dear Ana</p>"},
    "sender": {"emailAddress": {"name": "Bob", "address": "bob@contoso.example"}},
    "from": {"emailAddress": {"name": "Bob", "address": "Bob@Contoso.example"}},
    "toRecipients": [{"emailAddress": {"name": "Ana", "address": "ana@northwind.example"}}],
    "ccRecipients": [],
    "bccRecipients": [],
    "replyTo": [{"emailAddress": {"name": None, "address": "sales@contoso.example"}}],
    "flag": {"flagStatus": "flagged"},
    "internetMessageHeaders": [
        {"name": "List-Id", "value": "<news.contoso.example>"},
        {"name": "list-id", "value": "another"},
        {"name": "In-Reply-To", "value": " <q1@northwind.example> (their words)"},
        {"name": "References", "value": "<q0@northwind.example>\r\n <q1@northwind.example>"},
        {"name": "Received", "value": "from somewhere"},
    ],
    "attachments": [
        {
            "@odata.type": "#microsoft.graph.fileAttachment",
            "id": "att1",
            "name": "offer.pdf",
            "contentType": "application/pdf",
            "size": 123,
            "isInline": False,
            "contentId": "<logo>",
        },
        {"@odata.type": "#microsoft.graph.itemAttachment", "id": "att2", "name": None, "contentType": None, "size": 9},
    ],
    "singleValueExtendedProperties": [{"id": MARKER.upper(), "value": "our-mark"}],
}


def remote(**changed: Any) -> RemoteMessage:
    wire = decode_item(json.dumps({**WHOLE, **changed}).encode(), WireMessage)
    assert isinstance(wire, WireMessage)
    return message(wire)


def test_a_whole_message_in_our_words() -> None:
    assert remote() == RemoteMessage(
        id="AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A==",
        folder_id="AQMkAinbox",
        change_key="CQAAABYAAAA1",
        internet_message_id="<a1@contoso.example>",
        conversation_id="AAQkAconv",
        in_reply_to="<q1@northwind.example>",
        references=("<q0@northwind.example>", "<q1@northwind.example>"),
        subject="Offer 7",
        from_=Address("Bob@Contoso.example", "Bob"),
        sender=Address("bob@contoso.example", "Bob"),
        to=(Address("ana@northwind.example", "Ana"),),
        cc=(),
        bcc=(),
        reply_to=(Address("sales@contoso.example", ""),),
        received=datetime(2026, 3, 2, 9, tzinfo=UTC),
        sent=datetime(2026, 3, 2, 8, 59, 58, tzinfo=UTC),
        modified=datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC),
        is_read=False,
        is_draft=False,
        flag=Flag.FLAGGED,
        categories=("Red category",),
        importance="high",
        has_attachments=True,
        preview="Dear Ana",
        body=RemoteBody("html", "<p>Dear Ana</p>"),
        attachments=(
            RemoteAttachment(id="att1", name="offer.pdf", content_type="application/pdf", size=123, content_id="logo"),
            RemoteAttachment(id="att2", name="", content_type="application/octet-stream", size=9, kind="item"),
        ),
        headers={"list-id": "<news.contoso.example>"},
        marker="our-mark",
    )


def test_what_a_sparse_row_does_not_tell_is_not_told() -> None:
    wire = decode_item(b'{"@odata.type":"#microsoft.graph.message","id":"m1","isRead":true}', WireMessage)
    assert isinstance(wire, WireMessage)
    assert message(wire) == RemoteMessage(id="m1", is_read=True)


def test_of_a_whole_message_nothing_is_not_told() -> None:
    wire = decode_item(b'{"id":"m1","isDraft":true,"isRead":true,"subject":"S"}', WireMessage)
    assert isinstance(wire, WireMessage)
    draft = whole_message(wire)
    assert (draft.from_, draft.to, draft.body, draft.headers) == (Address(""), (), RemoteBody("text", ""), {})
    assert (draft.subject, draft.is_draft) == ("S", True)


@pytest.mark.parametrize("name", ["eventMessage", "eventMessageRequest", "eventMessageResponse"])
def test_a_message_about_a_meeting_is_told_by_its_type(name: str) -> None:
    assert remote(**{"@odata.type": f"#microsoft.graph.{name}"}).meeting is True
    assert remote().meeting is None


def test_null_is_told_and_empty() -> None:
    empty = remote(
        subject=None, sender=None, toRecipients=None, body=None, internetMessageHeaders=None, **{"from": None}
    )
    assert (empty.subject, empty.from_, empty.sender, empty.to) == ("", Address(""), Address(""), ())
    assert (empty.body, empty.in_reply_to, empty.references) == (RemoteBody("text", ""), "", ())


def test_the_change_key_comes_from_the_etag_when_it_is_not_told() -> None:
    assert remote(changeKey=None).change_key == "CQAAABYAAAA1"


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "2106-02-07T06:28:15Z", "0001-01-01T00:00:00Z"])
def test_dates_far_away_are_dates(text: str) -> None:
    received = remote(receivedDateTime=text).received
    assert received is not None
    assert received.tzinfo is UTC
    assert received.isoformat() == text.replace("Z", "+00:00")


def test_a_date_without_a_zone_is_utc() -> None:
    assert remote(receivedDateTime="2026-03-02T09:00:00").received == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_nul_becomes_a_replacement_for_display_but_the_body_stays_as_delivered() -> None:
    odd = remote(subject="a\0b", bodyPreview="\0", body={"contentType": "text", "content": "x\0y"})
    assert (odd.subject, odd.preview) == ("a\ufffdb", "\ufffd")
    assert odd.body == RemoteBody("text", "x\0y")


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (rb"a\ud800b", "a\ufffdb"),
        (rb"\udc00\ud800", "\ufffd\ufffd"),
        (rb"\ud83d\ude00 \ud83d", "\U0001f600 \ufffd"),
        (rb"\ud83d\n", "\ufffd\n"),
        (rb"\\ud800 \ud800", "\\ud800 \ufffd"),
        (rb"\uD800\uD83D\uDE00", "\ufffd\U0001f600"),
        (b"a\xff\xed\xa0\x80 \\ud800", "a\ufffd\ufffd\ufffd\ufffd \ufffd"),
    ],
)
def test_lone_surrogates_and_broken_bytes_never_raise_later(raw: bytes, subject: str) -> None:
    wire = decode_item(b'{"id":"m1","subject":"' + raw + b'","body":{"content":"' + raw + b'"}}', WireMessage)
    assert isinstance(wire, WireMessage)
    odd = message(wire)
    assert odd.subject == subject
    assert odd.body == RemoteBody("html", subject)
    assert odd.subject.encode()


def test_repair_leaves_good_json_alone() -> None:
    good = rb'{"a":"\\ \" \n \u00e9 \ud83d\ude00 \\ud800"}'
    assert repaired(good) == good


def test_one_bad_item_leaves_the_others_of_its_page() -> None:
    page = {
        "@odata.nextLink": "https://graph.example/next",
        "value": [
            WHOLE,
            {**WHOLE, "id": "bad", "isRead": "perhaps"},
            {**WHOLE, "receivedDateTime": "never"},
            7,
            {**WHOLE},
        ],
    }
    listing = decode_listing(json.dumps(page).encode(), WireMessage)
    assert [type(one) for one in listing.value] == [WireMessage, Unusable, Unusable, Unusable, WireMessage]
    bad = listing.value[1]
    assert isinstance(bad, Unusable)
    assert bad.id == "bad"
    assert "isRead" in bad.reason
    assert listing.next_link == "https://graph.example/next"


def test_ten_thousand_recipients_and_a_bomb_of_headers_are_read() -> None:
    people = [{"emailAddress": {"name": f"P{n}", "address": f"p{n}@x.example"}} for n in range(10_000)]
    headers = [{"name": "References", "value": " ".join(f"<{n}@x>" for n in range(10_000))}]
    big = remote(toRecipients=people, internetMessageHeaders=headers)
    assert len(big.to or ()) == len(big.references or ()) == 10_000


def test_the_values_of_recipients_may_be_missing_in_every_way() -> None:
    odd = remote(toRecipients=[{}, {"emailAddress": None}, {"emailAddress": {}}, {"emailAddress": {"name": "Only"}}])
    assert odd.to == (Address("", "Only"),)
