"""Renders a `Mail` as the bytes that go over the wire (RFC 5322, 2045-2047), as Outlook, Gmail or a plain client would.

Written by hand because the standard library's generator takes about a millisecond a message and the large company has
100,000 of them.
"""

from __future__ import annotations

import binascii
import html
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cached_property
from typing import Literal

from .quoting import quoted_html, quoted_text

Style = Literal["outlook", "gmail", "plain"]


@dataclass(frozen=True, slots=True)
class Party:
    """A name and an address in a header. `offset` is the hours east of UTC the person lives at."""

    name: str
    address: str
    offset: float = 0.0

    def __str__(self) -> str:
        if self.name.isascii():
            special = any(c in self.name for c in ',.:;"<>()@[]\\')
            name = '"' + self.name.replace('"', "'") + '"' if special else self.name
        else:
            name = encoded(self.name)
        return f"{name} <{self.address}>" if self.name else self.address


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail; with a `content_id` it is shown inline."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands under a person's mails; `logo` (inline) only in HTML."""

    lines: tuple[str, ...]
    logo: Attachment | None = None


@dataclass
class Mail:
    """One message before rendering. `paragraphs` are plain text; lines starting with '- ' make a list."""

    message_id: str
    sender: Party
    to: tuple[Party, ...]
    subject: str
    sent: datetime
    paragraphs: list[str]
    cc: tuple[Party, ...] = ()
    parent: Mail | None = None
    forwarded: bool = False
    style: Style = "outlook"
    language: str = "en"
    signature: Signature | None = None
    attachments: tuple[Attachment, ...] = ()
    calendar: bytes = b""
    calendar_method: str = "REQUEST"
    headers: tuple[tuple[str, str], ...] = ()
    own_html: str = ""
    own_type: bytes = b""
    tags: frozenset[str] = frozenset()
    on_behalf: Party | None = None
    priority: str = ""
    recipients: tuple[str, ...] = field(default=())
    earlier: tuple[str, ...] = ()  # Message-IDs of the thread before `parent`'s own, oldest first

    @property
    def everyone(self) -> tuple[str, ...]:
        """Every address it is delivered to (blind copies and list members included)."""
        return self.recipients or tuple(party.address for party in (*self.to, *self.cc))

    @property
    def local_time(self) -> datetime:
        return self.sent.astimezone(timezone(timedelta(hours=self.sender.offset)))

    @cached_property
    def text(self) -> str:
        """The plain body with signature and quoted tail."""
        parts = ["\n\n".join(self.paragraphs)]
        if self.signature:
            dashes = "-- \n" if self.style == "plain" else ""
            parts.append(dashes + "\n".join(self.signature.lines))
        if self.parent:
            parts.append(quoted_text(self, self.parent))
        return "\n\n".join(parts)

    @cached_property
    def html_inner(self) -> str:
        """The HTML body without its document frame, quoted tail included."""
        if self.own_html:
            return self.own_html
        out = "".join(_block(paragraph, self.style) for paragraph in self.paragraphs)
        if self.signature:
            out += _signature_html(self.signature, self.style)
        if self.parent:
            out += quoted_html(self, self.parent)
        return out

    def render(self) -> bytes:
        """The whole message, CRLF line ends."""
        body_type, body = self._body()
        head = [
            f"Message-ID: <{self.message_id}>",
            f"Date: {format_datetime(self.local_time)}",
            f"From: {self.sender}",
            *([f"Sender: {self.on_behalf}"] if self.on_behalf else []),
            _addresses("To", self.to),
            *([_addresses("Cc", self.cc)] if self.cc else []),
            f"Subject: {encoded(self.subject)}",
            *self._threading(),
            *(f"{name}: {value}" for name, value in self.headers),
            *([f"Importance: {self.priority}"] if self.priority else []),
            "MIME-Version: 1.0",
        ]
        return "\r\n".join(head).encode("ascii", "replace") + b"\r\n" + body_type + b"\r\n\r\n" + body

    def _threading(self) -> list[str]:
        chain: list[str] = []
        mail = self.parent
        while mail and len(chain) < 20:
            chain.append(f"<{mail.message_id}>")
            chain.extend(f"<{key}>" for key in reversed(mail.earlier))
            mail = mail.parent
        if not chain or self.forwarded:
            return []
        return [f"In-Reply-To: {chain[0]}", "References: " + "\r\n ".join(reversed(chain))]

    def _body(self) -> tuple[bytes, bytes]:
        if self.own_type:
            return self.own_type, b"".join(attachment.data for attachment in self.attachments)
        inner = self._readable()
        files = [_file(attachment) for attachment in self.attachments if not attachment.content_id]
        if files:
            inner = multipart("mixed", [inner, *files], self._boundary("m"))
        return inner

    def _readable(self) -> tuple[bytes, bytes]:
        text = leaf("text/plain", self.text)
        if self.style == "plain" and not self.own_html and not self.calendar:
            return text
        page = leaf("text/html", _page(self))
        inline = [attachment for attachment in self.attachments if attachment.content_id]
        if self.signature and self.signature.logo:
            inline.append(self.signature.logo)
        if inline:
            page = multipart("related", [page, *map(_file, inline)], self._boundary("r"))
        parts = [text, page]
        if self.calendar:
            parts.append(leaf(f"text/calendar; method={self.calendar_method}", self.calendar.decode()))
        return multipart("alternative", parts, self._boundary("a"))

    def _boundary(self, kind: str) -> str:
        return f"=_{kind}_{binascii.crc32(self.message_id.encode()):08x}_{len(self.subject):02x}"


def multipart(kind: str, parts: Sequence[tuple[bytes, bytes]], boundary: str) -> tuple[bytes, bytes]:
    """(header lines, body) of a multipart from the (header lines, body) of its parts."""
    edge = f"--{boundary}".encode()
    body = b"".join(b"%s\r\n%s\r\n\r\n%s\r\n" % (edge, head, data) for head, data in parts) + edge + b"--\r\n"
    return f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"'.encode(), body


def leaf(content_type: str, text: str) -> tuple[bytes, bytes]:
    """(header lines, body) of a text part: quoted-printable for mostly Latin text, base64 for other scripts."""
    data = text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    if len(data) > len(text) * 1.4:
        encoding, body = b"base64", _base64_lines(data)
    else:
        encoding, body = b"quoted-printable", binascii.b2a_qp(data, istext=True)
    head = f"Content-Type: {content_type}; charset=utf-8\r\nContent-Transfer-Encoding: ".encode()
    return head + encoding, body


def encoded(text: str) -> str:
    """A header value; RFC 2047 words of at most 45 bytes where it is not ASCII."""
    if text.isascii():
        return text
    words, current = [], ""
    for character in text:
        if len((current + character).encode()) > 42:
            words.append(current)
            current = ""
        current += character
    words.append(current)
    return "\r\n ".join(f"=?utf-8?B?{b64encode(word.encode()).decode()}?=" for word in words)


def _addresses(name: str, parties: Sequence[Party]) -> str:
    return f"{name}: " + ",\r\n ".join(map(str, parties))


def _base64_lines(data: bytes) -> bytes:
    text = b64encode(data)
    return b"\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))


def _file(attachment: Attachment) -> tuple[bytes, bytes]:
    name = attachment.name if attachment.name.isascii() else encoded(attachment.name)
    kind = "inline" if attachment.content_id else "attachment"
    head = [
        f'Content-Type: {attachment.content_type}; name="{name}"',
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: {kind}; filename="{name}"; size={len(attachment.data)}',
    ]
    if attachment.content_id:
        head.append(f"Content-ID: <{attachment.content_id}>")
    return "\r\n".join(head).encode(), _base64_lines(attachment.data)


_FONT = {
    "outlook": "font-family:Aptos,Calibri,Helvetica,sans-serif;font-size:12pt;color:rgb(0,0,0)",
    "gmail": "",
    "plain": "",
}
_TABLE_CELL = "border:1px solid #c9c9c9;padding:4px 10px;text-align:left"


def _block(paragraph: str, style: Style) -> str:
    lines = paragraph.split("\n")
    if all(line.startswith("- ") for line in lines):
        items = "".join(f"<li>{html.escape(line[2:], quote=False)}</li>" for line in lines)
        return f"<ul>{items}</ul>"
    if all(" | " in line for line in lines):
        return _table(lines)
    inner = "<br>".join(html.escape(line, quote=False) for line in lines)
    if style == "gmail":
        return f"<div>{inner}</div><div><br></div>"
    return f'<div class="elementToProof" style="{_FONT["outlook"]}">{inner}</div><div><br></div>'


def _table(lines: Sequence[str]) -> str:
    rows = [[html.escape(cell.strip(), quote=False) for cell in line.split(" | ")] for line in lines]
    head = "".join(f'<th style="{_TABLE_CELL};background:#f3f3f3">{cell}</th>' for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f'<td style="{_TABLE_CELL}">{cell}</td>' for cell in row) + "</tr>" for row in rows[1:]
    )
    return f'<table style="border-collapse:collapse">{"<tr>" + head + "</tr>"}{body}</table><br>'


def _signature_html(signature: Signature, style: Style) -> str:
    name, *rest = (html.escape(line, quote=False) for line in signature.lines)
    lines = f"<b>{name}</b><br>" + "<br>".join(rest)
    if not signature.logo:
        marker = "gmail_signature" if style == "gmail" else "signature"
        look = f' style="{_FONT[style]}"' if _FONT[style] else ""
        return f'<div class="{marker}"{look}>{lines}</div>'
    picture = f'<img src="cid:{signature.logo.content_id}" width="40" height="40" alt="Northwind">'
    return (
        '<div id="Signature"><table cellpadding="0" cellspacing="0"><tr>'
        f'<td style="padding-right:12px;vertical-align:top">{picture}</td>'
        f'<td style="font-family:Aptos,Calibri,sans-serif;font-size:10pt;color:#444">{lines}</td></tr></table></div>'
    )


def _page(mail: Mail) -> str:
    if mail.own_html:
        return mail.own_html
    direction = ' dir="rtl"' if mail.language == "ar" else ' dir="ltr"'
    if mail.style == "gmail":
        return f'<div{direction} lang="{mail.language}">{mail.html_inner}</div>'
    return (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
        '<style type="text/css" style="display:none;">P {margin-top:0;margin-bottom:0;}</style></head>'
        f'<body{direction} lang="{mail.language}">{mail.html_inner}</body></html>'
    )
