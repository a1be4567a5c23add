"""The tree of MIME parts, bounded in depth and number. Nothing here raises."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from postroom_sandbox.mime.headers import first, parameters, split_headers
from postroom_sandbox.mime.words import decode, from_base64

MAX_DEPTH = 40
MAX_PARTS = 3_000
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


@dataclass(slots=True)
class Part:
    """One node: its headers, its still encoded body, and the parts inside it."""

    headers: list[tuple[str, str]]
    body: bytes
    content_type: str
    params: dict[str, str]
    disposition: str = ""
    filename: str = ""
    content_id: str = ""
    children: list[Part] = field(default_factory=list)

    def data(self) -> bytes:
        """The body with its transfer encoding undone."""
        encoding = first(self.headers, "Content-Transfer-Encoding").strip().lower()
        if encoding.startswith("base64"):
            return from_base64(self.body)
        if encoding.startswith("quoted-printable"):
            return binascii.a2b_qp(self.body)
        if encoding in ("x-uuencode", "uuencode", "x-uue"):
            return _from_uu(self.body)
        return self.body

    def text(self) -> str:
        """The body as text with LF line ends."""
        return decode(self.data(), self.params.get("charset")).replace("\r\n", "\n").replace("\r", "\n")


def _from_uu(body: bytes) -> bytes:
    out = []
    for line in body.splitlines():
        if line.startswith((b"begin ", b"end")) or not line.strip():
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(out)


def parse(data: bytes) -> Part:
    """The tree of any bytes at all."""
    if b"\r" in data[:4096] and b"\n" not in data[:65_536]:
        data = data.replace(b"\r", b"\n")
    return _part(data, 0, [MAX_PARTS], "text/plain")


def _part(data: bytes, depth: int, budget: list[int], default: str) -> Part:
    budget[0] -= 1
    headers, start = split_headers(data)
    content_type, params = parameters(first(headers, "Content-Type"))
    if not _TYPE.fullmatch(content_type):
        content_type = "text/plain" if content_type == "text" else default
    disposition, more = parameters(first(headers, "Content-Disposition"))
    part = Part(
        headers,
        data[start:],
        content_type,
        params,
        disposition=disposition,
        filename=(more.get("filename") or params.get("name") or "").strip(),
        content_id=first(headers, "Content-ID").strip().strip("<>").strip(),
    )
    if depth < MAX_DEPTH and content_type.startswith("multipart/"):
        inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        for piece in _split(part.body, params.get("boundary", "")):
            if budget[0] <= 0:
                break
            part.children.append(_part(piece, depth + 1, budget, inner))
    return part


def _split(body: bytes, boundary: str) -> list[bytes]:
    """The pieces between boundary lines; a missing last boundary is forgiven."""
    if not boundary:
        return []
    mark = re.escape(boundary.encode("utf-8", "replace"))
    lines = re.compile(rb"^--" + mark + rb"(--)?[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
    pieces: list[bytes] = []
    start: int | None = None
    for found in lines.finditer(body):
        if start is not None:
            pieces.append(_without_last_newline(body[start : found.start()]))
        start = found.end()
        if found[1]:
            start = None
            break
        if len(pieces) > MAX_PARTS:
            break
    if start is not None and start < len(body):
        pieces.append(body[start:])
    return pieces


def _without_last_newline(piece: bytes) -> bytes:
    return piece[:-2] if piece.endswith(b"\r\n") else piece[:-1] if piece.endswith(b"\n") else piece
