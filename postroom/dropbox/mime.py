"""A mail's text cut into its parts, in memory that does not grow with the number of its lines.

The text may be a file mapped into memory: parts are ranges of it until somebody asks for their content. Nothing a
sender can write makes this raise: what is broken is read as far as it goes (contracts: google-imap-smtp.md G).
"""

from __future__ import annotations

import base64
import binascii
import email
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from mmap import mmap
from typing import TypeAlias

Octets: TypeAlias = "bytes | mmap"
MAX_PARTS = 1_000
MAX_DEPTH = 20
MAX_HEAD = 262_144  # octets of headers of one part
MAX_TEXT = 10_000_000  # octets of a text that are read
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(\?=)\s+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
_FOLD = re.compile(r"\r?\n[ \t]*|\r")
# What labels mean in practice: the superset that mail programs really write.
_CHARSETS = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "unicode-1-1-utf-7": "utf-8",
    "utf-7": "utf-8",  # hides mark-up from whoever looks for it
    "unknown-8bit": "utf-8",
    "x-unknown": "utf-8",
}


@dataclass
class Part:
    """A part: its headers, and where its content lies. ``parts``: what a container holds."""

    octets: Octets
    head: Message
    start: int
    end: int
    parts: list[Part] = field(default_factory=list)

    @property
    def type(self) -> str:
        return self.head.get_content_type()

    @property
    def is_text(self) -> bool:
        return self.type in ("text/plain", "text/html")

    @property
    def disposition(self) -> str:
        try:
            return (self.head.get_content_disposition() or "").strip()
        except Exception:  # of headers that are a puzzle of their own
            return ""

    @property
    def name(self) -> str:
        """The file's name, however it was written (RFC 2231, RFC 2047); may be empty."""
        for header, word in (("content-disposition", "filename"), ("content-type", "name")):
            value = self._param(word, header)
            if isinstance(value, tuple):
                charset, _, told = value
                return decoded(told.encode("latin-1", "replace"), charset or "utf-8").strip()
            if value:
                return words(str(value)).strip()
        return ""

    def _param(self, word: str, header: str = "content-type") -> str | tuple[str | None, str | None, str] | None:
        try:
            return self.head.get_param(word, header=header)
        except Exception:  # of headers that are a puzzle of their own
            return None

    def header(self, name: str) -> str:
        """A header in clear text, unfolded; the first of several, empty when there is none."""
        return words(next(iter(self.headers(name)), ""))

    def headers(self, name: str) -> list[str]:
        """All of that name, unfolded, encoded words left as they are."""
        wanted = name.lower()
        return [unfolded(str(value)) for one, value in self.head.raw_items() if one.lower() == wanted]

    def content(self, most: int | None = None) -> bytes:
        """The octets it stands for."""
        end = self.end if most is None else min(self.end, self.start + most)
        raw = self.octets[self.start : end]
        encoding = str(self.head.get("content-transfer-encoding", "")).strip().lower()
        if encoding == "base64":
            return _base64(raw)
        return quopri.decodestring(raw) if encoding == "quoted-printable" else raw

    def text(self) -> str:
        charset = self._param("charset")
        label = charset[2] if isinstance(charset, tuple) else charset or ""
        return decoded(self.content(MAX_TEXT), label).replace("\r\n", "\n")

    def inner(self) -> Part:
        """The message inside a message/rfc822 part."""
        if str(self.head.get("content-transfer-encoding", "")).strip().lower() in ("base64", "quoted-printable"):
            return parsed(self.content())
        return parsed(self.octets, self.start, self.end)

    def walk(self) -> Iterator[Part]:
        yield self
        for part in self.parts:
            yield from part.walk()


def parsed(octets: Octets, start: int = 0, end: int | None = None) -> Part:
    """The tree of a message. A message inside a message is one part: its headers are not the outer one's."""
    return _Reader(octets).part(start, len(octets) if end is None else end, depth=0)


class _Reader:
    def __init__(self, octets: Octets) -> None:
        self.octets, self.count = octets, 0

    def part(self, start: int, end: int, *, depth: int) -> Part:
        self.count += 1
        head, body = self._head(start, end)
        part = Part(self.octets, head, min(body, end), end)
        if head.get_content_maintype() == "multipart" and depth < MAX_DEPTH:
            try:
                boundary = head.get_boundary("") or ""
            except Exception:
                boundary = ""
            part.parts = [self.part(*place, depth=depth + 1) for place in self._places(part, boundary)]
        return part

    def _head(self, start: int, end: int) -> tuple[Message, int]:
        """The headers, and where the content begins."""
        first = self.octets[start : min(start + 2, end)]
        if first[:1] == b"\n" or first == b"\r\n":  # a part without headers
            return Message(), start + (1 if first[:1] == b"\n" else 2)
        found = _EMPTY_LINE.search(self.octets, start, min(end, start + MAX_HEAD))
        stop, body = (found.start(), found.end()) if found else (min(end, start + MAX_HEAD), end)
        return email.message_from_bytes(self.octets[start:stop] + b"\r\n\r\n"), body

    def _places(self, part: Part, boundary: str) -> Iterator[tuple[int, int]]:
        """Where the parts of a container lie. The end mark may be missing."""
        mark = boundary.encode("utf-8", "surrogateescape")
        if not mark:
            return
        line = re.compile(rb"(?:\A|(?<=\n))--" + re.escape(mark) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
        begin: int | None = None
        for found in line.finditer(self.octets, part.start, part.end):
            if begin is not None:
                yield begin, max(begin, self._before_line_end(found.start(), begin))
            if found[1] or self.count >= MAX_PARTS:
                return
            begin = found.end()
        if begin is not None:
            yield begin, part.end

    def _before_line_end(self, at: int, least: int) -> int:
        """The line end before a boundary belongs to the boundary."""
        if at - 2 >= least and self.octets[at - 2 : at] == b"\r\n":
            return at - 2
        return at - 1


# --- octets and words ------------------------------------------------------------------------------------------------


def _base64(raw: bytes) -> bytes:
    """Whatever of it is base64: dirt, wrong padding and a torn end are passed over."""
    clean = _NOT_BASE64.sub(b"", raw)
    clean = clean[: -1 if len(clean) % 4 == 1 else None]
    try:
        return base64.b64decode(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return raw


def decoded(raw: bytes, charset: str) -> str:
    """Text in a charset that may be missing or a lie."""
    label = charset.strip().strip("\"'").lower()
    for name in (_CHARSETS.get(label, label), "utf-8", "cp1252"):
        try:
            return raw.decode(name)
        except (LookupError, UnicodeError, ValueError):
            continue
    return raw.decode(_CHARSETS.get(label, "utf-8") if label in _CHARSETS else "utf-8", "replace")


def unfolded(value: str) -> str:
    """One line. What stood there in 8 bits, without saying which, is read as UTF-8 or else as Windows does."""
    line = _FOLD.sub(" ", value).strip()
    if line.isascii():
        return line
    try:
        return decoded(line.encode("utf-8", "surrogateescape"), "utf-8")
    except UnicodeEncodeError:
        return line.encode("utf-8", "replace").decode()


def words(value: str) -> str:
    """Encoded words in clear (RFC 2047). Neighbours are one text: some cut a letter in two."""
    if "=?" not in value:
        return value
    pieces: list[tuple[str, bytes]] = []
    out, at = "", 0
    text = _BETWEEN.sub(r"\1", value)
    for found in _WORD.finditer(text):
        if found.start() > at:
            out, pieces = out + _joined(pieces) + text[at : found.start()], []
        charset = found[1].partition("*")[0].lower()
        raw = found[3].encode("utf-8", "surrogateescape")
        octets = _base64(raw) if found[2] in "bB" else quopri.decodestring(raw.replace(b"_", b" "), header=False)
        if pieces and pieces[-1][0] == charset:
            pieces[-1] = (charset, pieces[-1][1] + octets)
        else:
            pieces.append((charset, octets))
        at = found.end()
    return out + _joined(pieces) + text[at:]


def _joined(pieces: list[tuple[str, bytes]]) -> str:
    return "".join(decoded(octets, charset) for charset, octets in pieces)
