"""Bytes of unknown or lying charset into clean text. Nothing here raises."""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

_ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "windows-31j": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "windows-874": "cp874",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "x-unknown": "utf-8",
    "utf8": "utf-8",
    "iso-2022-jp": "iso-2022-jp-ext",
}
# Codecs that are no charsets, or whose decoding is quadratic.
_REFUSED = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=")
_ADJACENT = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]{1,40}\?[bBqQ]\?)")
_BASE64_JUNK = re.compile(rb"[^A-Za-z0-9+/]")


@lru_cache(maxsize=512)
def _codec(charset: str) -> str | None:
    name = charset.strip().strip("\"'").lower()
    name = name.partition("*")[0]  # RFC 2231 language suffix in encoded words
    try:
        info = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError):
        return None
    if info.name in _REFUSED or not info._is_text_encoding:
        return None
    return info.name


def clean(text: str) -> str:
    """`text` as Exchange could have stored it: NUL and lone surrogates become U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii() and _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def decode(data: bytes, charset: str | None) -> str:
    """`data` as text: in its charset, or as UTF-8 when that fits, or as windows-1252."""
    codec = _codec(charset) if charset else None
    if codec == "cp1252" or codec is None:
        try:
            return clean(data.decode("utf-8"))
        except UnicodeDecodeError:
            return clean(data.decode("cp1252", "replace"))
    try:
        return clean(data.decode(codec, "replace"))
    except (ValueError, OverflowError, AssertionError):
        return clean(data.decode("latin-1"))


def decode_header(raw: bytes) -> str:
    """A header's bytes as text, encoded words left alone (see `decode_words`)."""
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        return decode(raw, None)


def from_base64(data: bytes) -> bytes:
    """Base64 with any damage: foreign bytes skipped, missing padding added, a lone last character dropped."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        data = _BASE64_JUNK.sub(b"", data)
        if len(data) % 4 == 1:
            data = data[:-1]
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


def _word_bytes(encoding: str, payload: str) -> bytes:
    data = payload.encode("utf-8", "replace")
    if encoding in "bB":
        return from_base64(data)
    return binascii.a2b_qp(data, header=True)


def decode_words(text: str) -> str:
    """RFC 2047 encoded words in `text` decoded; runs of one charset are joined before decoding, so a character
    split between two words survives."""
    if "=?" not in text:
        return clean(text)
    text = _ADJACENT.sub(r"\1", text)
    out: list[str] = []
    pending, charset, at = b"", "", 0
    for word in _WORD.finditer(text):
        gap = text[at : word.start()]
        if pending and (gap or word[1].lower() != charset):
            out.append(decode(pending, charset))
            pending = b""
        out.append(gap)
        charset = word[1].lower()
        pending += _word_bytes(word[2], word[3])
        at = word.end()
    if pending:
        out.append(decode(pending, charset))
    out.append(text[at:])
    return clean("".join(out))
