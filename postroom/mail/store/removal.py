"""Taking mail out of the mirror. Conversations stay: links hang on them."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from postroom.mail.models import Message
from postroom.mail.store import locks, threads
from postroom.mail.store.types import Stored, cursor
from postroom.mailboxes.models import Mailbox

_HANGING = ("mail_messagebody", "mail_messagesearch", "mail_participant", "mail_attachment")
_OF_THE_MAILBOX = ("mail_foldercheck", "mail_churn", "mail_brake", "mail_kept", "mail_allowance")
_AT_ONCE = 1000


def remove(mailbox: Mailbox, remote_ids: Sequence[str]) -> Stored:
    """Drop messages that the provider no longer has anywhere, in the caller's transaction."""
    stored = Stored()
    locks.enter(mailbox)
    with cursor() as db:
        db.execute(
            """SELECT id, folder_id, thread_id, is_read FROM mail_message
               WHERE mailbox_id = %s AND remote_id = ANY(%s)""",
            [mailbox.pk, list(remote_ids)],
        )
        rows = db.fetchall()
        if not rows:
            return stored
        counts: dict[int, tuple[int, int]] = {}
        for _, folder_id, _, is_read in rows:
            total, unread = counts.get(folder_id, (0, 0))
            counts[folder_id] = (total - 1, unread - (0 if is_read else 1))
        _delete(db, [row[0] for row in rows])
    stored.removed = [row[0] for row in rows]
    stored.threads = {row[2] for row in rows}
    threads.refresh(stored.threads)
    threads.count_folders(counts)
    return stored


def _delete(db: Any, ids: Sequence[int]) -> None:
    for table in _HANGING:
        db.execute(f"DELETE FROM {table} WHERE message_id = ANY(%s)", [list(ids)])  # constant names
    db.execute("UPDATE mail_composition SET answers_id = NULL WHERE answers_id = ANY(%s)", [list(ids)])
    db.execute("UPDATE mail_composition SET sent_message_id = NULL WHERE sent_message_id = ANY(%s)", [list(ids)])
    db.execute("DELETE FROM mail_message WHERE id = ANY(%s)", [list(ids)])


def delete_mailbox_mail(mailbox: Mailbox) -> None:
    """Every row of a mailbox's mail, a thousand messages at a time."""
    with transaction.atomic(), cursor() as db:
        locks.enter(mailbox)
        while ids := list(Message.objects.filter(mailbox=mailbox).values_list("pk", flat=True)[:_AT_ONCE]):
            _delete(db, ids)
        _delete_compositions(db, mailbox.pk)
        threads_here = "SELECT id FROM mail_thread WHERE mailbox_id = %s"
        db.execute(f"DELETE FROM mail_threadfolder WHERE thread_id IN ({threads_here})", [mailbox.pk])
        db.execute("DELETE FROM mail_thread WHERE mailbox_id = %s", [mailbox.pk])
        db.execute("DELETE FROM mail_known WHERE mailbox_id = %s", [mailbox.pk])
        db.execute("DELETE FROM mail_category WHERE mailbox_id = %s", [mailbox.pk])
        db.execute(
            "DELETE FROM mail_sighting WHERE folder_id IN (SELECT id FROM mail_folder WHERE mailbox_id = %s)",
            [mailbox.pk],
        )
        for table in _OF_THE_MAILBOX:
            db.execute(f"DELETE FROM {table} WHERE mailbox_id = %s", [mailbox.pk])  # constant names
        db.execute("UPDATE mail_folder SET parent_id = NULL WHERE mailbox_id = %s", [mailbox.pk])
        db.execute("DELETE FROM mail_folder WHERE mailbox_id = %s", [mailbox.pk])


def _delete_compositions(db: Any, mailbox_id: int) -> None:
    mine = "SELECT id FROM mail_composition WHERE mailbox_id = %s"
    db.execute(f"UPDATE mail_composition SET split_from_id = NULL WHERE split_from_id IN ({mine})", [mailbox_id])
    db.execute(f"DELETE FROM mail_compositionfile WHERE composition_id IN ({mine})", [mailbox_id])
    db.execute("DELETE FROM mail_composition WHERE mailbox_id = %s", [mailbox_id])


def drop_conversations(ids: Sequence[int]) -> None:
    """Conversations that became part of another, after everything that hung on them has moved."""
    if ids:
        with cursor() as db:
            db.execute("DELETE FROM mail_conversation WHERE id = ANY(%s)", [list(ids)])
