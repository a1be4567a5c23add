"""The piece of a text that answers a query, with the found words marked. Pure.

Letters are compared as the index compares them: without case and accents, one letter for one letter.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LENGTH = 200
_LOOKED_AT = 60_000  # characters


class Segment(NamedTuple):
    text: str
    found: bool


class _Letters(dict[int, str]):
    """One plain letter for every character, made when first met."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code).lower())[:1] or chr(code)
        self[code] = plain
        return plain


_LETTERS = _Letters()


def fold(text: str) -> str:
    """The text as it is compared; as long as the text."""
    return text.lower() if text.isascii() else text.translate(_LETTERS)


def needles(texts: Iterable[tuple[str, bool]]) -> re.Pattern[str] | None:
    """A pattern for (word or phrase, whether more letters may follow) over folded text."""
    parts = []
    for text, begins in texts:
        words = re.findall(r"\w+", fold(text))
        if words:
            parts.append(r"\W+".join(map(re.escape, words)) + (r"\w*" if begins else r"\b"))
    return re.compile(rf"\b(?:{'|'.join(sorted(parts, key=len, reverse=True))})") if parts else None


def marked(text: str, pattern: re.Pattern[str] | None) -> list[Segment]:
    """The whole text in segments."""
    if pattern is None:
        return [Segment(text, False)] if text else []
    segments, at = [], 0
    for found in pattern.finditer(fold(text)):
        segments += [Segment(text[at : found.start()], False), Segment(text[found.start() : found.end()], True)]
        at = found.end()
    return [one for one in (*segments, Segment(text[at:], False)) if one.text]


def snippet(text: str, pattern: re.Pattern[str] | None, *, length: int = LENGTH) -> list[Segment]:
    """About ``length`` characters around the place where most of the words stand together, else the beginning."""
    flat = " ".join(text[:_LOOKED_AT].split())
    hits = [found.start() for found in pattern.finditer(fold(flat))] if pattern else []
    start = _start(hits, flat, length)
    piece = flat[start : start + length].strip()
    segments = marked(piece, pattern)
    if start and segments:
        segments.insert(0, Segment("… ", False))
    if start + length < len(flat) and segments:
        segments.append(Segment(" …", False))
    return segments


def _start(hits: Sequence[int], text: str, length: int) -> int:
    if not hits or hits[-1] < length:
        return 0
    window = length * 3 // 4
    best = max(
        range(min(len(hits), 500)), key=lambda n: (sum(1 for hit in hits[n : n + 20] if hit < hits[n] + window), -n)
    )
    start = max(0, hits[best] - length // 4)
    return text.rfind(" ", 0, start) + 1 if start else 0
