"""Writing messages: drafts from JSON or MIME, answers, forwards (graph.md 2.8, 2.9)."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from postroom_sandbox.clock import parse_iso, seconds_of
from postroom_sandbox.graph import fields
from postroom_sandbox.graph.attachments import read_attachment
from postroom_sandbox.graph.call import Call, bad_request
from postroom_sandbox.graph.extended import DELIVERED, read_extended, wants_draft
from postroom_sandbox.mime import Address, Parsed, headers_of, parse_message
from postroom_sandbox.store.conversations import child_index
from postroom_sandbox.store.model import DRAFT, DRAFTS, FLAGGED, READ, Folder, Message
from postroom_sandbox.text import preview, preview_of_html, text_to_html

REPLY, REPLY_ALL, FORWARD = "reply", "replyAll", "forward"
_PREFIX = {REPLY: "RE: ", REPLY_ALL: "RE: ", FORWARD: "FW: "}
_PEOPLE = {"toRecipients": "to", "ccRecipients": "cc", "bccRecipients": "bcc", "replyTo": "reply_to"}
_FLAG_WORDS = ("notFlagged", "flagged", "complete")


def blank(call: Call) -> Parsed:
    """An empty message from the addressed mailbox's owner, with a Message-ID of its own."""
    owner: Address = (call.user.name, call.user.address)
    tick = call.mailbox.next_tick()
    domain = call.user.address.rpartition("@")[2]
    mark = base64.b32encode(call.mailbox.ids.conversation_guid(tick)).decode().rstrip("=")
    return Parsed(from_=owner, sender=owner, internet_message_id=f"<{mark}@mail.{domain}>", sent=call.mailbox.now())


def is_mime(call: Call) -> bool:
    """Whether the request carries MIME instead of JSON."""
    return call.request.headers.get("content-type", "").split(";")[0].strip().lower() == "text/plain"


def from_mime(call: Call) -> Parsed:
    """The base64 MIME of a request as a draft; its From is ignored (trap 54). Raises `ApiError` 400."""
    try:
        raw = base64.b64decode(b"".join(call.request.body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise bad_request("Invalid base64 string for MIME content.", "ErrorMimeContentInvalidBase64String") from None
    parsed, own = parse_message(raw), blank(call)
    parsed.from_, parsed.sender, parsed.sent = own.from_, own.sender, own.sent
    if parsed.internet_message_id.endswith("@missing-id.invalid>"):
        parsed.internet_message_id = own.internet_message_id
    parsed.headers = [(name, value) for name, value in headers_of(raw) if name.lower().startswith("x-")]
    return parsed


def from_json(call: Call, body: dict[str, Any]) -> Parsed:
    """A message resource as a draft."""
    fields.check_names(body)
    parsed = blank(call)
    fill(parsed, body)
    if "internetMessageHeaders" in body:
        parsed.headers = fields.internet_headers(body["internetMessageHeaders"])
    parsed.attachments = [read_attachment(item) for item in body.get("attachments") or []]
    extended = read_extended(body.get("singleValueExtendedProperties", []))
    parsed.references = " ".join(
        extended[key] for key in ("String 0x1039", "String 0x1042") if key in extended
    ).split()  # fmt: skip
    return parsed


def fill(parsed: Parsed, body: dict[str, Any]) -> None:
    """Sets on `parsed` what `body` (a message resource) says about the content."""
    if "subject" in body:
        parsed.subject = fields.text(body["subject"], "subject")
    if body.get("body") is not None:
        set_body(parsed, *fields.body_of(body["body"]))
    for name, field in _PEOPLE.items():
        if name in body:
            setattr(parsed, field, fields.people(body[name], name))
    for name in ("from", "sender"):
        if body.get(name) is not None:
            who = fields.person(body[name], name)
            parsed.from_, parsed.sender = (who, parsed.sender) if name == "from" else (parsed.from_, who)
    if body.get("importance") is not None:
        parsed.importance = fields.one_of(body["importance"], "importance", fields.IMPORTANCE)
    if body.get("internetMessageId"):
        parsed.internet_message_id = fields.text(body["internetMessageId"], "internetMessageId")
    if body.get("isReadReceiptRequested") is not None:
        parsed.read_receipt = body["isReadReceiptRequested"] is True


def set_body(parsed: Parsed, kind: str, content: str) -> None:
    """Sets the body and its preview; text is shown to HTML clients converted."""
    if kind == "html":
        parsed.html, parsed.text, parsed.body_preview = content, None, preview_of_html(content)
    else:
        parsed.html, parsed.text, parsed.body_preview = text_to_html(content), content, preview(content)


def apply_content(call: Call, message: Message, body: dict[str, Any]) -> None:
    """Changes the content of an existing message: a draft's in place, another's as a copy of its own."""
    contents = call.mailbox.contents
    if message.is_draft:
        parsed = contents.load(message.content, attachments=False)
        fill(parsed, body)
        contents.replace(message.content, parsed)
        if parsed.internet_message_id != message.internet_message_id:
            call.mailbox.set_message_id(message, parsed.internet_message_id)
        return
    changes: dict[str, Any] = {}
    for name, value in body.items():
        if name == "importance":
            changes[name] = fields.one_of(value, name, fields.IMPORTANCE)
        elif name in ("from", "sender"):
            changes[name] = _box(fields.person(value, name))
        elif name.endswith("Recipients"):
            changes[name] = [_box(person) for person in fields.people(value, name)]
        else:
            changes[name] = value is True
    message.content = contents.amended(message.content, changes)


def _box(person: Address | None) -> dict[str, Any] | None:
    return {"emailAddress": {"name": person[0], "address": person[1]}} if person else None


def read_flag(value: Any) -> dict[str, Any]:
    """A followupFlag, checked. Raises `ApiError` 400."""
    if not isinstance(value, dict):
        raise fields.unreadable("'flag' must be a followupFlag.")
    flag = {"flagStatus": fields.one_of(value.get("flagStatus", "notFlagged"), "flagStatus", _FLAG_WORDS)}
    flag |= {name: value[name] for name in ("startDateTime", "dueDateTime", "completedDateTime") if value.get(name)}
    if "dueDateTime" in flag and "startDateTime" not in flag:
        raise bad_request("A due date needs a start date.", "ErrorInvalidRequest")
    return flag


def save_new(call: Call, parsed: Parsed, body: dict[str, Any], folder: Folder | None = None) -> Message:
    """Files a new message, a draft unless its MAPI flags say otherwise."""
    mailbox = call.mailbox
    extended = read_extended(body.get("singleValueExtendedProperties", []))
    draft = wants_draft(extended)
    flags = DRAFT if draft is not False else 0
    flags |= READ if body.get("isRead", True) is not False else 0
    flag = read_flag(body["flag"]) if body.get("flag") else {}
    flags |= FLAGGED if flag.get("flagStatus") == "flagged" else 0
    categories = tuple(fields.text(item, "categories") for item in body.get("categories") or [])
    content, origin = mailbox.contents.add(parsed)
    return mailbox.add(
        content,
        origin,
        folder or mailbox.tree[DRAFTS],
        received=_delivered(extended) or mailbox.now(),
        flags=flags,
        categories=categories,
        extra={"extended": extended} if extended else None,
    )


def _delivered(extended: dict[str, str]) -> int | None:
    try:
        return seconds_of(parse_iso(extended[DELIVERED]))
    except (KeyError, ValueError):
        return None


# -- answering


def answer_draft(call: Call, original: Message, kind: str, *, with_comment: bool) -> tuple[Parsed, dict[str, Any]]:
    """The message that answers or forwards `original`, from the request's `comment`, `message` or MIME.

    A create* call loses `comment` (trap 55); a direct reply keeps it.
    """
    said = call.mailbox.contents.load(original.content, attachments=kind == FORWARD)
    if is_mime(call):
        parsed = from_mime(call)
        _thread(parsed, said, original, call)
        return parsed, {}
    body = {key.lower(): value for key, value in call.request.json_object().items()}
    comment, message = body.get("comment") or "", body.get("message") or {}
    if not isinstance(message, dict) or not isinstance(comment, str):
        raise fields.unreadable("'message' must be a message and 'comment' a string.")
    if comment and message.get("body"):
        raise bad_request("Specify either the comment or the body property of the message.", "ErrorInvalidRequest")
    if body.get("torecipients") and message.get("toRecipients"):
        raise bad_request("Specify toRecipients either as parameter or in the message.", "ErrorInvalidRequest")
    parsed = _addressed(call, said, kind)
    quoted = _quote(said, comment if with_comment else "")
    set_body(parsed, "html", quoted)
    changed = from_json(call, message)
    _merge(parsed, changed, message)
    if body.get("torecipients"):
        parsed.to = fields.people(body["torecipients"], "toRecipients")
    if kind == FORWARD:
        parsed.attachments = said.attachments + parsed.attachments
    _thread(parsed, said, original, call)
    return parsed, message


def _addressed(call: Call, said: Parsed, kind: str) -> Parsed:
    parsed = blank(call)
    bare = said.subject.strip()
    parsed.subject = bare if bare[:4].upper() == _PREFIX[kind] else f"{_PREFIX[kind]}{bare}"
    if kind == FORWARD:
        return parsed
    own = {address.lower() for address in call.user.addresses}
    author = said.reply_to or ([said.from_] if said.from_ else [])
    if author and author[0][1].lower() in own and not said.reply_to:
        author = said.to or author
    parsed.to = list(author)
    if kind == REPLY_ALL:
        taken = own | {address.lower() for _, address in parsed.to}
        parsed.to += [person for person in said.to if person[1].lower() not in taken]
        taken |= {address.lower() for _, address in parsed.to}
        parsed.cc = [person for person in said.cc if person[1].lower() not in taken]
    return parsed


def _merge(parsed: Parsed, changed: Parsed, message: dict[str, Any]) -> None:
    fill(parsed, {key: value for key, value in message.items() if key != "internetMessageId" or value})
    parsed.headers = changed.headers
    parsed.attachments = changed.attachments


def _thread(parsed: Parsed, said: Parsed, original: Message, call: Call) -> None:
    parsed.references = [*said.references, said.internet_message_id]
    parsed.thread_index = child_index(original.index, call.mailbox.now())


def _quote(said: Parsed, comment: str) -> str:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=said.sent or 0)
    rows = [
        ("From", _names([said.from_] if said.from_ else [])),
        ("Sent", f"{when:%A, %B} {when.day}, {when:%Y %H:%M}"),
    ]
    rows += [("To", _names(said.to)), ("Cc", _names(said.cc)), ("Subject", escape(said.subject))]
    head = "<br>".join(f"<b>{label}:</b> {value}" for label, value in rows if value)
    return (
        '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>'
        f'{escape(comment)}<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" color="#000000">{head}</font><div>&nbsp;'
        f"</div></div>{said.html}</body></html>"
    )


def _names(people: list[Address]) -> str:
    return "; ".join(escape(name if name == address else f"{name} <{address}>") for name, address in people)
