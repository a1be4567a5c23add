"""Reading the access log: who may see which entries, filters, keyset pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.module_loading import import_string

from postroom.audit.models import Access
from postroom.workspaces.models import Membership, Permission

PAGE = 50
EXPORT_CHUNK = 2_000
_NAMES = ("q", "member", "mailbox", "what", "since", "until")


@dataclass(frozen=True)
class LoggedMailbox:
    """A mailbox as the log's screen names it. ``mine``: the asking member owns it."""

    id: int
    address: str
    mine: bool


@dataclass(frozen=True)
class Asked:
    """The filter of the screen; what is no filter is left out."""

    q: str = ""
    member: int | None = None
    mailbox: int | None = None
    what: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None
    problems: Sequence[str] = field(default_factory=tuple)

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Asked:
        """From the address of the page."""
        told = {name: given.get(name, "").replace("\0", "").strip()[:200] for name in (*_NAMES, "before")}
        dates = {name: _date(told[name]) for name in ("since", "until")}
        wrong = [f"{told[name]!r} is not a date." for name, found in dates.items() if told[name] and not found]
        what = told["what"] if told["what"] in Access.What.values else ""
        return cls(
            q=told["q"],
            member=_number(told["member"]),
            mailbox=_number(told["mailbox"]),
            what=what,
            before=_number(told["before"]),
            problems=wrong,
            **dates,
        )

    def query(self, **more: object) -> str:
        """The filter as a query string."""
        told = {name: getattr(self, name) for name in _NAMES} | more
        return urlencode({name: value for name, value in told.items() if value})


def mailboxes(member: Membership) -> list[LoggedMailbox]:
    """All of the workspace; whose they are decides what a member sees. (Mailboxes live above this package.)"""
    find = import_string(settings.ACCESS_LOG_MAILBOXES)
    return [LoggedMailbox(*one) for one in find(member)]


def visible(member: Membership, known: Sequence[LoggedMailbox]) -> QuerySet[Access]:
    """Admins see the whole log; everybody else who read the mailboxes they own."""
    entries = Access.objects.for_workspace(member.workspace_id)
    if member.may(Permission.MANAGE_WORKSPACE):
        return entries
    return entries.filter(of_mailbox__in=[one.id for one in known if one.mine])


def filtered(entries: QuerySet[Access], asked: Asked) -> QuerySet[Access]:
    """Newest first."""
    if asked.q:
        entries = entries.filter(_words(asked.q))
    exact = {"member_id": asked.member, "of_mailbox": asked.mailbox, "what": asked.what or None}
    entries = entries.filter(**{name: value for name, value in exact.items() if value is not None})
    if asked.since:
        entries = entries.filter(at__gte=_midnight(asked.since))
    if asked.until:
        entries = entries.filter(at__lt=_midnight(asked.until + timedelta(days=1)))
    return entries.order_by("-id")


def page(entries: QuerySet[Access], asked: Asked) -> tuple[list[Access], int | None]:
    """One page below ``asked.before``, and where the next one starts (None at the end)."""
    found = list((entries.filter(id__lt=asked.before) if asked.before else entries)[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


def every(entries: QuerySet[Access]) -> Iterator[Access]:
    """All of them, read in chunks by keyset: an export of a year holds nothing open and fits in memory."""
    last = None
    while True:
        chunk = list((entries.filter(id__lt=last) if last else entries)[:EXPORT_CHUNK])
        yield from chunk
        if len(chunk) < EXPORT_CHUNK:
            return
        last = chunk[-1].pk


def people(member: Membership) -> list[Membership]:
    """Who can be filtered by."""
    rows = Membership.objects.for_workspace(member.workspace_id).select_related("user")
    return sorted(rows, key=lambda one: one.name.lower())


def _words(text: str) -> Q:
    """Who, from where, with what; a number is an id of a conversation or message."""
    words = Q(who__icontains=text) | Q(agent__icontains=text) | Q(address__startswith=text)
    number = _number(text.removeprefix("#"))
    return words if number is None else words | Q(conversation_id=number) | Q(message_ids__contains=[number])


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _date(text: str) -> date | None:
    try:
        found = parse_date(text) if text else None
    except ValueError:
        return None
    return found if found and 1900 < found.year < 9000 else None  # a day more, in any zone, is a day too


def _midnight(day: date) -> datetime:
    """The beginning of a day where the member lives."""
    return datetime.combine(day, time.min, timezone.get_current_timezone())


def row(entry: Access, known: Mapping[int, LoggedMailbox]) -> dict[str, Any]:
    """An entry in words, for the screen and the export."""
    box = known.get(entry.of_mailbox)
    return {
        "entry": entry,
        "mailbox": box.address if box else f"mailbox {entry.of_mailbox} (deleted)",
        "what": Access.What(entry.what).label,
        "how": Access.How(entry.how).label,
        "thing": _thing(entry),
    }


def _thing(entry: Access) -> str:
    """By numbers, never by what is written in it."""
    parts = [f"conversation {entry.conversation_id}"] if entry.conversation_id else []
    count = len(entry.message_ids)
    if count == 1:
        parts.append(f"message {entry.message_ids[0]}")
    elif count:
        parts.append(f"{count:,} messages")
    if entry.attachment_id:
        parts.append(f"file {entry.attachment_id}")
    return " · ".join(parts)
