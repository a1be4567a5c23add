"""A message as RFC 5322 text: what is sent, and what `$value` gives for a message that never was MIME."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

from postroom_sandbox.mime.headers import Address
from postroom_sandbox.mime.message import ITEM, Attachment, Parsed
from postroom_sandbox.text import html_to_text

_CRLF = b"\r\n"
_PLAIN = re.compile(r"[ -~]*")
_ATOM = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")
_BREAKS = re.compile(r"[\r\n\x00]+")
_PREFIXES = re.compile(r"^(?:\s*(?:re|fw|fwd|aw|wg|sv|tr)\s*:\s*)+", re.IGNORECASE)
_WORD_BYTES = 42


def build_message(message: Parsed, *, with_bcc: bool = False) -> bytes:
    """`message` as bytes with CRLF line ends; `Bcc` only when asked for (a draft's own `$value`)."""
    marker = hashlib.sha256(message.internet_message_id.encode("utf-8", "replace")).hexdigest()[:24]
    content_headers, body = _body(message, marker)
    lines = [f"{name}: {value}" for name, value in _headers(message, with_bcc=with_bcc)]
    return "\r\n".join([*lines, *content_headers, "", ""]).encode("utf-8", "replace") + body


def _headers(message: Parsed, *, with_bcc: bool) -> list[tuple[str, str]]:
    sent = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=message.sent or 0)
    out = [("From", _people([message.from_] if message.from_ else []))]
    if message.sender and message.sender != message.from_:
        out.append(("Sender", _people([message.sender])))
    lists = [("To", message.to), ("Cc", message.cc), ("Reply-To", message.reply_to)]
    out += [(name, _people(people)) for name, people in lists if people]
    if with_bcc and message.bcc:
        out.append(("Bcc", _people(message.bcc)))
    out += [("Subject", _text(message.subject)), ("Date", format_datetime(sent))]
    out.append(("Message-ID", _BREAKS.sub("", message.internet_message_id)))
    if message.references:
        out += [("In-Reply-To", message.references[-1]), ("References", "\r\n ".join(message.references[-50:]))]
    if message.thread_index:
        out += [("Thread-Topic", _text(_PREFIXES.sub("", message.subject)))]
        out += [("Thread-Index", base64.b64encode(message.thread_index).decode())]
    if message.importance != "normal":
        out.append(("Importance", message.importance))
    if message.read_receipt and message.from_:
        out.append(("Disposition-Notification-To", _people([message.from_])))
    out += [(name, _text(value)) for name, value in message.headers]
    return [*out, ("MIME-Version", "1.0")]


def _text(value: str) -> str:
    """An unstructured header value; RFC 2047 words when it is not plain ASCII."""
    value = _BREAKS.sub(" ", value)
    if _PLAIN.fullmatch(value) and "=?" not in value:
        return value
    words, chunk = [], b""
    for character in value:
        encoded = character.encode("utf-8", "replace")
        if len(chunk) + len(encoded) > _WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(word).decode()}?=" for word in [*words, chunk])


def _people(people: list[Address]) -> str:
    return ",\r\n ".join(_person(name, address) for name, address in people)


def _person(name: str, address: str) -> str:
    address = _BREAKS.sub("", address)
    if not name or name == address:
        return f"<{address}>"
    name = _BREAKS.sub(" ", name)
    if _ATOM.fullmatch(name):
        return f"{name} <{address}>"
    if _PLAIN.fullmatch(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{_text(name)} <{address}>"


def _wrapped(data: bytes) -> bytes:
    encoded = binascii.b2a_base64(data, newline=False)
    return _CRLF.join(encoded[at : at + 76] for at in range(0, len(encoded), 76)) + _CRLF


def _body(message: Parsed, marker: str) -> tuple[list[str], bytes]:
    inline = [item for item in message.attachments if item.is_inline]
    files = [item for item in message.attachments if not item.is_inline]
    node = _words(message, marker)
    if inline:
        node = _multipart("related", f"rel_{marker}", [node, *map(_leaf, inline)])
    if files:
        node = _multipart("mixed", f"mix_{marker}", [node, *map(_leaf, files)])
    return node


def _words(message: Parsed, marker: str) -> tuple[list[str], bytes]:
    if message.text is not None:
        return _encoded("text/plain", message.text)
    plain = _encoded("text/plain", html_to_text(message.html))
    return _multipart("alternative", f"alt_{marker}", [plain, _encoded("text/html", message.html)])


def _encoded(content_type: str, text: str) -> tuple[list[str], bytes]:
    data = "\r\n".join(text.replace("\r\n", "\n").split("\n")).encode("utf-8", "replace")
    headers = [f'Content-Type: {content_type}; charset="utf-8"', "Content-Transfer-Encoding: base64"]
    return headers, _wrapped(data)


def _multipart(kind: str, boundary: str, nodes: list[tuple[list[str], bytes]]) -> tuple[list[str], bytes]:
    mark = f"--{boundary}".encode()
    pieces = []
    for headers, body in nodes:
        head = "\r\n".join([*headers, "", ""]).encode("utf-8", "replace")
        pieces.append(mark + _CRLF + head + body + _CRLF)
    return [f'Content-Type: multipart/{kind}; boundary="{boundary}"'], b"".join(pieces) + mark + b"--" + _CRLF


def _leaf(item: Attachment) -> tuple[list[str], bytes]:
    if item.kind == ITEM:
        return ["Content-Type: message/rfc822", "Content-Disposition: attachment"], item.content
    kind = _BREAKS.sub("", item.content_type) or "application/octet-stream"
    name = _BREAKS.sub(" ", item.name)
    disposition = "inline" if item.is_inline else "attachment"
    headers = [f"Content-Type: {kind}{_filename('name', name)}"]
    headers += [f"Content-Disposition: {disposition}{_filename('filename', name)}"]
    if item.content_id:
        headers.append(f"Content-ID: <{_BREAKS.sub('', item.content_id)}>")
    return [*headers, "Content-Transfer-Encoding: base64"], _wrapped(item.content)


def _filename(parameter: str, name: str) -> str:
    if _PLAIN.fullmatch(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'; {parameter}="{escaped}"'
    return f"; {parameter}*=utf-8''{quote(name.encode('utf-8', 'replace'), safe='')}"
