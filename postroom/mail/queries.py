"""What screens read. Every list goes by keyset, so no page costs more because there is more mail.

Everything is read as a member sees it: mail of mailboxes the member may not read does not exist here.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from postroom.mail.models import Attachment, Correspondent, Folder, Message, Participant, Thread
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import FolderRole
from postroom.workspaces.models import Membership

PAGE = 40
LONG_CONVERSATION = 200  # messages of one conversation that a screen shows at once

Item = TypeVar("Item")
_LAST_ID = 2**62


class Cursor(NamedTuple):
    """Where a page starts: just below this moment; ``id`` orders what has the same one."""

    at: datetime = datetime(9999, 1, 1, tzinfo=UTC)
    id: int = _LAST_ID

    def write(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.at.isoformat(), self.id]).encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """What ``Page.next`` said; the beginning for anything else."""
    try:
        at, number = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        return Cursor(moment if moment.tzinfo else moment.replace(tzinfo=UTC), max(0, min(int(number), _LAST_ID)))
    except (ValueError, TypeError, binascii.Error, OverflowError, RecursionError):
        return Cursor()


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page and the cursor of the next, empty on the last."""

    items: Sequence[Item]
    next: str = ""


@dataclass(frozen=True)
class Line:
    """One thread in a list: when it last stirred there, and how much of it is unread there."""

    thread: Thread
    at: datetime
    unread: int


@dataclass(frozen=True)
class Shown:
    """One message of a conversation. ``copies``: the same mail in other mailboxes, by Message-ID, itself included."""

    message: Message
    attachments: Sequence[Attachment] = ()
    copies: Sequence[int] = ()

    @property
    def files(self) -> list[Attachment]:
        """What a reader calls attachments: not the pictures inside the text."""
        return [one for one in self.attachments if not (one.is_inline and one.content_id)]


@dataclass(frozen=True)
class Conversation:
    """A conversation as one member sees it, oldest message first. ``earlier``: how many older ones are left out."""

    id: int
    subject: str
    messages: Sequence[Shown]
    threads: Sequence[Thread] = field(default_factory=tuple)
    earlier: int = 0


# --- lists of threads --------------------------------------------------------------------------------------------

# The newest places of each folder that come after the cursor; one thread of a conversation speaks for all of them.
_PLACES = """
SELECT p.thread_id, p.last_at, p.unread
FROM unnest(%(folders)s::bigint[]) AS f (id)
CROSS JOIN LATERAL (
    SELECT place.thread_id, place.last_at, place.unread FROM mail_threadfolder place
    WHERE place.folder_id = f.id AND (place.last_at, place.thread_id) < (%(at)s, %(id)s) {unread} {once} {without}
    ORDER BY place.last_at DESC, place.thread_id DESC LIMIT %(limit)s
) p
ORDER BY p.last_at DESC, p.thread_id DESC LIMIT %(limit)s
"""
_UNREAD = "AND place.unread > 0"
_WITHOUT = """AND NOT EXISTS (
    SELECT 1 FROM mail_thread away WHERE away.id = place.thread_id AND away.conversation_id = ANY(%(without)s))"""
_ONCE = """AND NOT EXISTS (
    SELECT 1 FROM mail_thread mine
    JOIN mail_thread other ON other.conversation_id = mine.conversation_id
    JOIN mail_threadfolder there ON there.thread_id = other.id AND there.folder_id = ANY(%(folders)s)
    WHERE mine.id = place.thread_id AND (there.last_at, there.thread_id) > (place.last_at, place.thread_id) {unread}
)"""


def inbox(
    member: Membership,
    *,
    filter: Literal["all", "unread"] = "all",
    mailbox: int | None = None,
    cursor: str = "",
    limit: int = PAGE,
) -> Page[Line]:
    """Threads in the inboxes of all mailboxes the member may read (or of one), newest first; a conversation that
    lies in several of them comes once."""
    folders = Folder.objects.filter(role=FolderRole.INBOX, mailbox__in=mailboxes_visible_to(member).order_by())
    if mailbox is not None:
        folders = folders.filter(mailbox=mailbox)
    ids = list(folders.values_list("pk", flat=True))
    return _lines(ids, cursor, unread_only=filter == "unread", limit=limit)


def folder_threads(folder: Folder, cursor: str = "", *, unread_only: bool = False, limit: int = PAGE) -> Page[Line]:
    """Threads with a message in one folder, newest there first. The caller has checked who asks."""
    return _lines([folder.pk], cursor, unread_only=unread_only, limit=limit)


def threads_in(
    folders: Sequence[int],
    cursor: str = "",
    *,
    unread_only: bool = False,
    limit: int = PAGE,
    without: Collection[int] = (),
) -> Page[Line]:
    """The same for several folders at once, by id; a conversation that lies in several of them comes once.
    ``without``: conversations to leave out."""
    return _lines(folders, cursor, unread_only=unread_only, limit=limit, without=without)


def _lines(
    folders: Sequence[int], cursor: str, *, unread_only: bool, limit: int, without: Collection[int] = ()
) -> Page[Line]:
    once = _ONCE.format(unread="AND there.unread > 0" if unread_only else "") if len(folders) > 1 else ""
    statement = _PLACES.format(unread=_UNREAD if unread_only else "", once=once, without=_WITHOUT if without else "")
    asked = {"folders": list(folders), "limit": limit + 1, "without": list(without)}
    rows = _rows(statement, {**asked, **read_cursor(cursor)._asdict()})
    more = Cursor(rows[limit - 1][1], rows[limit - 1][0]).write() if len(rows) > limit else ""
    return Page(lines_of(rows[:limit]), more)


def lines_of(rows: Sequence[tuple[int, datetime, int]]) -> list[Line]:
    """(thread, moment, unread) as lines, in that order."""
    threads = Thread.objects.select_related("mailbox").in_bulk([row[0] for row in rows])
    return [Line(threads[thread], at, unread) for thread, at, unread in rows if thread in threads]


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as db:
        db.execute(statement, parameters)
        return list(db.fetchall())


# --- one conversation --------------------------------------------------------------------------------------------


def conversation(member: Membership, conversation_id: int) -> Conversation | None:
    """All of a conversation that the member may read, ``None`` when that is nothing.

    The same mail in several mailboxes is shown once: the copy that has its body and lies in the best place.
    """
    mailboxes = mailboxes_visible_to(member).order_by()
    threads = list(
        Thread.objects.filter(conversation=conversation_id, mailbox__in=mailboxes)
        .select_related("mailbox")
        .order_by("-last_at", "-id")
    )
    return conversation_of(threads) if threads else None


def conversation_of(threads: Sequence[Thread]) -> Conversation:
    """The conversation whose readable threads these are, at least one. The caller has checked who asks."""
    rows = list(
        Message.objects.filter(thread__in=threads)
        .select_related("folder", "mailbox", "body")
        .defer("body__html", "body__text")
        .order_by("-received", "-id")[: LONG_CONVERSATION + 1]
    )
    earlier = sum(thread.count for thread in threads) - LONG_CONVERSATION if len(rows) > LONG_CONVERSATION else 0
    shown = _once_each(rows[:LONG_CONVERSATION])
    return Conversation(threads[0].conversation_id, _subject(threads), shown, threads, earlier)


def _once_each(rows: Sequence[Message]) -> list[Shown]:
    """Oldest first; of copies of one mail the best."""
    copies: dict[str, list[Message]] = {}
    for row in rows:
        copies.setdefault(row.internet_message_id or f"#{row.pk}", []).append(row)
    best = sorted((min(same, key=_rank) for same in copies.values()), key=lambda row: (row.received, row.pk))
    files: dict[int, list[Attachment]] = {}
    for one in Attachment.objects.filter(message__in=best).order_by("pk"):
        files.setdefault(one.message_id, []).append(one)
    return [
        Shown(row, files.get(row.pk, ()), [same.pk for same in copies[row.internet_message_id or f"#{row.pk}"]])
        for row in best
    ]


def best_copy(rows: Sequence[Message]) -> Message:
    """Of the first of some messages and its copies among them the one to go on with."""
    key = rows[0].internet_message_id
    return min((one for one in rows if key and one.internet_message_id == key), key=_rank, default=rows[0])


_BAD_PLACES = {FolderRole.DELETED, FolderRole.JUNK, FolderRole.OUTBOX}


def _rank(row: Message) -> tuple[bool, bool, int]:
    return row.body_state != Message.BodyState.STORED, row.folder.role in _BAD_PLACES, row.pk


def _subject(threads: Sequence[Thread]) -> str:
    return next((thread.subject for thread in threads if thread.subject), "")


def visible_message(member: Membership, message_id: int) -> Message | None:
    """A message the member may read, with its mailbox and body."""
    found = Message.objects.filter(pk=message_id, mailbox__in=mailboxes_visible_to(member).order_by())
    return found.select_related("mailbox", "folder", "body", "thread").first()


OpenedThrough = Callable[[Membership, Message], bool]
_opened_through: list[OpenedThrough] = []


def set_opened_through(answer: OpenedThrough) -> None:
    """Who else knows why a member may read a message: a package above, when its owner shows it on a record."""
    _opened_through[:] = [answer]


def may_read(member: Membership, message: Message) -> bool:
    """Whether the member may read a message: it lies in a mailbox they may use, or its owner shows all of it."""
    if message.mailbox.workspace_id != member.workspace_id:
        return False
    if mailboxes_visible_to(member).order_by().filter(pk=message.mailbox_id).exists():
        return True
    return any(opens(member, message) for opens in _opened_through)


def readable_message(member: Membership, message_id: int) -> Message | None:
    """A message the member may read, for its text and files alone: ``visible_message`` is for who works on it."""
    rows = Message.objects.filter(pk=message_id).select_related("mailbox", "folder", "body", "thread")
    found = rows.first()
    return found if found is not None and may_read(member, found) else None


# --- counts ------------------------------------------------------------------------------------------------------


def unread_counts(member: Membership) -> dict[int, int]:
    """Unread messages in the inbox of each mailbox the member may read, by mailbox id."""
    folders = Folder.objects.filter(role=FolderRole.INBOX, mailbox__in=mailboxes_visible_to(member).order_by())
    rows = folders.values("mailbox").annotate(waiting=Sum("unread")).values_list("mailbox", "waiting")
    return dict(rows)


def counts(mailbox: Mailbox) -> dict[str, int]:
    """How much of a mailbox is here: ``messages``, ``unread``, ``folders``."""
    found = Folder.objects.filter(mailbox=mailbox).aggregate(
        messages=Sum("total", default=0), unread=Sum("unread", default=0), folders=Count("pk", filter=Q(hidden=False))
    )
    return {name: int(value) for name, value in found.items()}


# --- people ------------------------------------------------------------------------------------------------------


# Whether the member may read mail with somebody is dear to find out, so it is asked of the best alone until there are
# enough (OFFSET 0 keeps the planner from asking it of all of them first).
_CORRESPONDENTS = """
SELECT c.* FROM (
    SELECT * FROM mail_correspondent WHERE workspace_id = %(workspace)s
    AND (address LIKE %(address)s OR name ILIKE %(name)s) ORDER BY sent DESC, last_at DESC OFFSET 0
) c WHERE EXISTS (
    SELECT FROM mail_participant p WHERE p.address = c.address AND p.mailbox_id = ANY(%(mailboxes)s::bigint[])
) ORDER BY c.sent DESC, c.last_at DESC LIMIT %(limit)s
"""


def correspondents(
    member: Membership, text: str, *, limit: int = 8, mailboxes: Sequence[int] | None = None
) -> list[Correspondent]:
    """People whose address or name contains ``text``, those written to first. Only who takes part in mail the member
    may read: whom a colleague writes with in private is nobody else's business. ``mailboxes`` as for ``seen_by``."""
    text = text.strip().replace("\0", "")
    if not text:
        return []
    part = "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
    asked = {
        "workspace": member.workspace_id,
        "address": part.lower(),
        "name": part,
        "mailboxes": list(mailboxes_of(member) if mailboxes is None else mailboxes),
        "limit": limit,
    }
    return list(Correspondent.objects.raw(_CORRESPONDENTS, asked))


def mailboxes_of(member: Membership) -> list[int]:
    """The ids of the mailboxes whose mail the member may read."""
    return list(mailboxes_visible_to(member).order_by().values_list("pk", flat=True))


def seen_by(member: Membership, mailboxes: Sequence[int] | None = None) -> QuerySet[Correspondent]:
    """Who takes part in mail of the mailboxes the member may read; ``mailboxes``: their ids, if they are at hand."""
    mailboxes = mailboxes_of(member) if mailboxes is None else mailboxes
    heard = Participant.objects.filter(address=OuterRef("address"), mailbox__in=mailboxes)
    return Correspondent.objects.filter(Exists(heard), workspace=member.workspace_id)
