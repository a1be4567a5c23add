"""Questions the engine asks of the mirror before it writes."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from postroom.mail.models import Known, Message
from postroom.mail.store.types import KnownMessage, cursor
from postroom.mailboxes.models import Mailbox


def known(mailbox_id: int, remote_ids: Sequence[str]) -> dict[str, KnownMessage]:
    """The messages we have among ``remote_ids``."""
    with cursor() as db:
        db.execute(
            """SELECT m.remote_id, m.id, f.remote_id, m.change_key, m.is_draft, m.body_state = 'missing',
                      m.modified
               FROM mail_message m JOIN mail_folder f ON f.id = m.folder_id
               WHERE m.mailbox_id = %s AND m.remote_id = ANY(%s)""",
            [mailbox_id, list(remote_ids)],
        )
        return {row[0]: KnownMessage(*row[1:]) for row in db.fetchall()}


def missing_bodies(mailbox: Mailbox, since: datetime | None, *, limit: int) -> list[str]:
    """Provider's ids of messages in the chosen history that have no body yet, newest first."""
    rows = Message.objects.filter(mailbox=mailbox, body_state=Message.BodyState.MISSING)
    if since is not None:
        rows = rows.filter(received__gte=since)
    return list(rows.order_by("-received").values_list("remote_id", flat=True)[:limit])


def noted(mailbox: Mailbox, since: datetime | None, *, limit: int) -> list[str]:
    """Provider's ids of messages of which we only know that they exist and which shall be pulled, in folders that are
    synced: those of the chosen history, and those asked for again."""
    inside = Q(state=Known.State.NOTED) if since is None else Q(state=Known.State.NOTED, received__gte=since)
    rows = Known.objects.filter(inside | Q(state=Known.State.WANTED), mailbox=mailbox, folder__synced=True)
    return list(rows.order_by("-received").values_list("remote_id", flat=True)[:limit])


def not_in_round(mailbox: Mailbox, folder_remote_id: str, round: int) -> list[str]:
    """Messages we hold in a folder that its new listing has not named."""
    rows = Message.objects.filter(mailbox=mailbox, folder__remote_id=folder_remote_id, round__lt=round)
    return list(rows.values_list("remote_id", flat=True))
