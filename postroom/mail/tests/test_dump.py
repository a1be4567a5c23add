"""The dump people's scripts rely on."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from postroom.mail.dump import dump
from postroom.mail.tests.mailing import mail, mailbox, member, put, workspace

pytestmark = pytest.mark.django_db


def test_every_message_is_a_line_in_the_order_of_ids_and_folders() -> None:
    box = mailbox(member(workspace(), "adele@northwind.example"))
    early = datetime(1970, 1, 1, tzinfo=UTC)
    put(
        box,
        [
            mail("b", folder_id="deep", to=("X@a.example", "y@a.example"), categories=("Red", "Blue"), text="Grüße"),
            mail("a", received=early, is_read=True, is_draft=True, subject="日本\u2028"),
            mail("b2", internet_message_id="<b@fabrikam.example>", folder_id="bin"),
            mail("c", body=None, attachments=None),
        ],
    )
    lines = list(dump(box))
    rows = [json.loads(line) for line in lines]
    assert [(row["internet_message_id"], row["folder"]) for row in rows] == [
        ("<a@fabrikam.example>", "Inbox"),
        ("<b@fabrikam.example>", "Deleted Items"),
        ("<b@fabrikam.example>", "Inbox/Projects/2026"),
        ("<c@fabrikam.example>", "Inbox"),
    ]
    assert rows[0]["received"] == "1970-01-01T00:00:00Z" and rows[0]["is_draft"] and "日本" in lines[0]
    assert rows[2] == {
        "internet_message_id": "<b@fabrikam.example>",
        "folder": "Inbox/Projects/2026",
        "subject": "Subject b",
        "from": "ana@fabrikam.example",
        "to": ["X@a.example", "y@a.example"],
        "cc": [],
        "received": "2026-11-14T12:00:00Z",
        "is_read": False,
        "is_flagged": False,
        "is_draft": False,
        "categories": ["Blue", "Red"],
        "has_attachments": False,
        "body_sha256": sha256("Grüße".encode()).hexdigest(),
    }
    assert rows[3]["body_sha256"] == "" and all("\n" not in line for line in lines)
