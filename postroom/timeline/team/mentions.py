"""Mentions: "@Ben Okafor", "@ben" in the text of a comment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

_AT = re.compile(r"(?<![\w@.])@(?=\w)")


class Named(Protocol):
    """Who may stand behind an @."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...


Who = TypeVar("Who", bound=Named)


def handles(members: Iterable[Who]) -> dict[str, Who]:
    """What may stand behind the @ for each, case-folded: the name, the address, and, where it is nobody else's, the
    first name and the local part of the address."""
    everybody = list(members)
    short = Counter(word for one in everybody for word in _short(one))
    found = {word: one for one in everybody for word in _short(one) if short[word] == 1}
    return found | {word.casefold(): one for one in everybody for word in (one.address, one.name)}


def _short(member: Named) -> set[str]:
    return {member.name.split()[0].casefold(), member.address.partition("@")[0].casefold()}


def found(text: str, members: Sequence[Who]) -> list[tuple[int, int, Who]]:
    """(start, end, who) of every mention; the longest name that fits counts. What fits nobody is plain text."""
    known = sorted(handles(members).items(), key=lambda one: -len(one[0]))
    places = []
    for at in _AT.finditer(text):
        for word, member in known:
            end = at.end() + len(word)
            if text[at.end() : end].casefold() == word and not re.match(r"\w", text[end : end + 1]):
                places.append((at.start(), end, member))
                break
    return places


def pieces(text: str, members: Sequence[Who]) -> list[tuple[str, Who | None]]:
    """The text cut where it mentions somebody."""
    cut: list[tuple[str, Who | None]] = []
    last = 0
    for start, end, member in found(text, members):
        if start < last:
            continue
        cut += [(text[last:start], None), (text[start:end], member)]
        last = end
    return [(part, who) for part, who in [*cut, (text[last:], None)] if part]
