"""Storing a page of messages: new ones, changed ones, and what is older than what we have.

look up -> compare -> conversations -> threads -> rows, bodies, words, people, files -> what lists show
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from postroom.mail.prepare import Prepared, hashed, merged
from postroom.mail.store import conversations, details, locks, threads
from postroom.mail.store import rows as rows_of
from postroom.mail.store.rows import HELD, Change, Have, New
from postroom.mail.store.types import Stored, cursor
from postroom.mailboxes.models import Mailbox

Held = Mapping[str, frozenset[str]]
_NONE_HELD: Held = {}


@dataclass(slots=True)
class Page:
    """The work of one ``put``, sorted."""

    mailbox: Mailbox
    held: Held
    round: int
    have: dict[str, Have]
    folders: dict[str, int]
    alone: bool  # nobody else writes in the workspace
    fresh: list[Prepared] = field(default_factory=list)
    changed: list[Prepared] = field(default_factory=list)
    with_body: list[Prepared] = field(default_factory=list)  # rows that are there and get their body now
    counts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    stored: Stored = field(default_factory=Stored)

    def count(self, folder_id: int, total: int, unread: int) -> None:
        self.counts[folder_id][0] += total
        self.counts[folder_id][1] += unread


def put(
    mailbox: Mailbox, rows: Sequence[Prepared], *, round: int = 0, held: Callable[[], Held] = lambda: _NONE_HELD
) -> Stored:
    """Store a page in the caller's transaction.

    What was not told keeps its value; fields in ``held()`` (by provider's id) keep the local one; a version older than
    ours changes nothing; unchanged rows cost next to nothing. Moves keep row, thread and links. A message in a folder
    that the tree does not show is ``unplaced``: the engine has looked at the tree before it stores.

    ``held`` is asked once nobody else can change the mailbox any more, so no click falls between question and answer.
    """
    told = _once_each(rows)

    def attempt(*, alone: bool) -> Stored:
        with transaction.atomic():
            locks.enter(mailbox, alone=alone)
            have = rows_of.have(mailbox.pk, list(told))
            return _put(Page(mailbox, held(), round, have, _folders(mailbox.pk), alone), told.values())

    try:
        return attempt(alone=False)
    except locks.NeedsAlone:
        return attempt(alone=True)


def _once_each(rows: Iterable[Prepared]) -> dict[str, Prepared]:
    """By provider's id. A page may name a message twice; the last word counts, as far as it says anything."""
    told: dict[str, Prepared] = {}
    for row in rows:
        before = told.get(row.remote_id)
        told[row.remote_id] = row if before is None else merged(before, row)
    return told


def _put(page: Page, told: Collection[Prepared]) -> Stored:
    for row in told:
        _sort(page, row)
    if page.fresh or page.with_body:
        _place(page)
    if page.changed or page.with_body:
        _update(page)
    bodies = [row for row in (*page.fresh, *page.with_body) if row.body is not None]
    ids = {remote_id: have.id for remote_id, have in page.have.items()}
    again = [ids[row.remote_id] for row in page.with_body if page.have[row.remote_id].body_state == "stored"]
    details.write(page.mailbox, bodies, ids, again=again)
    if page.round:
        rows_of.mark_round([ids[row.remote_id] for row in told if row.remote_id in ids], page.round)
    threads.refresh(page.stored.threads)
    threads.count_folders({folder: (total, unread) for folder, (total, unread) in page.counts.items()})
    return page.stored


def _folders(mailbox_id: int) -> dict[str, int]:
    with cursor() as db:
        db.execute("SELECT remote_id, id FROM mail_folder WHERE mailbox_id = %s", [mailbox_id])
        return dict(db.fetchall())


# --- comparing -----------------------------------------------------------------------------------------------------


def _sort(page: Page, row: Prepared) -> None:
    folder_id = row.message.folder_id
    if folder_id is not None and folder_id not in page.folders:
        page.stored.unplaced.append(row.remote_id)
        return
    have = page.have.get(row.remote_id)
    if have is None:
        if folder_id is not None:
            page.fresh.append(row)
        return
    older = _is_older(have, row)
    if row.body is not None and (have.body_state != "stored" or (_body_changed(have, row) and not older)):
        page.with_body.append(row)  # an older state may still bring a missing body: the body of mail does not change
    if _is_news(page, have, row) and not older:
        page.changed.append(row)


def _is_news(page: Page, have: Have, row: Prepared) -> bool:
    told = row.columns["change_key"]
    target = page.folders.get(row.message.folder_id or "", have.folder_id)
    moved = target != have.folder_id and "folder" not in page.held.get(row.remote_id, ())
    return told is None or told != have.change_key or moved


def _body_changed(have: Have, row: Prepared) -> bool:
    return have.is_draft and row.columns["change_key"] != have.change_key


def _is_older(have: Have, row: Prepared) -> bool:
    told = row.columns["modified"]
    return told is not None and have.modified is not None and told < have.modified


# --- conversations and threads -------------------------------------------------------------------------------------


def _place(page: Page) -> None:
    """Find each message's conversation and thread; rows that are there may turn out to belong to another one."""
    found = conversations.assign(
        page.mailbox.workspace_id,
        {row.remote_id: _keys(page.mailbox.pk, row) for row in (*page.fresh, *page.with_body)},
        page.stored,
        already={row.remote_id: page.have[row.remote_id].conversation_id for row in page.with_body},
        alone=page.alone,
    )
    page.stored.conversations |= set(found.values())
    thread_of = _threads(page.mailbox.pk, found, {row.remote_id: row.received for row in page.fresh})
    if page.stored.merged:  # threads may have become one: what we looked up before is no longer true
        page.have |= rows_of.have(page.mailbox.pk, [row.remote_id for row in (*page.with_body, *page.changed)])
    if page.fresh:
        _insert(page, {row.remote_id: thread_of[found[row.remote_id]] for row in page.fresh})
    page.stored.threads |= {page.have[row.remote_id].thread_id for row in page.with_body}


def _keys(mailbox_id: int, row: Prepared) -> list[bytes]:
    """Keys by Message-ID, and the provider's own conversation; a message with neither is a conversation of its own."""
    keys = list(row.keys)
    if conversation_id := row.columns["remote_conversation_id"]:
        keys.append(hashed("c", f"{mailbox_id}:{conversation_id}"))
    return keys or [hashed("r", f"{mailbox_id}:{row.remote_id}")]


def _threads(mailbox_id: int, conversation_of: Mapping[str, int], received: Mapping[str, datetime]) -> dict[int, int]:
    """This mailbox's thread of each conversation, made where there is none yet."""
    first: dict[int, datetime] = {}
    for remote_id, when in received.items():
        conversation = conversation_of[remote_id]
        first[conversation] = min(when, first.get(conversation, when))
    with cursor() as db:
        db.execute(
            """INSERT INTO mail_thread (mailbox_id, conversation_id, subject, snippet, people, last_at, first_at,
                                        count, unread, flagged, has_attachments, has_draft, categories)
               SELECT %s, conversation, '', '', '[]', first, first, 0, 0, false, false, false, '{}'
               FROM unnest(%s::bigint[], %s::timestamptz[]) AS new (conversation, first) ORDER BY conversation
               ON CONFLICT (mailbox_id, conversation_id) DO NOTHING""",
            [mailbox_id, list(first), list(first.values())],
        )
        db.execute(
            "SELECT conversation_id, id FROM mail_thread WHERE mailbox_id = %s AND conversation_id = ANY(%s)",
            [mailbox_id, sorted(set(conversation_of.values()))],
        )
        return dict(db.fetchall())


# --- rows ----------------------------------------------------------------------------------------------------------


def _insert(page: Page, thread_of: Mapping[str, int]) -> None:
    new = [New(row, page.folders[row.message.folder_id or ""], thread_of[row.remote_id]) for row in page.fresh]
    page.stored.new = rows_of.insert(page.mailbox.pk, new, round=page.round)
    for id_, (row, folder_id, thread_id) in zip(page.stored.new, new, strict=True):
        is_read = row.columns["is_read"] is not False
        page.count(folder_id, 1, 0 if is_read else 1)
        page.have[row.remote_id] = Have(id_, folder_id, thread_id, 0, "", None, is_read, False, "")
        page.stored.threads.add(thread_id)


def _update(page: Page) -> None:
    """What changed, and that a body is here now, in one go."""
    changes = {row.remote_id: _change(page, row) for row in page.changed}
    for row in page.with_body:
        have = page.have[row.remote_id]
        if row.remote_id in changes:
            changes[row.remote_id] = changes[row.remote_id]._replace(body_state="stored")
        else:
            late = {name: row.columns[name] for name in _LATE}
            changes[row.remote_id] = Change(have.id, have.folder_id, "stored", late)
    is_read = rows_of.update(list(changes.values()))
    for remote_id, change in changes.items():
        have = page.have[remote_id]
        page.count(have.folder_id, -1, 0 if have.is_read else -1)
        page.count(change.folder_id, 1, 0 if is_read[have.id] else 1)
        page.stored.threads.add(have.thread_id)
        page.stored.changed.append(have.id)


# Told with a body, never by a listing; the state that came with it is already known, or older than what is.
_LATE = ("in_reply_to", "sender", "to", "cc", "bcc", "reply_to", "has_attachments", "preview", "kind")


def _change(page: Page, row: Prepared) -> Change:
    have, held = page.have[row.remote_id], page.held.get(row.remote_id, frozenset())
    target = page.folders.get(row.message.folder_id or "", have.folder_id)
    folder_id = have.folder_id if "folder" in held else target
    keep = frozenset(HELD[name] for name in held if name in HELD)
    return Change(have.id, folder_id, have.body_state, row.columns, keep)
