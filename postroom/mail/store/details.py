"""What hangs on a message once its body is here: body, words to find it by, people, files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from postroom.mail import html as mail_html
from postroom.mail.models import Message
from postroom.mail.prepare import Prepared
from postroom.mail.store.types import cursor
from postroom.mail.text import storable
from postroom.mailboxes.models import Mailbox

_BODY = """
INSERT INTO mail_messagebody AS b (message_id, content_type, html, text, new_text, sha256, made_by)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (message_id) DO UPDATE SET content_type = excluded.content_type, html = excluded.html, text = excluded.text,
    new_text = excluded.new_text, sha256 = excluded.sha256, made_by = excluded.made_by
"""
_WORDS = """
INSERT INTO mail_messagesearch (message_id, mailbox_id, received, document)
VALUES (%s, %s, %s, setweight(to_tsvector('simple', mail_plain(%s)), 'A')
                 || setweight(to_tsvector('simple', mail_plain(%s)), 'B')
                 || setweight(to_tsvector('simple', mail_plain(%s)), 'C'))
ON CONFLICT (message_id) DO UPDATE SET document = excluded.document, received = excluded.received
"""
_PERSON = """
INSERT INTO mail_participant (message_id, mailbox_id, address, role, received) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_FILE = """
INSERT INTO mail_attachment (message_id, remote_id, name, content_type, size, is_inline, content_id, kind)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (message_id, remote_id) DO UPDATE SET name = excluded.name, size = excluded.size,
    is_inline = excluded.is_inline, content_id = excluded.content_id
"""
_CORRESPONDENT = """
INSERT INTO mail_correspondent AS c (workspace_id, address, name, domain, last_at, received, sent)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, address) DO UPDATE
SET name = CASE WHEN excluded.name <> '' AND excluded.last_at >= c.last_at THEN excluded.name ELSE c.name END,
    last_at = greatest(c.last_at, excluded.last_at),
    received = c.received + excluded.received, sent = c.sent + excluded.sent
"""


def write(mailbox: Mailbox, rows: Sequence[Prepared], ids: Mapping[str, int]) -> None:
    """Write the details of messages whose body has just come; ``ids`` by provider's id. Written again they replace."""
    if not rows:
        return
    again = [ids[row.remote_id] for row in rows if row.message.is_draft]  # drafts lose people and files as they change
    with cursor() as db:
        if again:
            db.execute("DELETE FROM mail_participant WHERE message_id = ANY(%s)", [again])
            db.execute("DELETE FROM mail_attachment WHERE message_id = ANY(%s)", [again])
        db.executemany(_BODY, [_body(ids[row.remote_id], row) for row in rows])
        db.executemany(_WORDS, [[ids[r.remote_id], mailbox.pk, r.received, *r.searched] for r in rows])
        _many(db, _PERSON, (
            [ids[row.remote_id], mailbox.pk, address, role, row.received]
            for row in rows
            for role, address in row.participants
        ))  # fmt: skip
        _many(db, _FILE, (_file(ids[row.remote_id], one) for row in rows for one in row.attachments))
        _many(db, _CORRESPONDENT, _correspondents(mailbox.workspace_id, rows))


def _many(db: Any, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
    if rows := list(parameters):
        db.executemany(statement, rows)


def _body(message_id: int, row: Prepared) -> list[Any]:
    body = row.body
    assert body is not None
    return [message_id, body.content_type, body.html, body.text, body.new_text, body.sha256, mail_html.VERSION]


def _file(message_id: int, one: Any) -> list[Any]:
    name, kind = storable(one.name) or "attachment", storable(one.content_type)[:255]
    return [message_id, one.id, name, kind, one.size, one.is_inline, storable(one.content_id), one.kind]


def _correspondents(workspace_id: int, rows: Sequence[Prepared]) -> list[list[Any]]:
    """One row for each address of the page, in the order of addresses: pages of other mailboxes lock likewise."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        for address, name, written_to in row.people:
            one = found.setdefault(address, ["", row.received, 0, 0])
            one[0] = name or one[0]
            one[1] = max(one[1], row.received)
            one[3 if written_to else 2] += 1
    return [
        [workspace_id, address, name, address.rpartition("@")[2], last_at, received, sent]
        for address, (name, last_at, received, sent) in sorted(found.items())
    ]


_JSON = {field.column for field in Message._meta.concrete_fields if field.get_internal_type() == "JSONField"}


def json(column: tuple[str, Any]) -> Any:
    """A column's value as PostgreSQL takes it."""
    name, value = column
    return Jsonb(value) if name in _JSON and value is not None else value
