"""The conversations that need a member: mentioned, theirs, left without an answer, back from a snooze. One query.

Only mail of the mailboxes the caller names is looked at (``inbox.accounts``: those the member may read).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from postroom.inbox.accounts import Account, Accounts
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.models import Membership

UNANSWERED_AFTER = timedelta(days=1)
FORGOTTEN_AFTER = timedelta(days=14)  # what nobody answered for so long is not today's work
LOOKED_AT = 400  # threads of an Inbox that are looked at, the newest of that time; and the latest assignments
MENTIONED, ASSIGNED, WAITING, BACK = "mentioned", "assigned", "waiting", "back"


@dataclass(frozen=True)
class Found:
    """A conversation as its newest thread shows it. ``at`` is when it began to need the member, of one that comes back
    when it does; ``said`` what a colleague wrote about it, ``by`` whom."""

    why: str
    at: datetime
    thread: int
    conversation: int
    subject: str
    snippet: str
    people: Sequence[Sequence[str]]
    said: str = ""
    by: str = ""


_SHOWN = """
SELECT DISTINCT ON (t.conversation_id) t.id, t.conversation_id, t.subject, t.snippet, t.people, t.last_at
FROM mail_thread t WHERE t.conversation_id = {which} AND t.mailbox_id = ANY(%(mailboxes)s)
ORDER BY t.conversation_id, t.last_at DESC, t.id DESC
"""
_OPEN = """
SELECT 1 FROM mail_thread open JOIN mail_threadfolder place ON place.thread_id = open.id
JOIN mail_folder f ON f.id = place.folder_id AND f.role IN ('inbox', '')
WHERE open.conversation_id = a.conversation_id AND open.mailbox_id = ANY(%(mailboxes)s)
"""
# The last who wrote is none of us: whoever reads it next is to answer.
_THEIR_TURN = "lower(coalesce({shown}.people->-1->>1, '')) <> ALL(%(ours)s)"
_ASLEEP = """
EXISTS (SELECT 1 FROM timeline_snooze z WHERE z.member_id = %(member)s AND z.conversation_id = {which}
        AND z.woke_at IS NULL AND z.until > %(now)s)
"""
_MENTIONS = """
SELECT 'mentioned' AS why, told.at, s.*, left(c.text, 300) AS said, coalesce(nullif(u.name, ''), u.email, '') AS by
FROM (SELECT DISTINCT ON (n.conversation_id) n.conversation_id, n.at, n.comment_id FROM timeline_notice n
      WHERE n.member_id = %(member)s AND n.kind = 'mention' AND n.read_at IS NULL
      ORDER BY n.conversation_id, n.at DESC) told
JOIN timeline_comment c ON c.id = told.comment_id AND c.deleted_at IS NULL
LEFT JOIN workspaces_membership m ON m.id = c.author_id LEFT JOIN accounts_user u ON u.id = m.user_id
JOIN LATERAL ({shown}) s ON true
ORDER BY told.at LIMIT %(limit)s
"""
_MINE = """
SELECT 'assigned' AS why, greatest(a.at, s.last_at) AS at, s.*, '' AS said, '' AS by
FROM (SELECT given.conversation_id, given.at FROM timeline_assignment given WHERE given.to_id = %(member)s
      ORDER BY given.at DESC LIMIT {looked_at}) a
JOIN LATERAL ({shown}) s ON true JOIN LATERAL ({open} LIMIT 1) still_open ON true
WHERE NOT {asleep} AND ({turn} OR EXISTS (
    SELECT 1 FROM timeline_notice n WHERE n.member_id = %(member)s AND n.conversation_id = a.conversation_id
    AND n.kind = 'assigned' AND n.read_at IS NULL))
ORDER BY 2 LIMIT %(limit)s
"""
# Somebody we know, or with whom we write already: of a record, or a conversation one of us has a part in. Not a
# colleague, and not a meeting's answer, a newsletter or a machine.
_UNANSWERED = """
SELECT 'waiting' AS why, t.last_at AS at, t.id, t.conversation_id, t.subject, t.snippet, t.people, t.last_at,
       '' AS said, '' AS by
FROM unnest(%(inboxes)s::bigint[]) AS f (id)
CROSS JOIN LATERAL (
    SELECT place.thread_id FROM mail_threadfolder place WHERE place.folder_id = f.id
    AND place.last_at > %(since)s AND place.last_at < %(before)s ORDER BY place.last_at DESC LIMIT {looked_at}
) p
JOIN mail_thread t ON t.id = p.thread_id AND t.last_at < %(before)s
WHERE {turn}
  AND NOT EXISTS (SELECT 1 FROM timeline_assignment a WHERE a.conversation_id = t.conversation_id)
  AND NOT {asleep}
  AND (EXISTS (SELECT 1 FROM timeline_link l WHERE l.conversation_id = t.conversation_id AND l.removed_at IS NULL)
       OR EXISTS (SELECT 1 FROM jsonb_array_elements(t.people) one WHERE lower(one->>1) = ANY(%(ours)s)))
  AND (SELECT m.kind FROM mail_message m WHERE m.thread_id = t.id AND NOT m.is_draft
       ORDER BY m.received DESC LIMIT 1) = 'mail'
  AND NOT EXISTS (SELECT 1 FROM workspaces_membership m JOIN accounts_user u ON u.id = m.user_id
                  WHERE m.workspace_id = %(workspace)s AND u.email = lower(t.people->-1->>1))
  AND NOT EXISTS (SELECT 1 FROM mail_thread other WHERE other.conversation_id = t.conversation_id
                  AND other.mailbox_id = ANY(%(mailboxes)s) AND (other.last_at, other.id) > (t.last_at, t.id))
ORDER BY t.last_at LIMIT %(limit)s
"""
_COMES_BACK = """
SELECT 'back' AS why, z.until AS at, s.*, '' AS said, '' AS by
FROM timeline_snooze z JOIN LATERAL ({shown}) s ON true
WHERE z.member_id = %(member)s AND z.seen_at IS NULL AND z.until < %(ends)s
  AND (z.woke_at IS NULL OR z.woke_at >= %(begins)s) AND z.until >= %(begins)s
ORDER BY z.until LIMIT %(limit)s
"""


def _statement() -> str:
    def shown(which: str) -> str:
        return _SHOWN.format(which=which)

    parts = (
        _MENTIONS.format(shown=shown("told.conversation_id")),
        _MINE.format(
            looked_at=LOOKED_AT,
            shown=shown("a.conversation_id"),
            open=_OPEN,
            asleep=_ASLEEP.format(which="a.conversation_id"),
            turn=_THEIR_TURN.format(shown="s"),
        ),
        _UNANSWERED.format(
            looked_at=LOOKED_AT,
            asleep=_ASLEEP.format(which="t.conversation_id"),
            turn=_THEIR_TURN.format(shown="t"),
        ),
        _COMES_BACK.format(shown=shown("z.conversation_id")),
    )
    columns = "why, at, id, conversation_id, subject, snippet, people, said, by"
    return " UNION ALL ".join(f"(SELECT {columns} FROM ({part}) part_{n})" for n, part in enumerate(parts))  # noqa: S608 -- constants of this module


_STATEMENT = _statement()


def minded(member: Membership, accounts: Accounts) -> list[Account]:
    """The mailboxes whose new mail is the member's business: their own, shared ones, those they were named for. Not a
    colleague's that anybody may look into."""
    return [
        one
        for one in accounts.readable
        if one.worked_in
        and (one.mailbox.owner_id == member.pk or one.shared or one.mailbox.visibility == Mailbox.Visibility.MEMBERS)
    ]


def found(
    member: Membership, accounts: Accounts, *, now: datetime, begins: datetime, ends: datetime, limit: int
) -> list[Found]:
    """At most ``limit`` of each kind, the longest waiting first; a conversation comes once, for its strongest reason.

    ``begins`` and ``ends``: the member's day.
    """
    parameters: dict[str, Any] = {
        "member": member.pk,
        "workspace": member.workspace_id,
        "mailboxes": accounts.ids,
        "inboxes": [one.inbox for one in minded(member, accounts) if one.inbox is not None],
        "ours": sorted(accounts.ours),
        "now": now,
        "begins": begins,
        "ends": ends,
        "since": now - FORGOTTEN_AFTER,
        "before": now - UNANSWERED_AFTER,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, parameters)
        rows = [_found(row) for row in cursor.fetchall()]
    once: dict[int, Found] = {}
    for one in rows:  # the parts of the statement stand in the order of their weight
        once.setdefault(one.conversation, one)
    return list(once.values())


def _found(row: Sequence[Any]) -> Found:
    why, at, thread, conversation, subject, snippet, people, said, by = row
    known = json.loads(people) if isinstance(people, str) else people
    return Found(why, at, thread, conversation, subject, snippet, known, said, by)
