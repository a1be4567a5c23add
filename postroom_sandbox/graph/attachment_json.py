"""Attachments as Graph writes them (graph.md 2.10)."""

from __future__ import annotations

import base64
from typing import Any

from postroom_sandbox.clock import iso
from postroom_sandbox.mime.message import FILE, ITEM
from postroom_sandbox.store.contents import AttachmentInfo
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.model import Message

_TYPES = {FILE: "fileAttachment", ITEM: "itemAttachment"}


def attachment_list(
    mailbox: Mailbox, message: Message, message_id: str, *, with_bytes: bool = True
) -> list[dict[str, Any]]:
    """All attachments of a message."""
    infos = mailbox.contents.attachments(message.content)
    return [attachment_json(mailbox, message, info, message_id, with_bytes=with_bytes) for info in infos]


def attachment_json(
    mailbox: Mailbox, message: Message, info: AttachmentInfo, message_id: str, *, with_bytes: bool = True
) -> dict[str, Any]:
    """One attachment; `contentBytes` only when wanted and only of files."""
    kind = _TYPES.get(info.kind, "referenceAttachment")
    value: dict[str, Any] = {
        "@odata.type": f"#microsoft.graph.{kind}",
        "@odata.mediaContentType": info.content_type,
        "id": mailbox.ids.attachment(message_id, info.number),
        "lastModifiedDateTime": iso(message.modified),
        "name": info.name,
        "contentType": None if info.kind == ITEM else info.content_type,
        "size": min(info.size, 2**31 - 1),
        "isInline": bool(info.is_inline),
    }
    if info.kind == FILE:
        value["contentId"] = info.content_id or None
        value["contentLocation"] = None
        if with_bytes:
            data = mailbox.contents.attachment_data(message.content, info.number)
            value["contentBytes"] = base64.b64encode(data).decode()
    else:
        del value["@odata.mediaContentType"]
    return value
