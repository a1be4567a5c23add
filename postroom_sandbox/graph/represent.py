"""Messages as Graph writes them, joined from prepared bytes (graph.md 2.1).

Two halves make a message: what its place and state say (ids, dates, flags: formatted here, from memory) and what its
content says (the summary and the body: stored as JSON). A full page is a join of both; a `$select` picks pieces.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from postroom_sandbox.clock import iso
from postroom_sandbox.graph.attachment_json import attachment_list
from postroom_sandbox.graph.call import Call
from postroom_sandbox.graph.extended import extended_values
from postroom_sandbox.graph.odata import Options, parse_uri_error
from postroom_sandbox.mime import parse_message
from postroom_sandbox.mime.message import CANCELLED, MESSAGE, REQUEST, RESPONSE
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.model import COMPLETE, DRAFT, FLAG_WORDS, FLAGGED, HAS_ATTACHMENTS, OTHER, READ, Message
from postroom_sandbox.text import html_to_text, text_to_html, unique_part

_encode = msgspec.json.Encoder().encode
_raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TYPES = {
    MESSAGE: "message",
    REQUEST: "eventMessageRequest",
    RESPONSE: "eventMessageResponse",
    CANCELLED: "eventMessage",
}
_BOOL = ("false", "true")
_WEB, _WEB_TAIL = "https://outlook.office365.com/owa/?ItemID=", "&exvsurl=1&viewmodel=ReadMessageItem"
_FLAGS = {status: f'{{"flagStatus":"{word}"}}' for status, word in FLAG_WORDS.items()}

STATE = (
    "id", "createdDateTime", "lastModifiedDateTime", "changeKey", "categories", "receivedDateTime", "hasAttachments",
    "parentFolderId", "conversationId", "conversationIndex", "isRead", "isDraft", "webLink", "inferenceClassification",
    "flag",
)  # fmt: skip
SUMMARY = (
    "sentDateTime", "internetMessageId", "subject", "bodyPreview", "importance", "isDeliveryReceiptRequested",
    "isReadReceiptRequested", "sender", "from", "toRecipients", "ccRecipients", "bccRecipients", "replyTo",
    "meetingMessageType",
)  # fmt: skip
ON_REQUEST = ("body", "uniqueBody", "internetMessageHeaders")
_NAVIGATION = {"attachments", "extensions", "singlevalueextendedproperties", "multivalueextendedproperties"}
PROPERTIES = {name.lower(): name for name in (*STATE, *SUMMARY, *ON_REQUEST)}
_BASIC_HIDES = {"body", "bodyPreview", "uniqueBody"}  # Mail.ReadBasic, graph.md 2.3


@dataclass(frozen=True, slots=True)
class View:
    """How this client wants messages: which properties, which ids, which body."""

    select: tuple[str, ...] = ()
    immutable: bool = False
    body_type: str = ""
    unsafe: bool = False
    typed: bool = False
    basic: bool = False
    attachments: bool = False
    extended: str | None = None

    @property
    def wants_body(self) -> bool:
        """Whether bodies must be read."""
        return not self.basic and (not self.select or "body" in self.select or "uniqueBody" in self.select)

    @property
    def wants_summary(self) -> bool:
        """Whether summaries must be read."""
        return not self.select or not _SUMMARY_NAMES.isdisjoint(self.select)

    @property
    def is_plain(self) -> bool:
        """Whether ready-made bytes can be used whole."""
        return not (
            self.select or self.basic or self.attachments or self.extended or self.unsafe or self.body_type == "text"
        )


_SUMMARY_NAMES = frozenset(SUMMARY)


def view_for(call: Call, options: Options, *, typed: bool = False, basic: bool = False) -> View:
    """The view a request asks for. Raises `ApiError` 400 for unknown properties."""
    names = []
    for name in options.select:
        known = PROPERTIES.get(name.lower())
        if known is None and name.lower() not in _NAVIGATION and name != "*":
            raise parse_uri_error(f"Could not find a property named '{name}' on type 'microsoft.graph.message'.")
        if known:
            names.append(known)
    expands = {name.lower(): inner for name, inner in options.expand}
    for name in expands:
        if name not in _NAVIGATION:
            raise parse_uri_error(f"Could not find a property named '{name}' on type 'microsoft.graph.message'.")
    return View(
        select=() if "*" in options.select else tuple(names) or (("id",) if options.select else ()),
        immutable=call.prefer.immutable_ids,
        body_type=call.prefer.body_type,
        unsafe=call.prefer.unsafe_html,
        typed=typed,
        basic=basic,
        attachments="attachments" in expands and not basic,
        extended=expands.get("singlevalueextendedproperties") if not basic else None,
    )


# -- the state half

_StatePiece = Callable[[Mailbox, Message, View], str]


def shown_id(mailbox: Mailbox, message: Message, view: View) -> str:
    """The id in the form the view asks for."""
    return mailbox.immutable_id(message) if view.immutable else mailbox.default_id(message)


def _web_link(mailbox: Mailbox, message: Message, view: View) -> str:
    item = shown_id(mailbox, message, view).replace("=", "%3D")
    return f'"{_WEB}{item}{_WEB_TAIL}"'


def _flag(message: Message) -> str:
    status = message.flags & (FLAGGED | COMPLETE)
    dates = message.extra.get("flag") if message.extra else None
    if not dates or not status:
        return _FLAGS[status]
    kept = {
        key: value for key, value in dates.items() if (key == "completedDateTime") == bool(message.flags & COMPLETE)
    }
    return _encode({"flagStatus": message.flag_status} | kept).decode()


_PIECES: dict[str, _StatePiece] = {
    "id": lambda mailbox, m, view: f'"{shown_id(mailbox, m, view)}"',
    "createdDateTime": lambda mailbox, m, view: f'"{iso(m.created)}"',
    "lastModifiedDateTime": lambda mailbox, m, view: f'"{iso(m.modified)}"',
    "changeKey": lambda mailbox, m, view: f'"{mailbox.ids.change_key(m.version)}"',
    "categories": lambda mailbox, m, view: _encode(m.categories).decode() if m.categories else "[]",
    "receivedDateTime": lambda mailbox, m, view: f'"{iso(m.received)}"',
    "hasAttachments": lambda mailbox, m, view: _BOOL[bool(m.flags & HAS_ATTACHMENTS)],
    "parentFolderId": lambda mailbox, m, view: f'"{mailbox.ids.folder(m.folder.number)}"',
    "conversationId": lambda mailbox, m, view: f'"{mailbox.ids.conversation(m.conversation)}"',
    "conversationIndex": lambda mailbox, m, view: f'"{_base64(m.index)}"',
    "isRead": lambda mailbox, m, view: _BOOL[m.is_read],
    "isDraft": lambda mailbox, m, view: _BOOL[m.is_draft],
    "webLink": _web_link,
    "inferenceClassification": lambda mailbox, m, view: '"other"' if m.flags & OTHER else '"focused"',
    "flag": lambda mailbox, m, view: _flag(m),
}


def _opening(mailbox: Mailbox, message: Message, view: View) -> str:
    kind = message.extra.get("kind", MESSAGE) if message.extra else MESSAGE
    named = f'"@odata.type":"#microsoft.graph.{_TYPES[kind]}",' if view.typed or kind != MESSAGE else ""
    return f'{{{named}"@odata.etag":"W/\\"{mailbox.ids.change_key(message.version)}\\""'


def sparse(mailbox: Mailbox, message: Message, view: View) -> bytes:
    """A delta row for a change of read state: hardly more than that (graph.md 2.12)."""
    state = f',"id":"{shown_id(mailbox, message, view)}","isRead":{_BOOL[message.is_read]}}}'
    return (_opening(mailbox, message, view) + state).encode()


# -- whole messages


def render(mailbox: Mailbox, messages: Sequence[Message], view: View) -> list[bytes]:
    """The JSON objects of `messages`, in order."""
    contents = {message.content for message in messages}
    summaries = mailbox.contents.summaries(contents) if view.wants_summary else {}
    bodies = mailbox.contents.html(contents) if view.wants_body else {}
    if view.is_plain:
        return [_plain(mailbox, m, view, summaries[m.content], bodies[m.content]) for m in messages]
    return [_picked(mailbox, m, view, summaries.get(m.content), bodies.get(m.content)) for m in messages]


def _plain(mailbox: Mailbox, message: Message, view: View, summary: bytes, body: bytes) -> bytes:
    head = _state(mailbox, message, view).encode()
    return b"".join((head, summary, b',"body":{"contentType":"html","content":', body, b"}}"))


def _state(mailbox: Mailbox, m: Message, view: View) -> str:
    """The whole state half, up to the comma before the summary: `_PIECES` written out, because every row needs it."""
    ids, change_key = mailbox.ids, mailbox.ids.change_key(m.version)
    shown = ids.immutable(m.sequence) if view.immutable else ids.default(m.folder.number, m.place)
    kind = m.extra.get("kind", MESSAGE) if m.extra else MESSAGE
    named = f'"@odata.type":"#microsoft.graph.{_TYPES[kind]}",' if view.typed or kind != MESSAGE else ""
    flags = m.flags
    return (
        f'{{{named}"@odata.etag":"W/\\"{change_key}\\"","id":"{shown}","createdDateTime":"{iso(m.created)}"'
        f',"lastModifiedDateTime":"{iso(m.modified)}","changeKey":"{change_key}"'
        f',"categories":{_encode(m.categories).decode() if m.categories else "[]"}'
        f',"receivedDateTime":"{iso(m.received)}","hasAttachments":{_BOOL[bool(flags & HAS_ATTACHMENTS)]}'
        f',"parentFolderId":"{ids.folder(m.folder.number)}","conversationId":"{ids.conversation(m.conversation)}"'
        f',"conversationIndex":"{_base64(m.index)}","isRead":{_BOOL[flags & READ]}'
        f',"isDraft":{_BOOL[bool(flags & DRAFT)]},"webLink":"{_WEB}{shown.replace("=", "%3D")}{_WEB_TAIL}"'
        f',"inferenceClassification":"{"other" if flags & OTHER else "focused"}","flag":{_flag(m)},'
    )


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _picked(mailbox: Mailbox, message: Message, view: View, summary: bytes | None, body: bytes | None) -> bytes:
    wanted = view.select or (*STATE, *SUMMARY, "body")
    if view.basic:
        wanted = tuple(name for name in wanted if name not in _BASIC_HIDES)
    if "id" not in wanted:
        wanted = ("id", *wanted)
    out = [_opening(mailbox, message, view).encode()]
    said = _raw_decoder.decode(b"{" + summary + b"}") if summary is not None else {}
    for name in wanted:
        piece = _PIECES.get(name)
        value = piece(mailbox, message, view).encode() if piece else said.get(name)
        if value is None and name in ON_REQUEST:
            value = _on_request(mailbox, message, view, name, body or b'""')
        if value is not None:
            out.append(b',"%b":%b' % (name.encode(), value))
    out += _expanded(mailbox, message, view)
    return b"".join(out) + b"}"


def _on_request(mailbox: Mailbox, message: Message, view: View, name: str, body: bytes) -> bytes:
    if name == "internetMessageHeaders":
        headers = mailbox.contents.headers(message.content)
        return _encode([{"name": key, "value": value} for key, value in headers])
    if view.body_type == "text":
        return _encode({"contentType": "text", "content": _as_text(mailbox, message, name, body)})
    if view.unsafe and (raw := mailbox.contents.raw(message.content)) is not None:
        body = _encode(parse_message(raw).html)
    if name == "uniqueBody":
        body = _encode(unique_part(msgspec.json.decode(body)))
    return b'{"contentType":"html","content":%b}' % body


def _as_text(mailbox: Mailbox, message: Message, name: str, body: bytes) -> str:
    original = mailbox.contents.texts([message.content]).get(message.content)
    if original is not None:
        text: str = msgspec.json.decode(original)
        return text
    html: str = msgspec.json.decode(body)
    return html_to_text(unique_part(html) if name == "uniqueBody" else html)


def _expanded(mailbox: Mailbox, message: Message, view: View) -> list[bytes]:
    out = []
    if view.extended is not None:
        found = extended_values(mailbox, message, view.extended)
        if found:
            out.append(b',"singleValueExtendedProperties":' + _encode(found))
    if view.attachments:
        listed = attachment_list(mailbox, message, shown_id(mailbox, message, view))
        out.append(b',"attachments":' + _encode(listed))
    return out


def page(context: str, rows: Sequence[bytes], tail: dict[str, Any]) -> bytes:
    """A collection: annotations first, then the rows."""
    head = _encode({"@odata.context": context} | tail)
    return b"".join((head[:-1], b',"value":[', b",".join(rows), b"]}"))


def single(call: Call, message: Message, view: View) -> bytes:
    """One message with its context."""
    row = render(call.mailbox, [message], view)[0]
    selected = f"({','.join(view.select)})" if view.select else ""
    context = _encode(call.context(f"messages{selected}/$entity"))
    return b'{"@odata.context":' + context + b"," + row[1:]


__all__ = ["PROPERTIES", "View", "page", "render", "single", "sparse", "text_to_html", "view_for"]
