"""Messages that exist at the provider and of which nothing is here but that: listed, not pulled, or not kept."""

from collections.abc import Sequence

from postroom.mail.models import Known
from postroom.mail.store.types import cursor
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import RemoteMessage


def keep_known(mailbox: Mailbox, messages: Sequence[RemoteMessage], *, round: int = 0) -> None:
    """Note that these exist, and where. A message in a folder we do not know is left to the next listing."""
    with cursor() as db:
        db.executemany(
            """INSERT INTO mail_known (mailbox_id, folder_id, remote_id, received, round)
               SELECT %(mailbox)s, f.id, %(id)s, %(received)s, %(round)s
               FROM mail_folder f WHERE f.mailbox_id = %(mailbox)s AND f.remote_id = %(folder)s
               ON CONFLICT (mailbox_id, remote_id) DO UPDATE
               SET folder_id = excluded.folder_id, received = coalesce(excluded.received, mail_known.received),
                   round = excluded.round""",
            [
                {"mailbox": mailbox.pk, "id": m.id, "received": m.received, "round": round, "folder": m.folder_id}
                for m in messages
            ],
        ) if messages else None


def drop_known(
    mailbox: Mailbox, remote_ids: Sequence[str], *, folder_remote_id: str = "", but_counted: bool = False
) -> None:
    """Forget these; with ``folder_remote_id`` only those still noted in that folder (they may have moved), with
    ``but_counted`` not those that were looked at and are kept as a number."""
    if not remote_ids:
        return
    with cursor() as db:
        db.execute(
            """DELETE FROM mail_known k USING mail_folder f
               WHERE k.folder_id = f.id AND k.mailbox_id = %(mailbox)s AND k.remote_id = ANY(%(ids)s)
                 AND (%(folder)s = '' OR f.remote_id = %(folder)s)
                 AND NOT (%(but_counted)s AND k.state = 1)""",
            {
                "mailbox": mailbox.pk,
                "ids": list(remote_ids),
                "folder": folder_remote_id,
                "but_counted": but_counted,
            },
        )


def drop_known_before(mailbox: Mailbox, folder_remote_id: str, round: int) -> None:
    """A new listing of a folder has come to its end: what it did not name of those noted there is there no more."""
    rows = Known.objects.filter(mailbox=mailbox, folder__remote_id=folder_remote_id, round__lt=round)
    rows.delete()
