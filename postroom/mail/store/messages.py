"""Storing a page of messages: new ones, changed ones, and what is older than what we have.

look up -> compare -> conversations -> threads -> rows, bodies, words, people, files -> what lists show
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from msgspec import json

from postroom.mail.prepare import Prepared, hashed
from postroom.mail.store import conversations, details, locks, threads
from postroom.mail.store.types import Stored, copy, cursor
from postroom.mailboxes.models import Mailbox

Held = Mapping[str, frozenset[str]]
_NONE_HELD: Held = {}


class Have(NamedTuple):
    """A stored row, as far as storing needs it."""

    id: int
    folder_id: int
    thread_id: int
    change_key: str
    modified: datetime | None
    is_read: bool
    is_draft: bool
    body_state: str
    round: int


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
    last = list({row.remote_id: row for row in rows}.values())

    def attempt(*, alone: bool) -> Stored:
        with transaction.atomic():
            locks.enter(mailbox, alone=alone)
            return _put(Page(mailbox, held(), round, _have(mailbox.pk, last), _folders(mailbox.pk), alone), last)

    try:
        return attempt(alone=False)
    except locks.NeedsAlone:
        return attempt(alone=True)


def _put(page: Page, last: Sequence[Prepared]) -> Stored:
    for row in last:
        _sort(page, row)
    if page.fresh or page.with_body:
        _place(page)
    if page.changed:
        _update(page)
    bodies = [row for row in (*page.fresh, *page.with_body) if row.body is not None]
    ids = {remote_id: have.id for remote_id, have in page.have.items()}
    details.write(page.mailbox, bodies, ids, fresh=set(page.stored.new))
    _mark_round(page, last)
    threads.refresh(page.stored.threads)
    threads.count_folders({folder: (total, unread) for folder, (total, unread) in page.counts.items()})
    return page.stored


def _have(mailbox_id: int, rows: Iterable[Prepared]) -> dict[str, Have]:
    with cursor() as db:
        db.execute(
            """SELECT remote_id, id, folder_id, thread_id, change_key, modified, is_read, is_draft, body_state, round
               FROM mail_message WHERE mailbox_id = %s AND remote_id = ANY(%s)""",
            [mailbox_id, [row.remote_id for row in rows]],
        )
        return {row[0]: Have(*row[1:]) for row in db.fetchall()}


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
    needs_body = row.body is not None and (have.body_state != "stored" or _body_changed(have, row))
    if needs_body and not _is_older(have, row):
        page.with_body.append(row)
    elif needs_body and have.body_state != "stored":
        page.with_body.append(row)  # an older state, but the body of mail does not change
    if _is_news(page, have, row) and not _is_older(have, row):
        page.changed.append(row)


def _is_news(page: Page, have: Have, row: Prepared) -> bool:
    told = row.columns["change_key"]
    target = page.folders.get(row.message.folder_id or "", have.folder_id)
    moved = target != have.folder_id and "folder" not in page.held.get(row.remote_id, ())
    return told is None or told != have.change_key or moved or (row.body is not None and have.body_state != "stored")


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
        alone=page.alone,
    )
    page.stored.conversations |= set(found.values())
    thread_of = _threads(page.mailbox.pk, found, {row.remote_id: row.received for row in page.fresh})
    if page.stored.merged:  # threads may have become one: what we looked up before is no longer true
        page.have |= _have(page.mailbox.pk, page.with_body + page.changed)
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

_TOLD = (
    *("change_key", "internet_message_id", "in_reply_to", "remote_conversation_id", "subject", "from_name"),
    *("from_address", "sender", "to", "cc", "bcc", "reply_to", "received", "sent", "modified", "is_read", "is_draft"),
    *("flag", "categories", "importance", "has_attachments", "preview", "kind"),
)
_JSON = {"sender", "to", "cc", "bcc", "reply_to"}
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_TOLD, ""),
    **{name: [] for name in ("to", "cc", "bcc", "reply_to", "categories")},
    **dict.fromkeys(("sender", "sent", "modified")),
    "is_read": True,
    "is_draft": False,
    "has_attachments": False,
    "flag": "none",
    "importance": "normal",
    "kind": "mail",
}
_TYPES = {
    **dict.fromkeys(_TOLD, "text"),
    **dict.fromkeys(_JSON, "jsonb"),
    **dict.fromkeys(("received", "sent", "modified"), "timestamptz"),
    **dict.fromkeys(("is_read", "is_draft", "has_attachments"), "boolean"),
    "categories": "varchar[]",
}
_COLUMNS = ("id", "mailbox_id", "folder_id", "thread_id", "remote_id", "body_state", "round", *_TOLD)
_SETS = ", ".join(f'"{name}" = coalesce(%s::{_TYPES[name]}, "{name}")' for name in _TOLD)
_UPDATE = (
    f"UPDATE mail_message SET folder_id = %s, body_state = %s, {_SETS} "
    "WHERE id = %s RETURNING folder_id, is_read, thread_id"
)
_HELD_COLUMN = {"is_read": "is_read", "flag": "flag", "categories": "categories"}


def _insert(page: Page, thread_of: Mapping[str, int]) -> None:
    if not page.fresh:
        return
    ids = _new_ids(len(page.fresh))
    rows = []
    for id_, row in zip(ids, page.fresh, strict=True):
        folder_id, thread_id = page.folders[row.message.folder_id or ""], thread_of[row.remote_id]
        values = {name: _DEFAULTS[name] if (told := row.columns[name]) is None else told for name in _TOLD}
        values["received"] = row.received
        state = "stored" if row.body is not None else "missing"
        rows.append((id_, page.mailbox.pk, folder_id, thread_id, row.remote_id, state, page.round, *_encoded(values)))
        page.count(folder_id, 1, 0 if values["is_read"] else 1)
        page.have[row.remote_id] = Have(id_, folder_id, thread_id, "", None, True, False, state, page.round)
        page.stored.threads.add(thread_id)
    with cursor() as db:
        copy(db, "mail_message", _COLUMNS, rows)
        db.execute(
            "DELETE FROM mail_known WHERE mailbox_id = %s AND remote_id = ANY(%s)",
            [page.mailbox.pk, [row.remote_id for row in page.fresh]],
        )
    page.stored.new += ids


def _encoded(values: Mapping[str, Any]) -> Iterator[Any]:
    """In the order of ``_TOLD``, lists and pairs as JSON."""
    for name in _TOLD:
        value = values[name]
        yield json.encode(value).decode() if name in _JSON and value is not None else value


def _new_ids(count: int) -> list[int]:
    with cursor() as db:
        db.execute("SELECT nextval(pg_get_serial_sequence('mail_message', 'id')) FROM generate_series(1, %s)", [count])
        return [row[0] for row in db.fetchall()]


def _update(page: Page) -> None:
    parameters = []
    for row in page.changed:
        have, held = page.have[row.remote_id], page.held.get(row.remote_id, frozenset())
        keep = {_HELD_COLUMN[name] for name in held if name in _HELD_COLUMN}
        values = {name: None if name in keep else row.columns[name] for name in _TOLD}
        target = page.folders.get(row.message.folder_id or "", have.folder_id)
        folder_id = have.folder_id if "folder" in held else target
        state = "stored" if row.body is not None else have.body_state
        parameters.append([folder_id, state, *_encoded(values), have.id])
    with cursor() as db:
        db.executemany(_UPDATE, parameters, returning=True)
        for row in page.changed:
            folder_id, is_read, thread_id = db.fetchone()  # type: ignore[misc]
            _count_change(page, page.have[row.remote_id], folder_id, is_read)
            page.stored.threads.add(thread_id)
            page.stored.changed.append(page.have[row.remote_id].id)
            db.nextset()


def _count_change(page: Page, have: Have, folder_id: int, is_read: bool) -> None:
    page.count(have.folder_id, -1, 0 if have.is_read else -1)
    page.count(folder_id, 1, 0 if is_read else 1)


def _mark_round(page: Page, rows: Sequence[Prepared]) -> None:
    """The new listing has named these; fresh rows carry the round already."""
    if page.round:
        ids = [page.have[r.remote_id].id for r in rows if r.remote_id in page.have]
        with cursor() as db:
            db.execute(
                "UPDATE mail_message SET round = %s WHERE id = ANY(%s) AND round <> %s", [page.round, ids, page.round]
            )
