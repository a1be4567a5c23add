"""Rows of messages: how a prepared message becomes one, and how what was told later changes it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import json

from postroom.mail.prepare import Prepared
from postroom.mail.store.types import copy, cursor

_TOLD = (
    *("change_key", "internet_message_id", "in_reply_to", "remote_conversation_id", "subject", "from_name"),
    *("from_address", "sender", "to", "cc", "bcc", "reply_to", "received", "sent", "modified", "is_read", "is_draft"),
    *("flag", "categories", "importance", "has_attachments", "preview", "kind"),
)
_JSON = {"sender", "to", "cc", "bcc", "reply_to"}
_LISTS = {"to", "cc", "bcc", "reply_to", "categories"}
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_TOLD, ""),
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
HELD = {"is_read": "is_read", "flag": "flag", "categories": "categories"}  # what a local change holds -> its column


class Have(NamedTuple):
    """A stored row, as far as storing needs it."""

    id: int
    folder_id: int
    thread_id: int
    conversation_id: int
    change_key: str
    modified: datetime | None
    is_read: bool
    is_draft: bool
    body_state: str


class New(NamedTuple):
    prepared: Prepared
    folder_id: int
    thread_id: int


class Change(NamedTuple):
    """What becomes of a row. Columns named in ``keep`` stay as they are, like those that were not told."""

    id: int
    folder_id: int
    body_state: str
    told: Mapping[str, Any]
    keep: frozenset[str] = frozenset()


def have(mailbox_id: int, remote_ids: Sequence[str]) -> dict[str, Have]:
    """The rows there are, by provider's id."""
    with cursor() as db:
        db.execute(
            """SELECT m.remote_id, m.id, m.folder_id, m.thread_id, t.conversation_id, m.change_key, m.modified,
                      m.is_read, m.is_draft, m.body_state
               FROM mail_message m JOIN mail_thread t ON t.id = m.thread_id
               WHERE m.mailbox_id = %s AND m.remote_id = ANY(%s)""",
            [mailbox_id, list(remote_ids)],
        )
        return {row[0]: Have(*row[1:]) for row in db.fetchall()}


# --- new -----------------------------------------------------------------------------------------------------------

_COLUMNS = ("id", "mailbox_id", "folder_id", "thread_id", "remote_id", "body_state", "round", *_TOLD)


def insert(mailbox_id: int, rows: Sequence[New], *, round: int) -> list[int]:
    """Write new rows; their ids, in order. What was known to exist outside the chosen history is here now."""
    with cursor() as db:
        db.execute(
            "SELECT nextval(pg_get_serial_sequence('mail_message', 'id')) FROM generate_series(1, %s)", [len(rows)]
        )
        ids = [row[0] for row in db.fetchall()]
        lines = (_line(mailbox_id, id_, row, round) for id_, row in zip(ids, rows, strict=True))
        copy(db, "mail_message", _COLUMNS, lines)
        db.execute(
            "DELETE FROM mail_known WHERE mailbox_id = %s AND remote_id = ANY(%s)",
            [mailbox_id, [row.prepared.remote_id for row in rows]],
        )
    return ids


def _line(mailbox_id: int, id_: int, row: New, round: int) -> tuple[Any, ...]:
    prepared, folder_id, thread_id = row
    state = "stored" if prepared.body is not None else "missing"
    told = {**prepared.columns, "received": prepared.received}
    return id_, mailbox_id, folder_id, thread_id, prepared.remote_id, state, round, *_whole(told)


def _whole(told: Mapping[str, Any]) -> Iterator[Any]:
    """Values in the order of ``_TOLD``; what was not told has its default."""
    for name in _TOLD:
        value = told[name]
        if value is None:
            value = [] if name in _LISTS else _DEFAULTS[name]
        yield _json(value) if name in _JSON and value is not None else value


def _json(value: Any) -> str:
    return json.encode(value).decode()


# --- changed -------------------------------------------------------------------------------------------------------


# One JSON document for a page: the quickest way for many columns of which few are told.
_CHANGE = f"""
UPDATE mail_message m SET folder_id = new.folder_id, body_state = new.body_state,
    {", ".join(f'"{name}" = coalesce(new."{name}", m."{name}")' for name in _TOLD)}
FROM jsonb_to_recordset(%s::jsonb) AS new
    (id bigint, folder_id bigint, body_state text, {", ".join(f'"{name}" {_TYPES[name]}' for name in _TOLD)})
WHERE m.id = new.id RETURNING m.id, m.is_read
"""  # names of columns, all ours


def update(changes: Sequence[Change]) -> dict[int, bool]:
    """Change rows; whether each is read now, by id."""
    with cursor() as db:
        db.execute(_CHANGE, [_json([_changed(change) for change in changes])])
        return dict(db.fetchall())


def _changed(change: Change) -> dict[str, Any]:
    told = {name: value for name, value in change.told.items() if value is not None and name not in change.keep}
    return {**told, "id": change.id, "folder_id": change.folder_id, "body_state": change.body_state}


def mark_round(ids: Sequence[int], round: int) -> None:
    """Note that a new listing has named these."""
    with cursor() as db:
        db.execute("UPDATE mail_message SET round = %s WHERE id = ANY(%s) AND round <> %s", [round, list(ids), round])
