"""Writing the access log (product.md AD2). Where content leaves, one call says so:

    log.read(log.by(request), What.THREAD, [Read(mailbox, conversation, [message, …])])

The entry is written before the content is answered, in the same request: what cannot be logged is not shown. It costs
one statement, however many messages a thread has. Lists and search results on the screen (subject, first words) are
not logged; opening, saving, exporting and dumping are.
"""

from __future__ import annotations

import getpass
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from postroom.accounts.clients import network_address, short_agent
from postroom.audit.models import Access
from postroom.lib.clock import now
from postroom.workspaces.access import MemberRequest
from postroom.workspaces.models import Workspace

SAME_LOOK = timedelta(minutes=10)  # frames of a thread that was opened this short a time ago belong to its entry
REMEMBERED = 20_000
BATCH = 10_000
_DELETE = "delete from audit_access where id in (select id from audit_access where {} order by id limit %s)"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads, from where, by which way. ``member_id`` is None for the operator."""

    who: str
    how: str
    member_id: int | None = None
    address: str | None = None
    agent: str = ""


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read of one mailbox. ``workspace_id`` is the mailbox's."""

    workspace_id: int
    mailbox_id: int
    conversation_id: int | None = None
    message_ids: Sequence[int] = field(default_factory=tuple)
    attachment_id: int | None = None


def by(request: MemberRequest, how: str = Access.How.SCREEN) -> Reader:
    """The member of a request."""
    return Reader(
        who=request.user.email,
        how=how,
        member_id=request.member.pk,
        address=network_address(request),
        agent=short_agent(request.headers.get("User-Agent", "")),
    )


def operator() -> Reader:
    """Who works at the command line of the machine, as the system knows them."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = "unknown"
    return Reader(who=f"operator {name}"[:320], how=Access.How.CLI)


def read(reader: Reader, what: str, things: Iterable[Read], *, again: bool = True) -> int:
    """Log it; returns the number of entries written, one per mailbox.

    ``again=False`` leaves out messages this member read a moment ago: the frames inside a thread that is open, and its
    refreshing when news arrive. (Each process remembers for itself; at worst a look is logged twice.)
    """
    found = list(things) if again else [one for thing in things if (one := _unread_of(reader, thing))]
    for one in found:
        _seen.note(reader.member_id, one.message_ids)
    rows = [_row(reader, what, one) for one in found]
    if rows:
        Access.objects.bulk_create(rows)
    return len(rows)


def by_mailbox(workspace_id: int, conversation_id: int | None, messages: Iterable[tuple[int, int]]) -> list[Read]:
    """Pairs of (mailbox id, message id) as what was read of each mailbox."""
    grouped: dict[int, list[int]] = {}
    for mailbox_id, message_id in messages:
        grouped.setdefault(mailbox_id, []).append(message_id)
    return [
        Read(workspace_id=workspace_id, mailbox_id=box, conversation_id=conversation_id, message_ids=ids)
        for box, ids in grouped.items()
    ]


def prune(keep: timedelta | None = None) -> int:
    """Drop entries older than the stated retention (POSTROOM_ACCESS_LOG_DAYS); returns how many."""
    before = now() - (keep or timedelta(days=settings.ACCESS_LOG_DAYS))
    return _delete("at < %s", before)


def forget_workspace(workspace: Workspace) -> int:
    """The log of a workspace that is being deleted as a whole; returns how many entries it had."""
    return _delete("workspace_id = %s", workspace.pk)


def _row(reader: Reader, what: str, one: Read) -> Access:
    return Access(
        workspace_id=one.workspace_id,
        member_id=reader.member_id,
        who=reader.who,
        of_mailbox=one.mailbox_id,
        conversation_id=one.conversation_id,
        message_ids=list(one.message_ids),
        attachment_id=one.attachment_id,
        what=what,
        how=reader.how,
        address=reader.address,
        agent=reader.agent,
    )


def _unread_of(reader: Reader, one: Read) -> Read | None:
    left = [pk for pk in one.message_ids if not _seen.lately(reader.member_id, pk)]
    return replace(one, message_ids=left) if left else None


def _delete(condition: str, value: datetime | int) -> int:
    """In batches, each a transaction of its own: the log is long, and locks nobody for long."""
    gone = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            # The trigger lets go of entries only to who says so, for this transaction.
            cursor.execute("select set_config('postroom.access_log', 'retention', true)")
            cursor.execute(_DELETE.format(condition), [value, BATCH])
            count = int(cursor.rowcount)
            cursor.execute("select set_config('postroom.access_log', '', true)")
        gone += count
        if count < BATCH:
            return gone


class _Seen:
    """What this process has logged lately, bounded. Threads share one."""

    def __init__(self) -> None:
        self._when: OrderedDict[tuple[int | None, int], datetime] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, member_id: int | None, messages: Iterable[int]) -> None:
        moment = now()
        with self._lock:
            for pk in messages:
                self._when[member_id, pk] = moment
                self._when.move_to_end((member_id, pk))
            while len(self._when) > REMEMBERED:
                self._when.popitem(last=False)

    def lately(self, member_id: int | None, pk: int) -> bool:
        with self._lock:
            when = self._when.get((member_id, pk))
        return when is not None and timedelta(0) <= now() - when < SAME_LOOK

    def clear(self) -> None:
        with self._lock:
            self._when.clear()


_seen = _Seen()
forget_looks = _seen.clear  # for tests: as after a restart
