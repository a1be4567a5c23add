"""What a person types into the search box, understood. Pure.

    invoice "net 30" from:ana subject:renewal has:attachment in:inbox is:unread before:2026-03 after:2025 -draft
    record:contoso

Words must all occur, in any order; what stands in quotes must occur as it is; a word that is still being typed (the
last one, with nothing behind it) stands for all words that begin with it. Whatever cannot be understood is named in
``problems`` and otherwise left out, so that half a query already finds something.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

MAX_LENGTH = 500
MAX_TERMS = 20
_PIECE = re.compile(r'(?P<minus>-?)(?:(?P<name>[a-zA-Z]{2,12}):)?(?:"(?P<quoted>[^"]*)"?|(?P<word>[^\s"]+))')
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?\Z")

Where = Literal["any", "subject", "from", "to"]
States = Literal["unread", "read", "flagged"]


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase. ``begins``: any word that begins like the last word of it. ``absent``: must not occur."""

    text: str
    where: Where = "any"
    phrase: bool = False
    begins: bool = False
    absent: bool = False


@dataclass(slots=True)
class Query:
    """``after`` is included, ``before`` is not; both are the first moment of a day, month or year, in UTC.

    ``records``: the words of a record the mail must be on, or (True) must not be.
    """

    terms: list[Term] = field(default_factory=list)
    attachments: bool = False
    folders: list[str] = field(default_factory=list)
    states: set[States] = field(default_factory=set)
    records: list[tuple[str, bool]] = field(default_factory=list)
    before: datetime | None = None
    after: datetime | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        filters = self.attachments or self.folders or self.states or self.records or self.before or self.after
        return not (filters or any(not term.absent for term in self.terms))


def parse(text: str) -> Query:
    """Never raises."""
    query = Query()
    text = text[:MAX_LENGTH].replace("\0", " ")
    for piece in _PIECE.finditer(text):
        value = piece["quoted"] if piece["quoted"] is not None else piece["word"]
        name = (piece["name"] or "").lower()
        understand = _OPERATORS.get(name)
        if name and understand is None:  # "Re: offer", "http://…": words like others
            name, value = "", f"{piece['name']}:{value}"
        value = value.strip()
        if not value or (not name and value.lower().rstrip(":") in _OPERATORS and value.endswith(":")):
            continue  # an operator whose value is still to be typed
        if understand is not None and name:
            understand(query, value, piece)
        elif len(query.terms) < MAX_TERMS:
            query.terms.append(_term(value, "any", piece, text))
    return query


def _term(value: str, where: Where, piece: re.Match[str], text: str) -> Term:
    phrase = piece["quoted"] is not None
    typing = not phrase and piece.end() == len(text)
    return Term(value, where, phrase=phrase, begins=typing, absent=bool(piece["minus"]))


def _in_text(where: Where) -> Callable[[Query, str, re.Match[str]], None]:
    def understand(query: Query, value: str, piece: re.Match[str]) -> None:
        if len(query.terms) < MAX_TERMS:
            query.terms.append(_term(value, where, piece, piece.string))

    return understand


def _has(query: Query, value: str, piece: re.Match[str]) -> None:
    if value.lower() in {"attachment", "attachments", "file", "files"}:
        query.attachments = True
    else:
        _problem(query, piece, "has:attachment")


def _in(query: Query, value: str, piece: re.Match[str]) -> None:
    query.folders.append(value)


def _is(query: Query, value: str, piece: re.Match[str]) -> None:
    states: dict[str, States] = {"unread": "unread", "read": "read", "flagged": "flagged", "starred": "flagged"}
    if state := states.get(value.lower()):
        query.states.add(state)
    else:
        _problem(query, piece, "is:unread, is:read or is:flagged")


def _record(query: Query, value: str, piece: re.Match[str]) -> None:
    if len(query.records) < MAX_TERMS:
        query.records.append((value, bool(piece["minus"])))


def _before(query: Query, value: str, piece: re.Match[str]) -> None:
    query.before = _date(query, value, piece) or query.before


def _after(query: Query, value: str, piece: re.Match[str]) -> None:
    query.after = _date(query, value, piece) or query.after


def _date(query: Query, value: str, piece: re.Match[str]) -> datetime | None:
    found = _DATE.match(value)
    try:
        if found:
            return datetime(int(found[1]), int(found[2] or 1), int(found[3] or 1), tzinfo=UTC)
    except ValueError:
        pass
    _problem(query, piece, f"{(piece['name'] or '').lower()}:2026-03-31, :2026-03 or :2026")
    return None


def _problem(query: Query, piece: re.Match[str], known: str) -> None:
    query.problems.append(f"“{piece[0].strip()}” is not understood; try {known}")


_OPERATORS: dict[str, Callable[[Query, str, re.Match[str]], None]] = {
    "from": _in_text("from"),
    "to": _in_text("to"),
    "cc": _in_text("to"),
    "subject": _in_text("subject"),
    "has": _has,
    "in": _in,
    "is": _is,
    "record": _record,
    "before": _before,
    "after": _after,
}
