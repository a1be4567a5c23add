"""What hangs on a message once its body is here: body, words to find it by, people, files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from postroom.mail import html as mail_html
from postroom.mail.prepare import Prepared
from postroom.mail.store.types import copy, cursor
from postroom.mail.text import storable
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import RemoteAttachment

_HANGING = ("mail_messagebody", "mail_messagesearch", "mail_participant", "mail_attachment")
_BODY = ("message_id", "content_type", "html", "text", "new_text", "sha256", "made_by")
_PERSON = ("message_id", "mailbox_id", "address", "role", "received")
_FILE = ("message_id", "remote_id", "name", "content_type", "size", "is_inline", "content_id", "kind")
_WORDS = """
INSERT INTO mail_messagesearch (message_id, mailbox_id, received, document)
SELECT id, %s, received, setweight(to_tsvector('simple', mail_plain(subject)), 'A')
                      || setweight(to_tsvector('simple', mail_plain(people)), 'B')
                      || setweight(to_tsvector('simple', mail_plain(said)), 'C')
FROM unnest(%b::bigint[], %b::timestamptz[], %b::text[], %b::text[], %b::text[])
    AS new (id, received, subject, people, said)
"""
_CORRESPONDENT = """
INSERT INTO mail_correspondent AS c (workspace_id, address, name, domain, last_at, received, sent)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (workspace_id, address) DO UPDATE
SET name = CASE WHEN excluded.name <> '' AND excluded.last_at >= c.last_at THEN excluded.name ELSE c.name END,
    last_at = greatest(c.last_at, excluded.last_at),
    received = c.received + excluded.received, sent = c.sent + excluded.sent
"""


def write(mailbox: Mailbox, rows: Sequence[Prepared], ids: Mapping[str, int], *, again: Sequence[int]) -> None:
    """Write the details of messages whose body has just come; ``ids`` by provider's id. What a message had before is
    replaced; only those in ``again`` had anything."""
    if not rows:
        return
    with cursor() as db:
        if again:
            for table in _HANGING:
                db.execute(SQL("DELETE FROM {} WHERE message_id = ANY(%s)").format(Identifier(table)), [list(again)])
        copy(db, "mail_messagebody", _BODY, (_body(ids[row.remote_id], row) for row in rows))
        _write_words(db, mailbox.pk, rows, ids)
        people = (
            (ids[row.remote_id], mailbox.pk, address, role, row.received)
            for row in rows
            for role, address in row.participants
        )
        copy(db, "mail_participant", _PERSON, people)
        if any(row.attachments for row in rows):
            files = ((ids[row.remote_id], one) for row in rows for one in _once(row.attachments))
            copy(db, "mail_attachment", _FILE, (_file(message_id, one) for message_id, one in files))
        if correspondents := _correspondents(mailbox.workspace_id, rows):
            db.executemany(_CORRESPONDENT, correspondents)


def _write_words(db: psycopg.Cursor[Any], mailbox_id: int, rows: Sequence[Prepared], ids: Mapping[str, int]) -> None:
    subjects, people, said = zip(*(row.searched for row in rows), strict=True)
    known = [ids[row.remote_id] for row in rows], [row.received for row in rows]
    db.execute(_WORDS, [mailbox_id, *known, list(subjects), list(people), list(said)])


def _once(attachments: Iterable[RemoteAttachment]) -> Iterable[RemoteAttachment]:
    return {one.id: one for one in attachments}.values()


def _body(message_id: int, row: Prepared) -> list[Any]:
    body = row.body
    assert body is not None
    return [message_id, body.content_type, body.html, body.text, body.new_text, body.sha256, mail_html.VERSION]


def _file(message_id: int, one: RemoteAttachment) -> Sequence[Any]:
    name, kind = storable(one.name) or "attachment", storable(one.content_type)[:255]
    return message_id, one.id, name, kind, one.size, one.is_inline, storable(one.content_id), one.kind


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
