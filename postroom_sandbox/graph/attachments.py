"""Attachments below the upload limit: read, add, remove (graph.md 2.10)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from postroom_sandbox.graph import fields
from postroom_sandbox.graph.attachment_json import attachment_json
from postroom_sandbox.graph.call import Call, bad_request, missing
from postroom_sandbox.http import ApiError, Response, json_response
from postroom_sandbox.mime import Attachment, Parsed, build_message, parse_message
from postroom_sandbox.mime.message import FILE, ITEM, REFERENCE
from postroom_sandbox.store.contents import AttachmentInfo
from postroom_sandbox.store.model import HAS_ATTACHMENTS, Message

LARGE = 3 * 1024 * 1024  # from here on an upload session is needed
_KINDS = {"fileattachment": FILE, "itemattachment": ITEM, "referenceattachment": REFERENCE}


def read_attachment(value: Any) -> Attachment:
    """An attachment of a request body. Raises `ApiError` 400."""
    if not isinstance(value, dict):
        raise fields.unreadable("'attachments' must be a collection of attachments.")
    kind = _KINDS.get(str(value.get("@odata.type", "#microsoft.graph.fileAttachment")).rpartition(".")[2].lower())
    name = fields.text(value.get("name"), "name")
    if kind is None:
        raise bad_request("The attachment type is not supported.", "ErrorInvalidRequest")
    if kind == ITEM:
        return _item(value, name)
    content = _bytes(value.get("contentBytes")) if kind == FILE else b""
    content_type = fields.text(value.get("contentType"), "contentType") or "application/octet-stream"
    content_id = fields.text(value.get("contentId"), "contentId")
    return Attachment(name, content_type, content, value.get("isInline") is True, content_id, kind)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise bad_request("The property ContentBytes is required.", "ErrorRequiredPropertyMissing")
    try:
        return base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise fields.unreadable("Cannot convert the value of 'contentBytes' to 'Edm.Binary'.") from None


def _item(value: dict[str, Any], name: str) -> Attachment:
    item = value.get("item") or {}
    if not isinstance(item, dict):
        raise fields.unreadable("'item' must be an Outlook item.")
    from postroom_sandbox.graph.compose import fill

    inner = Parsed(internet_message_id="<attached@item.invalid>", sent=0)
    fill(inner, item)
    return Attachment(name or inner.subject, "message/rfc822", build_message(inner), kind=ITEM)


def _found(call: Call, message: str, attachment: str) -> tuple[Message, AttachmentInfo]:
    found = call.message(message)
    mailbox = call.mailbox
    for shown in (mailbox.default_id(found), mailbox.immutable_id(found)):
        number = mailbox.ids.attachment_of(shown, attachment)
        if number is not None:
            for info in mailbox.contents.attachments(found.content):
                if info.number == number:
                    return found, info
    raise missing(attachment)


def get_attachment(call: Call, message: str, attachment: str) -> Response:
    """GET /messages/{id}/attachments/{id}, with `$expand=microsoft.graph.itemAttachment/item`."""
    found, info = _found(call, message, attachment)
    value = attachment_json(call.mailbox, found, info, call.id_of(found))
    if info.kind == ITEM and "itemattachment/item" in call.request.query.get("$expand", "").lower():
        value["item"] = _item_json(call.mailbox.contents.attachment_data(found.content, info.number))
    context = call.context(f"messages('{message}')/attachments/$entity")
    return json_response({"@odata.context": context} | value)


def _item_json(raw: bytes) -> dict[str, Any]:
    from postroom_sandbox.store.contents import recipient

    inner = parse_message(raw)
    value: dict[str, Any] = {
        "@odata.type": "#microsoft.graph.message",
        "id": "",
        "subject": inner.subject,
        "internetMessageId": inner.internet_message_id,
        "hasAttachments": inner.has_attachments,
        "body": {"contentType": "html", "content": inner.html},
        "toRecipients": [recipient(person) for person in inner.to],
        "ccRecipients": [recipient(person) for person in inner.cc],
    }
    return value | ({"from": recipient(inner.from_)} if inner.from_ else {})


def get_attachment_bytes(call: Call, message: str, attachment: str) -> Response:
    """GET /messages/{id}/attachments/{id}/$value: the file, or the MIME of an item."""
    found, info = _found(call, message, attachment)
    if info.kind == REFERENCE:
        raise ApiError(405, "ErrorInvalidRequest", "A reference attachment has no content.")
    data = call.mailbox.contents.attachment_data(found.content, info.number)
    kind = "text/plain" if info.kind == ITEM else info.content_type or "application/octet-stream"
    safe = "".join(c for c in kind if " " <= c <= "~") or "application/octet-stream"
    return Response(200, data, [("Content-Type", safe)])


def add_attachment(call: Call, message: str) -> Response:
    """POST /messages/{id}/attachments: below 3 MB, on drafts."""
    found = editable(call, message)
    item = read_attachment(call.request.json_object())
    if len(item.content) >= LARGE:
        text = "The attachment exceeds the maximum size for a single request; use an upload session."
        raise ApiError(413, "ErrorMessageSizeExceeded", text)
    info = attach(call, found, item)
    value = attachment_json(call.mailbox, found, info, call.id_of(found))
    context = call.context(f"messages('{message}')/attachments/$entity")
    return json_response({"@odata.context": context} | value, 201)


def delete_attachment(call: Call, message: str, attachment: str) -> Response:
    """DELETE /messages/{id}/attachments/{id}."""
    found, info = _found(call, message, attachment)
    editable(call, message)
    call.mailbox.contents.detach(found.content, info.number)
    _refresh(call, found)
    return Response(204)


def editable(call: Call, message: str) -> Message:
    """A draft that may be changed. Raises `ApiError` 400 for sent mail."""
    found = call.message(message)
    call.check_version(found)
    if not found.is_draft:
        raise bad_request("Attachments of a message that was sent cannot be changed.", "ErrorInvalidPropertySet")
    return found


def attach(call: Call, message: Message, item: Attachment) -> AttachmentInfo:
    """Adds an attachment to a draft; its change key moves."""
    number = call.mailbox.contents.attach(message.content, item)
    _refresh(call, message)
    return next(info for info in call.mailbox.contents.attachments(message.content) if info.number == number)


def _refresh(call: Call, message: Message) -> None:
    infos = call.mailbox.contents.attachments(message.content)
    message.set_flags(HAS_ATTACHMENTS, any(not info.is_inline for info in infos))
    call.mailbox.touch(message)
