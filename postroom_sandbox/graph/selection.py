"""Which messages a list shows: filtering, ordering and the combinations Exchange refuses (graph.md 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import msgspec

from postroom_sandbox.clock import parse_iso
from postroom_sandbox.graph.call import bad_request
from postroom_sandbox.graph.extended import canonical, value_of
from postroom_sandbox.graph.filters import AnyOf, Compare, Test, conjuncts, fields_of, holds
from postroom_sandbox.graph.odata import parse_uri_error
from postroom_sandbox.http import ApiError
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.model import DRAFT, HAS_ATTACHMENTS, OTHER, READ, Message, MessageList

_CHUNK = 500
EXTENDED = "singlevalueextendedproperties"


class _Box(msgspec.Struct):
    name: str = ""
    address: str = ""


class _Person(msgspec.Struct, rename="camel"):
    email_address: _Box


class Said(msgspec.Struct, rename="camel"):
    """The parts of a summary that can be filtered and sorted by."""

    subject: str = ""
    body_preview: str = ""
    importance: str = "normal"
    sent_date_time: str = ""
    is_read_receipt_requested: bool | None = None
    from_: _Person | None = msgspec.field(name="from", default=None)
    sender: _Person | None = None
    to_recipients: list[_Person] = []
    cc_recipients: list[_Person] = []
    bcc_recipients: list[_Person] = []


_decode = msgspec.json.Decoder(Said).decode


class Row:
    """A message while a filter looks at it; its summary is read only if asked for."""

    __slots__ = ("__dict__", "_summary", "mailbox", "message")

    def __init__(self, mailbox: Mailbox, message: Message, summary: bytes | None = None) -> None:
        self.mailbox = mailbox
        self.message = message
        self._summary = summary

    @cached_property
    def said(self) -> Said:
        """Subject, people and so on."""
        summary = self._summary
        if summary is None:
            summary = self.mailbox.contents.summaries([self.message.content])[self.message.content]
        return _decode(b"{" + summary + b"}")


def _person(pick: Callable[[Said], _Person | None], part: str) -> Callable[[Row], str | None]:
    def get(row: Row) -> str | None:
        person = pick(row.said)
        return getattr(person.email_address, part) if person else None

    return get


_STATE: dict[str, Callable[[Row], Any]] = {
    "receiveddatetime": lambda row: float(row.message.received),
    "createddatetime": lambda row: float(row.message.created),
    "lastmodifieddatetime": lambda row: float(row.message.modified),
    "isread": lambda row: bool(row.message.flags & READ),
    "isdraft": lambda row: bool(row.message.flags & DRAFT),
    "hasattachments": lambda row: bool(row.message.flags & HAS_ATTACHMENTS),
    "flag/flagstatus": lambda row: row.message.flag_status,
    "inferenceclassification": lambda row: "other" if row.message.flags & OTHER else "focused",
    "internetmessageid": lambda row: row.message.internet_message_id,
    "conversationid": lambda row: row.mailbox.ids.conversation(row.message.conversation),
    "parentfolderid": lambda row: row.mailbox.ids.folder(row.message.folder.number),
}
_SAID: dict[str, Callable[[Row], Any]] = {
    "subject": lambda row: row.said.subject,
    "bodypreview": lambda row: row.said.body_preview,
    "importance": lambda row: row.said.importance,
    "isreadreceiptrequested": lambda row: row.said.is_read_receipt_requested,
    "sentdatetime": lambda row: parse_iso(row.said.sent_date_time).timestamp(),
    "from/emailaddress/address": _person(lambda said: said.from_, "address"),
    "from/emailaddress/name": _person(lambda said: said.from_, "name"),
    "sender/emailaddress/address": _person(lambda said: said.sender, "address"),
    "sender/emailaddress/name": _person(lambda said: said.sender, "name"),
}
_FIELDS = _STATE | _SAID
_COLLECTIONS = {"categories", EXTENDED}
_UNSEARCHABLE = {"torecipients", "ccrecipients", "bccrecipients", "replyto", "body", "body/content", "attachments"}


def check(test: Test | None, orderby: Sequence[tuple[str, bool]]) -> None:
    """Raises `ApiError` 400 for unknown properties and for what Exchange calls too complex."""
    named = [name.lower() for name in fields_of(test)] if test else []
    ordered = [name.lower() for name, _ in orderby]
    for name in (*named, *ordered):
        if name in _UNSEARCHABLE:
            raise bad_request("The query filter contains one or more invalid nodes.", "ErrorInvalidUrlQueryFilter")
        if name not in _FIELDS and (name not in _COLLECTIONS or name in ordered):
            raise parse_uri_error(f"Could not find a property named '{name}' on type 'microsoft.graph.message'.")
    if test and ordered and (named[: len(ordered)] != ordered or "categories" in named):
        raise inefficient()


def inefficient() -> ApiError:
    """400 `InefficientFilter`."""
    return bad_request("The restriction or sort order is too complex for this operation.", "InefficientFilter")


def candidates(mailbox: Mailbox, source: MessageList, test: Test | None) -> Iterable[Message]:
    """Messages worth looking at, newest first: indexes answer what they can."""
    low, high = 0, len(source.items)
    for part in conjuncts(test) if test else ():
        if isinstance(part, AnyOf) and part.field.lower() == EXTENDED:
            return _newest_first(mailbox, source, mailbox.extended.values())
        if not isinstance(part, Compare):
            continue
        name = part.field.lower()
        if name == "internetmessageid" and part.operator == "eq":
            return _newest_first(mailbox, source, mailbox.with_message_id(str(part.value)))
        if name == "conversationid" and part.operator == "eq":
            number = mailbox.ids.conversation_of(str(part.value))
            members = mailbox.conversations.members.get(number, {}) if number is not None else {}
            return _newest_first(mailbox, source, members.values())
        if name == "receiveddatetime" and isinstance(part.value, float):
            low, high = _narrowed(source, part, low, high)
    return reversed(source.items[low:high]) if (low, high) != (0, len(source.items)) else reversed(source.items)


def _narrowed(source: MessageList, part: Compare, low: int, high: int) -> tuple[int, int]:
    assert isinstance(part.value, float)
    whole = int(part.value // 1)
    if part.operator in ("ge", "gt"):
        return max(low, source.before((whole, 0))), high
    if part.operator in ("le", "lt"):
        return low, min(high, source.before((whole + 1, 0)))
    return low, high


def _newest_first(mailbox: Mailbox, source: MessageList, found: Iterable[Message]) -> list[Message]:
    if source is mailbox.all:
        listed = [message for message in found if message.folder.well_known != "recoverableitemsdeletions"]
    else:
        listed = [message for message in found if message.folder.messages is source]
    return sorted(listed, key=Message.order, reverse=True)


def select(
    mailbox: Mailbox, source: MessageList, test: Test | None, orderby: Sequence[tuple[str, bool]]
) -> Iterator[Message]:
    """The messages of `source` that pass, in the wanted order (newest first when none is given)."""
    check(test, orderby)
    found = candidates(mailbox, source, test)
    passed: Iterator[Message] = _passing(mailbox, found, test) if test else iter(found)
    names = [(name.lower(), descending) for name, descending in orderby]
    if not names or names == [("receiveddatetime", True)]:
        return passed
    if names == [("receiveddatetime", False)] and test is None:
        return iter(source.items)
    rows = list(_rows(mailbox, passed, names=[name for name, _ in names]))
    for name, descending in reversed(names):
        rows.sort(key=lambda row, get=_FIELDS[name]: _sortable(get(row)), reverse=descending)  # type: ignore[misc]
    return (row.message for row in rows)


def _sortable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else "" if value is None else value


def _rows(mailbox: Mailbox, messages: Iterator[Message], *, names: Iterable[str]) -> Iterator[Row]:
    """Rows with their summaries read in chunks when any of the properties needs them."""
    if not any(name in _SAID for name in names):
        for message in messages:
            yield Row(mailbox, message)
        return
    size = 50
    while chunk := list(islice(messages, size)):
        summaries = mailbox.contents.summaries({message.content for message in chunk})
        for message in chunk:
            yield Row(mailbox, message, summaries[message.content])
        size = _CHUNK


def _passing(mailbox: Mailbox, messages: Iterable[Message], test: Test) -> Iterator[Message]:
    names = [name.lower() for name in fields_of(test)]
    for row in _rows(mailbox, iter(messages), names=names):
        if holds(test, lambda name, row=row: _FIELDS[name.lower()](row), lambda any_of, row=row: _any(row, any_of)):  # type: ignore[misc]
            yield row.message


def _any(row: Row, test: AnyOf) -> bool:
    if test.field.lower() == "categories":
        return any(holds(test.test, lambda _, word=word: word, _never) for word in row.message.categories)  # type: ignore[misc]
    identifier = next(
        (part.value for part in conjuncts(test.test) if isinstance(part, Compare) and part.field == "id"), None
    )
    if not isinstance(identifier, str):
        raise bad_request("singleValueExtendedProperties needs a comparison of its id.", "ErrorInvalidUrlQueryFilter")
    value = value_of(row.mailbox, row.message, canonical(identifier))
    rest = [part for part in conjuncts(test.test) if not (isinstance(part, Compare) and part.field == "id")]
    return value is not None and all(holds(part, lambda _: value, _never) for part in rest)


def _never(_: AnyOf) -> bool:
    return False
