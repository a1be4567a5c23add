"""The truth about a mailbox, in the format of `postroom mailbox dump` (interfaces.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from postroom_sandbox.clock import iso
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.model import HAS_ATTACHMENTS, ROOT, Message

_CHUNK = 1000


def dump(mailbox: Mailbox) -> Iterator[bytes]:
    """JSON lines, sorted by `internet_message_id`, then `folder`, then the rest of the line."""
    root = mailbox.tree[ROOT]
    shown = [m for m in mailbox if m.folder.is_below(root) and not m.folder.hidden]
    rows: list[tuple[str, str, str]] = []
    for at in range(0, len(shown), _CHUNK):
        rows.extend(_rows(mailbox, shown[at : at + _CHUNK]))
    rows.sort()
    for _, _, line in rows:
        yield line.encode() + b"\n"


def _rows(mailbox: Mailbox, messages: list[Message]) -> Iterator[tuple[str, str, str]]:
    contents = {message.content for message in messages}
    summaries, checksums = mailbox.contents.summaries(contents), mailbox.contents.sha256(contents)
    for message in messages:
        said = msgspec.json.decode(b"{" + summaries[message.content] + b"}")
        row = dump_row(message, said, checksums[message.content])
        yield row["internet_message_id"], row["folder"], json.dumps(row, ensure_ascii=False)


def dump_row(message: Message, said: dict[str, Any], body_sha256: str) -> dict[str, Any]:
    """One line as a dict, keys in the order of the format."""
    author = said.get("from")
    return {
        "internet_message_id": message.internet_message_id,
        "folder": message.folder.path,
        "subject": said["subject"],
        "from": author["emailAddress"]["address"] if author else "",
        "to": [person["emailAddress"]["address"] for person in said["toRecipients"]],
        "cc": [person["emailAddress"]["address"] for person in said["ccRecipients"]],
        "received": iso(message.received),
        "is_read": message.is_read,
        "is_flagged": message.flag_status == "flagged",
        "is_draft": message.is_draft,
        "categories": sorted(message.categories),
        "has_attachments": bool(message.flags & HAS_ATTACHMENTS),
        "body_sha256": body_sha256,
    }
