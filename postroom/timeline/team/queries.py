"""What screens read of working together. Conversations are given by the caller, who has checked who asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import FilteredRelation, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, JSONObject, NullIf

from postroom.lib.clock import now
from postroom.mail.models import Composition, Thread
from postroom.timeline.team.commands import FRESH
from postroom.timeline.team.models import Assignment, Comment, Presence, Snooze
from postroom.timeline.team.snoozes import ON_TOP_FOR
from postroom.workspaces.models import Membership

MOST_COMMENTS = 200  # of one conversation that a screen shows, the newest
MOST_WOKEN = 200
REPLYING = FRESH  # a draft that was changed so short a time ago is being written


@dataclass(frozen=True)
class Marks:
    """What a line of a list says: whose a conversation is, and until when it slept or sleeps."""

    assignee: Membership | None = None
    snooze: Snooze | None = None


class Counts(NamedTuple):
    """Of a member: open conversations assigned to them, unread mentions, conversations asleep."""

    mine: int
    mentions: int
    snoozed: int


class Here(NamedTuple):
    """Who else has a conversation open, and whether they are answering."""

    member: Membership
    replying: bool


class Mentioned(NamedTuple):
    """A member whom a comment names."""

    pk: int
    name: str
    address: str


def slept(member: Membership) -> dict[int, Snooze]:
    """By conversation what sleeps, and what woke lately (``ON_TOP_FOR``), the latest first; one query."""
    rows = Snooze.objects.filter(_lately(), member=member).order_by("-until")
    return {row.conversation_id: row for row in rows}


def _lately(of: str = "") -> Q:
    """Asleep, or woke not long ago; ``of``: the way to the snooze."""
    since = now() - ON_TOP_FOR
    woke, until = {f"{of}woke_at__gt": since}, {f"{of}woke_at": None, f"{of}until__gt": since}
    return Q(**woke) | Q(**until)


def hidden(rows: Mapping[int, Snooze]) -> tuple[list[int], dict[int, datetime]]:
    """Of ``slept``: the conversations asleep, and those that woke with the moment they did."""
    moment = now()
    sleeping = [one for one, row in rows.items() if row.woke_at is None and row.until > moment]
    woken = {one: row.woke_at or row.until for one, row in rows.items() if one not in set(sleeping)}
    return sleeping, dict(list(woken.items())[:MOST_WOKEN])


def marks(conversations: Collection[int], snoozes: Mapping[int, Snooze]) -> dict[int, Marks]:
    """Of the conversations of a page; one query. ``snoozes``: those of the member."""
    ids = set(conversations)
    given = Assignment.objects.filter(conversation__in=ids, to__removed_at=None).select_related("to__user")
    theirs = {one.conversation_id: one.to for one in given}
    return {one: Marks(theirs.get(one), snoozes.get(one)) for one in ids}


def with_marks(threads: QuerySet[Thread], member: Membership) -> QuerySet[Thread]:
    """Threads that bring along what ``marks_of`` tells."""
    own = Q(conversation__snoozes__member=member) & _lately("conversation__snoozes__")
    marked = threads.annotate(own_snooze=FilteredRelation("conversation__snoozes", condition=own))
    brought: Any = ("own_snooze", "conversation__assignment__to__user")
    return marked.select_related(*brought)


def marks_of(thread: Thread) -> Marks:
    """Of one of ``with_marks``."""
    given: Assignment | None = getattr(thread.conversation, "assignment", None)
    to = given.to if given is not None and given.to.removed_at is None else None
    return Marks(to, getattr(thread, "own_snooze", None))


def comments(conversation: int) -> list[tuple[Comment, list[Mentioned]]]:
    """Oldest first, with author and whom they mention; one query."""
    named = Membership.objects.filter(mentioned_in=OuterRef("pk")).values(
        found=JSONObject(pk="pk", name=Coalesce(NullIf("user__name", Value("")), "user__email"), address="user__email")
    )
    rows = Comment.objects.filter(conversation=conversation, deleted_at=None).annotate(named=ArraySubquery(named))
    newest = list(rows.select_related("author__user").order_by("-created_at", "-pk")[:MOST_COMMENTS])
    return [(one, [Mentioned(**who) for who in cast(Any, one).named]) for one in reversed(newest)]


def newest_comment(conversation: int, *, besides: Membership | None = None) -> Comment | None:
    rows = Comment.objects.filter(conversation=conversation, deleted_at=None).select_related("author__user")
    if besides is not None:
        rows = rows.exclude(author=besides)
    return rows.order_by("-created_at", "-pk").first()


def last_mentions(conversations: Collection[int], member: Membership) -> dict[int, Comment]:
    """The newest comment of each that mentions the member."""
    rows = Comment.objects.filter(conversation__in=conversations, mentions=member, deleted_at=None)
    found = rows.order_by("conversation", "-created_at").distinct("conversation").select_related("author__user")
    return {one.conversation_id: one for one in found}


def here(conversation: int, *, besides: Membership) -> list[Here]:
    """The others who have it open, or answer it, those who answer first; two queries."""
    moment = now()
    looking = Presence.objects.filter(conversation=conversation, seen_at__gt=moment - FRESH)
    writing = Composition.objects.filter(
        conversation=conversation, state=Composition.State.DRAFT, updated_at__gt=moment - REPLYING
    )
    replying = {one.author_id: one.author for one in writing.exclude(author=besides).select_related("author__user")}
    others = looking.exclude(member=besides).select_related("member__user").order_by("member")
    looked = {one.member_id: one.member for one in others if one.member_id not in replying}
    return [*(Here(one, True) for one in replying.values()), *(Here(one, False) for one in looked.values())]


# --- lists -------------------------------------------------------------------------------------------------------

# A conversation is shown by its newest thread in a mailbox the member may read.
_SHOWN = """
SELECT DISTINCT ON (t.conversation_id) t.id, t.conversation_id, t.last_at, t.unread
FROM mail_thread t WHERE t.conversation_id = {which} AND t.mailbox_id = ANY(%(mailboxes)s)
ORDER BY t.conversation_id, t.last_at DESC, t.id DESC
"""
# Open: not yet archived, deleted or put away; in the Inbox or a folder of one's own.
_OPEN = """
SELECT 1 FROM mail_thread open JOIN mail_threadfolder place ON place.thread_id = open.id
JOIN mail_folder f ON f.id = place.folder_id AND f.role IN ('inbox', '')
WHERE open.conversation_id = {which} AND open.mailbox_id = ANY(%(mailboxes)s)
"""
_MINE = """
SELECT s.id, s.last_at AS at, s.unread FROM timeline_assignment a JOIN LATERAL ({shown}) s ON true
WHERE a.to_id = %(member)s AND EXISTS ({open})
"""
_MENTIONS = """
SELECT s.id, said.at, s.unread FROM (
    SELECT c.conversation_id, max(c.created_at) AS at FROM timeline_comment_mentions m
    JOIN timeline_comment c ON c.id = m.comment_id AND c.deleted_at IS NULL
    WHERE m.membership_id = %(member)s GROUP BY 1) said
JOIN LATERAL ({shown}) s ON true
"""
_SNOOZED = """
SELECT s.id, s.last_at AS at, s.unread FROM timeline_snooze z JOIN LATERAL ({shown}) s ON true
WHERE z.member_id = %(member)s AND z.woke_at IS NULL AND z.until > %(now)s
"""
_UNREAD_MENTIONS = """
SELECT count(DISTINCT n.conversation_id) FROM timeline_notice n
JOIN timeline_comment c ON c.id = n.comment_id AND c.deleted_at IS NULL
WHERE n.member_id = %(member)s AND n.kind = 'mention' AND n.read_at IS NULL AND EXISTS (
    SELECT 1 FROM mail_thread t WHERE t.conversation_id = n.conversation_id AND t.mailbox_id = ANY(%(mailboxes)s))
"""


def _of(source: str, which: str) -> str:
    return source.format(shown=_SHOWN.format(which=which), open=_OPEN.format(which=which))


_SOURCES = {
    "mine": _of(_MINE, "a.conversation_id"),
    "mentions": _of(_MENTIONS, "said.conversation_id"),
    "snoozed": _of(_SNOOZED, "z.conversation_id"),
}
_PAGE = """
SELECT x.id, x.at, x.unread FROM ({source}) x {flagged}
WHERE (x.at, x.id) < (%(at)s, %(id)s) {unread} ORDER BY x.at DESC, x.id DESC LIMIT %(limit)s
"""
_COUNTS = """
SELECT (SELECT count(*) FROM ({mine}) a), (SELECT count(*) FROM ({snoozed}) b), ({mentions})
"""
_COUNTS = _COUNTS.format(mine=_SOURCES["mine"], snoozed=_SOURCES["snoozed"], mentions=_UNREAD_MENTIONS)
WORK = tuple(_SOURCES)


def page(
    which: str,
    member: Membership,
    mailboxes: Sequence[int],
    *,
    after: tuple[datetime, int],
    limit: int,
    unread: bool = False,
    flagged: bool = False,
) -> list[tuple[int, datetime, int]]:
    """(thread, moment, unread) of what is the member's (``which`` of ``WORK``), the newest before ``after`` first."""
    statement = _PAGE.format(
        source=_SOURCES[which],
        flagged="JOIN mail_thread own ON own.id = x.id AND own.flagged" if flagged else "",
        unread="AND x.unread > 0" if unread else "",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {**_asked(member, mailboxes), "at": after[0], "id": after[1], "limit": limit})
        return list(cursor.fetchall())


def counts(member: Membership, mailboxes: Sequence[int]) -> Counts:
    """One query, for the chips."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, _asked(member, mailboxes))
        mine, snoozed, mentioned = cursor.fetchone() or (0, 0, 0)
    return Counts(mine, mentioned, snoozed)


def _asked(member: Membership, mailboxes: Sequence[int]) -> dict[str, Any]:
    return {"member": member.pk, "mailboxes": list(mailboxes), "now": now()}
