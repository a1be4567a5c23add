"""`$search` on messages: the part of KQL people type (graph.md 2.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from postroom_sandbox.clock import parse_iso, seconds_of
from postroom_sandbox.graph.call import bad_request
from postroom_sandbox.graph.selection import Row, Said
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.model import HAS_ATTACHMENTS, Message, MessageList
from postroom_sandbox.text import html_to_text

RESULT_CAP = 1000
LONGEST = 4_000
_TOKEN = re.compile(r'\s*(?:(\w+)\s*(:|>=|<=|>|<|=)\s*)?("[^"]*"|[()]|[^\s()"]+)')
_PEOPLE: dict[str, tuple[str, ...]] = {
    "from": ("from_",),
    "to": ("to_recipients",),
    "cc": ("cc_recipients",),
    "bcc": ("bcc_recipients",),
}
_PEOPLE |= {
    "recipients": ("to_recipients", "cc_recipients", "bcc_recipients"),
    "participants": ("from_", "to_recipients", "cc_recipients", "bcc_recipients"),
}
_WORDS = set("subject body attachment hasattachments importance kind received sent size".split())  # noqa: SIM905

Predicate = Callable[["Candidate"], bool]


class Candidate:
    """A message while a search looks at it."""

    def __init__(self, row: Row, body: bytes) -> None:
        self.row = row
        self._body = body
        self._text: str | None = None

    @property
    def said(self) -> Said:
        """Subject and people."""
        return self.row.said

    def in_body(self, word: re.Pattern[str], plain: str) -> bool:
        """Whether the body's readable text has the word; the stored JSON is asked first, being at hand."""
        if plain.isascii() and plain.encode() not in self._body.lower():
            return False
        if self._text is None:
            self._text = html_to_text(msgspec.json.decode(self._body))
        return word.search(self._text) is not None


def parse_search(text: str) -> Predicate:
    """The test behind a `$search` value. Raises `ApiError` 400 for what cannot be read."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"')
    if not text.strip() or len(text) > LONGEST or text.count("(") + text.count("NOT") > 50:
        raise bad_request("The search term is empty or too complex.")
    parser = _Parser([(found[1], found[2], found[3]) for found in _TOKEN.finditer(text)])
    return parser.disjunction()


class _Parser:
    def __init__(self, tokens: list[tuple[str | None, str | None, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def _next(self) -> tuple[str | None, str | None, str] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _word(self, *words: str) -> bool:
        token = self._next()
        if token and token[0] is None and token[2] in words:
            self._at += 1
            return True
        return False

    def disjunction(self) -> Predicate:
        parts = [self._conjunction()]
        while self._word("OR"):
            parts.append(self._conjunction())
        return lambda item: any(part(item) for part in parts)

    def _conjunction(self) -> Predicate:
        parts = [self._negation()]
        while (token := self._next()) and not (token[0] is None and token[2] in ("OR", ")")):
            self._word("AND")
            if self._next() is None:
                break
            parts.append(self._negation())
        return lambda item: all(part(item) for part in parts)

    def _negation(self) -> Predicate:
        if self._word("NOT"):
            inner = self._negation()
            return lambda item: not inner(item)
        token = self._next()
        if token is None:
            raise bad_request("Syntax error in $search.")
        self._at += 1
        if token[0] is None and token[2] == "(":
            inner = self.disjunction()
            self._word(")")
            return inner
        return _term((token[0] or "").lower(), token[1] or "", token[2].strip('"'))


def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(value)}", re.IGNORECASE)


def _term(name: str, operator: str, value: str) -> Predicate:
    if name and name not in _WORDS and name not in _PEOPLE:
        name, value = "", f"{name}{operator}{value}"
    value = value.strip("'").rstrip("*")
    word, plain = _pattern(value), value.lower()
    if name in _PEOPLE:
        return lambda item: _has_person(item.said, _PEOPLE[name], word)
    if name in ("received", "sent"):
        return _dated(name, operator, value)
    tests: dict[str, Predicate] = {
        "": lambda item: (
            bool(word.search(item.said.subject))
            or _has_person(item.said, ("from_",), word)
            or item.in_body(word, plain)
        ),
        "subject": lambda item: bool(word.search(item.said.subject)),
        "body": lambda item: item.in_body(word, plain),
        "importance": lambda item: item.said.importance == plain,
        "hasattachments": lambda item: (
            bool(item.row.message.flags & HAS_ATTACHMENTS) == (plain in ("true", "yes", "1"))
        ),
        "attachment": lambda item: any(word.search(name) for name in _file_names(item)),
        "kind": lambda item: plain == "email",
        "size": lambda item: True,
    }
    return tests[name]


def _file_names(item: Candidate) -> Iterator[str]:
    row = item.row
    return (info.name for info in row.mailbox.contents.attachments(row.message.content))


def _has_person(said: Said, fields: tuple[str, ...], word: re.Pattern[str]) -> bool:
    for field in fields:
        value = getattr(said, field)
        for person in value if isinstance(value, list) else [value] if value else []:
            if word.search(person.email_address.name) or word.search(person.email_address.address):
                return True
    return False


def _dated(name: str, operator: str, value: str) -> Predicate:
    try:
        start, _, end = value.partition("..")
        low = seconds_of(parse_iso(start))
        high = seconds_of(parse_iso(end or start)) + 86_400
    except ValueError:
        raise bad_request(f"'{value}' is no date in $search.") from None

    def test(item: Candidate) -> bool:
        moment = item.row.message.received
        if name == "sent":
            moment = seconds_of(parse_iso(item.said.sent_date_time))
        if operator in (">", ">="):
            return moment >= (high if operator == ">" else low)
        if operator in ("<", "<="):
            return moment < (low if operator == "<" else high)
        return low <= moment < high

    return test


def run_search(mailbox: Mailbox, source: MessageList, text: str) -> list[Message]:
    """The newest matches, at most `RESULT_CAP`, by sent date."""
    test = parse_search(text)
    found: list[Message] = []
    items = list(reversed(source.items))
    for at in range(0, len(items), 200):
        chunk = items[at : at + 200]
        contents = {message.content for message in chunk}
        summaries, bodies = mailbox.contents.summaries(contents), mailbox.contents.html(contents)
        looked_at = (Candidate(Row(mailbox, m, summaries[m.content]), bodies[m.content]) for m in chunk)
        found.extend(item.row.message for item in looked_at if test(item))
        if len(found) >= RESULT_CAP:
            break
    return found[:RESULT_CAP]
