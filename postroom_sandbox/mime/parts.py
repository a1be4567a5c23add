"""The tree of MIME parts, bounded in depth and number. Nothing here raises."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from postroom_sandbox.mime.headers import firsts, parameters, split_headers
from postroom_sandbox.mime.words import decode, from_base64

MAX_DEPTH = 40
MAX_PARTS = 3_000
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


@dataclass(slots=True)
class Part:
    """One node: its headers (`fields`: the first of each, by lower-case name), its still encoded body, its parts."""

    headers: list[tuple[str, str]]
    fields: dict[str, str]
    body: bytes
    content_type: str
    params: dict[str, str]
    disposition: str = ""
    filename: str = ""
    content_id: str = ""
    children: list[Part] = field(default_factory=list)

    def data(self) -> bytes:
        """The body with its transfer encoding undone."""
        encoding = self.fields.get("content-transfer-encoding", "").strip().lower()
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
    fields = firsts(headers)
    content_type, params = parameters(fields.get("content-type", ""))
    if not _TYPE.fullmatch(content_type):
        content_type = "text/plain" if content_type == "text" else default
    disposition, more = parameters(fields.get("content-disposition", ""))
    part = Part(
        headers,
        fields,
        data[start:],
        content_type,
        params,
        disposition=disposition,
        filename=(more.get("filename") or params.get("name") or "").strip(),
        content_id=fields.get("content-id", "").strip().strip("<>").strip(),
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
    mark = b"--" + boundary.encode("utf-8", "replace")
    pieces: list[bytes] = []
    start, at = -1, body.find(mark)
    while at >= 0 and len(pieces) <= MAX_PARTS:
        end = body.find(b"\n", at)
        end = len(body) if end < 0 else end + 1
        rest = body[at + len(mark) : end].rstrip()
        if rest in (b"", b"--") and (at == 0 or body[at - 1] == 10):
            if start >= 0:
                pieces.append(_without_last_newline(body[start:at]))
            start = end
            if rest:
                return pieces
        at = body.find(mark, at + len(mark))
    if 0 <= start < len(body):
        pieces.append(body[start:])
    return pieces


def _without_last_newline(piece: bytes) -> bytes:
    return piece[:-2] if piece.endswith(b"\r\n") else piece[:-1] if piece.endswith(b"\n") else piece
