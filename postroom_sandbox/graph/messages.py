"""One message: read, change, move, copy, delete (graph.md 2.5 to 2.8)."""

from __future__ import annotations

from typing import Any

from postroom_sandbox.graph.attachment_json import attachment_list
from postroom_sandbox.graph.call import READ, Call, bad_request
from postroom_sandbox.graph.compose import apply_content, read_flag
from postroom_sandbox.graph.extended import read_extended
from postroom_sandbox.graph.fields import LOCKED, check_names, text
from postroom_sandbox.graph.odata import read_options
from postroom_sandbox.graph.represent import single, view_for
from postroom_sandbox.http import Response, json_response
from postroom_sandbox.mime import build_message
from postroom_sandbox.store.model import COMPLETE, FLAGGED, OTHER, Message

MAX_TRANSLATED = 1000
_RECIPIENTS = ("toRecipients", "ccRecipients", "bccRecipients", "from", "sender")
_ANYWHERE = ("importance", "isReadReceiptRequested", "isDeliveryReceiptRequested")


def answer(call: Call, message: Message, status: int = 200) -> Response:
    """A message as the body of an answer."""
    options = read_options({key: value for key, value in call.request.query.items() if key.lower() != "$count"})
    view = view_for(call, options, basic=not call.may(READ))
    headers = [("Content-Type", "application/json;odata.metadata=minimal;charset=utf-8")]
    headers += [("ETag", call.mailbox.etag(message)), *call.prefer.applied("outlook.body-content-type")]
    return Response(status, single(call, message, view), headers)


def get_message(call: Call, message: str) -> Response:
    """GET /messages/{id}."""
    return answer(call, call.message(message))


def get_mime(call: Call, message: str) -> Response:
    """GET /messages/{id}/$value."""
    found = call.message(message)
    contents = call.mailbox.contents
    raw = contents.raw(found.content)
    if raw is None:
        raw = build_message(contents.load(found.content), with_bcc=found.is_draft)
    return Response(200, raw, [("Content-Type", "text/plain")])


def patch_message(call: Call, message: str) -> Response:
    """PATCH /messages/{id}: state on any message, content only on drafts."""
    found = call.message(message)
    call.check_version(found)
    body = call.request.json_object()
    check_names(body)
    locked = [name for name in body if name in LOCKED]
    if locked and not found.is_draft:
        names = ", ".join(locked)
        raise bad_request(f"The property cannot be set on a message that was sent: {names}.", "ErrorInvalidPropertySet")
    known = {name: body[name] for name in body if not name.startswith("@")}
    _change(call, found, known)
    call.mailbox.touch(found, read_state_only=set(known) == {"isRead"})
    return answer(call, found)


def _change(call: Call, message: Message, body: dict[str, Any]) -> None:
    flag = read_flag(body["flag"]) if "flag" in body else None
    extended = read_extended(body.get("singleValueExtendedProperties", []))
    content = {name: value for name, value in body.items() if name in LOCKED + _RECIPIENTS + _ANYWHERE}
    if content:
        apply_content(call, message, content)
    if "isRead" in body:
        call.mailbox.set_read(message, body["isRead"] is True)
    if "categories" in body:
        message.categories = tuple(dict.fromkeys(text(item, "categories") for item in body["categories"] or []))
    if "inferenceClassification" in body:
        message.set_flags(OTHER, str(body["inferenceClassification"]).lower() == "other")
    if flag is not None:
        _set_flag(message, flag)
    if extended:
        message.extra = (message.extra or {}) | {"extended": message.extended | extended}
        call.mailbox.extended[message.sequence] = message


def _set_flag(message: Message, flag: dict[str, Any]) -> None:
    message.set_flags(FLAGGED, flag["flagStatus"] == "flagged")
    message.set_flags(COMPLETE, flag["flagStatus"] == "complete")
    dates = {key: value for key, value in flag.items() if key != "flagStatus"}
    if dates or (message.extra or {}).get("flag"):
        message.extra = (message.extra or {}) | {"flag": dates}


def _destination(call: Call) -> str:
    body = {key.lower(): value for key, value in call.request.json_object().items()}
    key = body.get("destinationid")
    if not isinstance(key, str) or not key:
        raise bad_request("The parameter DestinationId is required.", "ErrorInvalidRequest")
    return key


def move_message(call: Call, message: str) -> Response:
    """POST /messages/{id}/move."""
    found = call.message(message)
    call.mailbox.move(found, call.folder(_destination(call)))
    return answer(call, found, 201)


def copy_message(call: Call, message: str) -> Response:
    """POST /messages/{id}/copy."""
    found = call.message(message)
    return answer(call, call.mailbox.copy(found, call.folder(_destination(call))), 201)


def delete_message(call: Call, message: str) -> Response:
    """DELETE /messages/{id}: to Deleted Items, and from there to the recoverable items."""
    found = call.message(message)
    call.check_version(found)
    call.mailbox.delete(found)
    return Response(204)


def purge_message(call: Call, message: str) -> Response:
    """POST /messages/{id}/permanentDelete."""
    call.mailbox.purge(call.message(message))
    return Response(204)


def list_message_attachments(call: Call, message: str) -> Response:
    """GET /messages/{id}/attachments; `$filter` is ignored, as the service does."""
    found = call.message(message)
    wanted = read_options({k: v for k, v in call.request.query.items() if k.lower() in ("$select", "select")}).select
    with_bytes = not wanted or "contentBytes" in wanted
    rows = attachment_list(call.mailbox, found, call.id_of(found), with_bytes=with_bytes)
    if wanted:
        keep = {"id", *wanted}
        rows = [{k: v for k, v in row.items() if k in keep or k.startswith("@odata.")} for row in rows]
    return json_response({"@odata.context": call.context(f"messages('{message}')/attachments"), "value": rows})


def translate_ids(call: Call) -> Response:
    """POST /translateExchangeIds."""
    body = {key.lower(): value for key, value in call.request.json_object().items()}
    given = body.get("inputids")
    source, target = str(body.get("sourceidtype", "")).lower(), str(body.get("targetidtype", "")).lower()
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise bad_request("InputIds must be a list of ids.", "ErrorInvalidRequest")
    if len(given) > MAX_TRANSLATED:
        raise bad_request(f"At most {MAX_TRANSLATED} ids can be translated at once.", "ErrorInvalidRequest")
    for kind in (source, target):
        if kind not in ("entryid", "ewsid", "immutableentryid", "restid", "restimmutableentryid"):
            raise bad_request(f"Unknown id type '{kind}'.", "ErrorInvalidRequest")
    value = [{"sourceId": item, "targetId": _translated(call, item, target)} for item in given]
    context = f"{call.base}/$metadata#Collection(microsoft.graph.convertIdResult)"
    return json_response({"@odata.context": context, "value": value})


def _translated(call: Call, identifier: str, target: str) -> str:
    rest = identifier.replace("/", "-").replace("+", "_")
    found = call.mailbox.find(rest)
    if found is None:
        return identifier
    immutable = "immutable" in target
    shown = call.mailbox.immutable_id(found) if immutable else call.mailbox.default_id(found)
    return shown if target.startswith("rest") else shown.replace("-", "/").replace("_", "+")
