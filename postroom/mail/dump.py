"""What Postroom believes about a mailbox, in the format people's scripts rely on (interfaces.md)."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from postroom.mail.folders import paths
from postroom.mail.models import Message
from postroom.mailboxes.models import Mailbox

_COLUMNS = (
    *("folder_id", "internet_message_id", "subject", "from_address", "to", "cc", "received", "is_read", "flag"),
    *("is_draft", "categories", "has_attachments", "body__sha256"),
)


def dump(mailbox: Mailbox) -> Iterator[str]:
    """JSON lines without line ends, sorted by ``internet_message_id``, then ``folder``, then the rest of the line.

    Messages of hidden folders are left out: no mail program shows them. ``body_sha256`` is empty while a body is
    still to be pulled.
    """
    folders = paths(mailbox)
    rows = Message.objects.filter(mailbox=mailbox, folder_id__in=list(folders)).order_by()
    lines = []
    for row in rows.values(*_COLUMNS).iterator(chunk_size=2000):
        line = _line(row, folders[row["folder_id"]])
        lines.append((line["internet_message_id"], line["folder"], json.dumps(line, ensure_ascii=False)))
    lines.sort()
    for _, _, text in lines:
        yield text


def _line(row: Mapping[str, Any], folder: str) -> dict[str, Any]:
    sha256 = row["body__sha256"]
    return {
        "internet_message_id": row["internet_message_id"],
        "folder": folder,
        "subject": row["subject"],
        "from": row["from_address"],
        "to": [address for _, address in row["to"]],
        "cc": [address for _, address in row["cc"]],
        "received": _stamp(row["received"]),
        "is_read": row["is_read"],
        "is_flagged": row["flag"] == "flagged",
        "is_draft": row["is_draft"],
        "categories": sorted(row["categories"]),
        "has_attachments": row["has_attachments"],
        "body_sha256": bytes(sha256).hex() if sha256 is not None else "",
    }


def _stamp(moment: datetime) -> str:
    at = moment.astimezone(UTC)
    return f"{at.year:04}-{at:%m-%dT%H:%M:%S}Z"
