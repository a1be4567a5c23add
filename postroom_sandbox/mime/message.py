"""Any bytes as the message a mailbox keeps. `parse_message` never raises and never loops for long."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from postroom_sandbox.mime.headers import Address, addresses, every, first, message_ids, split_headers, timestamp
from postroom_sandbox.mime.parts import Part, parse
from postroom_sandbox.mime.words import clean, decode_words
from postroom_sandbox.text import preview, preview_of_html, text_to_html

FILE, ITEM, REFERENCE = "file", "item", "reference"
MESSAGE, REQUEST, RESPONSE, CANCELLED = "message", "request", "response", "cancelled"
_MEETING = {"REQUEST": REQUEST, "REPLY": RESPONSE, "CANCEL": CANCELLED, "COUNTER": RESPONSE}
_IMPORTANCE = {"high": "high", "1": "high", "2": "high", "urgent": "high", "low": "low", "5": "low", "4": "low"}


@dataclass(slots=True)
class Attachment:
    """One attachment. `content` is the decoded bytes (for `item`: the MIME of the message inside)."""

    name: str
    content_type: str
    content: bytes
    is_inline: bool = False
    content_id: str = ""
    kind: str = FILE


@dataclass(slots=True)
class Parsed:
    """What a message says, whoever wrote it: MIME from outside or JSON through Graph.

    `html` is the body as HTML; `text` is the original when the message came as plain text, else None.
    `sent` is seconds since 1970 or None. `headers` are the internet headers in order.
    """

    subject: str = ""
    sender: Address | None = None
    from_: Address | None = None
    to: list[Address] = field(default_factory=list)
    cc: list[Address] = field(default_factory=list)
    bcc: list[Address] = field(default_factory=list)
    reply_to: list[Address] = field(default_factory=list)
    internet_message_id: str = ""
    references: list[str] = field(default_factory=list)
    sent: int | None = None
    importance: str = "normal"
    html: str = ""
    text: str | None = None
    body_preview: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    thread_index: bytes = b""
    attachments: list[Attachment] = field(default_factory=list)
    kind: str = MESSAGE
    read_receipt: bool = False
    bulk: bool = False
    categories: list[str] = field(default_factory=list)

    @property
    def has_attachments(self) -> bool:
        """False when every attachment is inline (graph.md 2.1)."""
        return any(not item.is_inline for item in self.attachments)


def parse_message(raw: bytes) -> Parsed:
    """`raw` as a message; damage costs only what is damaged."""
    root = parse(raw)
    parsed = _envelope(root, raw)
    _Body(parsed).take(root)
    return parsed


def headers_of(raw: bytes) -> list[tuple[str, str]]:
    """The internet headers of `raw`, decoded, in order."""
    return [(clean(name), decode_words(value)) for name, value in split_headers(raw)[0]]


def _envelope(root: Part, raw: bytes) -> Parsed:
    headers, fields = root.headers, root.fields

    def people(name: str) -> list[Address]:
        if name not in fields:
            return []
        return [person for value in every(headers, name) for person in addresses(value)]

    author, transmitter = people("from"), people("sender")
    references = message_ids(fields.get("references", ""))
    for parent in message_ids(fields.get("in-reply-to", "")):
        if parent not in references:
            references.append(parent)
    own = message_ids(fields.get("message-id", ""))
    importance = fields.get("importance") or fields.get("x-priority") or ""
    return Parsed(
        subject=decode_words(fields.get("subject", "")).strip(),
        from_=next(iter(author or transmitter), None),
        sender=next(iter(transmitter or author), None),
        to=people("to"),
        cc=people("cc"),
        bcc=people("bcc"),
        reply_to=people("reply-to"),
        internet_message_id=own[0] if own else made_up_id(raw),
        references=references,
        sent=timestamp(fields.get("date", "")),
        importance=_IMPORTANCE.get(importance.strip().lower()[:6].split(" ")[0], "normal"),
        thread_index=_thread_index(fields.get("thread-index", "")),
        read_receipt=bool(fields.get("disposition-notification-to", "")),
        bulk=bool(fields.get("list-unsubscribe", "")) or fields.get("precedence", "").lower() in ("bulk", "junk"),
        categories=[word.strip() for word in decode_words(fields.get("keywords", "")).split(",") if word.strip()],
    )


def made_up_id(raw: bytes) -> str:
    """The Message-ID given to mail that came without one: the same for the same bytes."""
    return f"<{hashlib.sha256(raw).hexdigest()[:32]}@missing-id.invalid>"


def _thread_index(value: str) -> bytes:
    try:
        index = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return index if len(index) >= 22 else b""


class _Body:
    """Walks the parts: chooses the body, collects attachments."""

    def __init__(self, parsed: Parsed) -> None:
        self.parsed = parsed
        self.html: list[str] = []
        self.plain: list[str] = []

    def take(self, root: Part) -> None:
        self._walk(root, related=False, alternative=False)
        parsed = self.parsed
        if self.html:
            parsed.html = self.html[0] + "".join(self.html[1:])
            parsed.body_preview = preview_of_html(parsed.html)
        else:
            parsed.text = "\n".join(self.plain)
            parsed.html = text_to_html(parsed.text)
            parsed.body_preview = preview(parsed.text)
        for item in parsed.attachments:
            item.is_inline = item.is_inline and bool(item.content_id) and f"cid:{item.content_id}" in parsed.html

    def _walk(self, part: Part, *, related: bool, alternative: bool) -> None:
        if part.children:
            if part.content_type == "multipart/alternative":
                self._alternative(part, related=related)
                return
            inside = related or part.content_type == "multipart/related"
            for child in part.children:
                self._walk(child, related=inside, alternative=alternative)
        elif part.content_type.startswith("multipart/") and not part.body.strip():
            return
        else:
            self._leaf(part, related=related, alternative=alternative)

    def _alternative(self, part: Part, *, related: bool) -> None:
        """HTML wins over text; what is neither (a calendar) is looked at too."""
        before_html, before_plain = len(self.html), len(self.plain)
        for child in part.children:
            self._walk(child, related=related, alternative=True)
        if len(self.html) > before_html:
            del self.plain[before_plain:]

    def _leaf(self, part: Part, *, related: bool, alternative: bool) -> None:
        kind = part.content_type
        is_file = part.disposition.startswith("attachment") or bool(part.filename)
        if kind == "text/calendar" and not part.disposition.startswith("attachment"):
            method = part.params.get("method", "").upper()
            self.parsed.kind = _MEETING.get(method, self.parsed.kind)
            if alternative or method in _MEETING:
                return
        if kind == "text/html" and not is_file:
            self.html.append(part.text())
        elif (kind == "text/plain" or kind.startswith("multipart/")) and not is_file:
            self._text(part.text())
        elif kind in ("text/enriched", "text/richtext") and alternative:
            return
        else:
            self.parsed.attachments.append(self._attachment(part, related=related))

    def _text(self, text: str) -> None:
        if self.html:
            if text.strip():
                self.html.append(text_to_html(text))
        else:
            self.plain.append(text)

    def _attachment(self, part: Part, *, related: bool) -> Attachment:
        number = len(self.parsed.attachments) + 1
        data = part.data()
        inline = related or part.disposition.startswith("inline")
        if part.content_type == "message/rfc822":
            headers, _ = split_headers(data)
            name = decode_words(first(headers, "Subject")).strip()[:255] or f"ATT{number:05}"
            return Attachment(name, "message/rfc822", data, kind=ITEM)
        name = clean(part.filename)[:255] or f"ATT{number:05}{_SUFFIX.get(part.content_type, '')}"
        return Attachment(name, part.content_type, data, is_inline=inline, content_id=clean(part.content_id)[:500])


_SUFFIX = {
    "text/plain": ".txt",
    "text/html": ".htm",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "text/calendar": ".ics",
    "message/delivery-status": ".txt",
    "application/pdf": ".pdf",
}
