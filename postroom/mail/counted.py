"""Mail that is kept only as a number, because nothing of it shall be kept here (product.md CR6).

A package above decides which (``set_rule``); this one knows how. Of such a mail there is a ``Known`` row: the
provider's id, folder and date, its conversation (an id that hashes of Message-IDs lead to), and keyed digests of its
people's addresses. Being no message it is on no screen and in no search, and it counts as here when folders are
compared. It is looked at in memory when it comes, and again when it is asked for (``want``): then it is pulled like
older mail that was only noted.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet

from postroom.files import storage
from postroom.mail import backlog, erasing, store
from postroom.mail.models import Attachment, Known, Message
from postroom.mail.prepare import Prepared
from postroom.mail.store import locks
from postroom.mail.store.types import copy, cursor
from postroom.mailboxes.models import NOT_SYNCED, Mailbox

Rule = Callable[[Mailbox], bool]
_rule: list[Rule] = []


def set_rule(rule: Rule) -> None:
    """Who knows whether of a mailbox's mail something is kept only as a number: a package above."""
    _rule[:] = [rule]


def is_on(mailbox: Mailbox) -> bool:
    """Whether mail of this mailbox may be kept only as a number. Never where it could not be pulled again."""
    return mailbox.provider != NOT_SYNCED and any(rule(mailbox) for rule in _rule)


# --- as mail comes -------------------------------------------------------------------------------------------------


def among(mailbox: Mailbox, remote_ids: Sequence[str]) -> set[str]:
    """Those of ``remote_ids`` that are kept only as a number."""
    return set(_numbers(mailbox, remote_ids).values_list("remote_id", flat=True)) if is_on(mailbox) else set()


def only_noted(mailbox: Mailbox, rows: Sequence[Prepared], *, round: int) -> Sequence[Prepared]:
    """``rows`` without those that are new and come without their text: a listing names subject and people, but not
    enough to say whether they touch a record. They are noted, and pulled with the history."""
    bare = [row for row in rows if row.body is None and not row.columns["is_draft"]]
    if not bare or not is_on(mailbox):
        return rows
    here = store.known(mailbox.pk, [row.remote_id for row in bare])
    new = {row.remote_id: row.message for row in bare if row.remote_id not in here}
    store.keep_known(mailbox, list(new.values()), round=round)
    return [row for row in rows if row.remote_id not in new]


def seen_in_round(mailbox: Mailbox, remote_ids: Sequence[str], round: int) -> None:
    """A listing named these; they were messages when it was compared and may be numbers by now."""
    if remote_ids and is_on(mailbox):
        _numbers(mailbox, remote_ids).filter(round__lt=round).update(round=round)


def forget(mailbox: Mailbox, gone: Sequence[str]) -> None:
    """The provider, asked for these by id, has them nowhere."""
    if gone and is_on(mailbox):
        store.drop_known(mailbox, gone)


def _numbers(mailbox: Mailbox, remote_ids: Sequence[str]) -> QuerySet[Known]:
    return Known.objects.filter(mailbox=mailbox, remote_id__in=list(remote_ids), state=Known.State.COUNTED)


# --- from a message to a number ------------------------------------------------------------------------------------


class _Row(NamedTuple):
    id: int
    remote_id: str
    folder_id: int
    received: object
    round: int
    body_state: str
    conversation: int


@transaction.atomic
def put(mailbox: Mailbox, digests: Mapping[int, Sequence[bytes]]) -> store.Stored:
    """Keep only numbers of these messages (by id, with the digests of their people), in the caller's transaction.

    One whose text is not here yet is noted as not looked at. Returns what was removed, as ``store.remove`` does.
    """
    locks.enter(mailbox)
    with cursor() as db:
        db.execute(
            """SELECT m.id, m.remote_id, m.folder_id, m.received, m.round, m.body_state, t.conversation_id
               FROM mail_message m JOIN mail_thread t ON t.id = m.thread_id
               WHERE m.mailbox_id = %s AND m.id = ANY(%s)""",
            [mailbox.pk, list(digests)],
        )
        rows = [_Row(*row) for row in db.fetchall()]
    if not rows:
        return store.Stored()
    ids = [row.id for row in rows]
    blobs = set(Attachment.objects.filter(message__in=ids, blob__isnull=False).values_list("blob", flat=True))
    people = _uncount(mailbox, ids)
    removed = store.remove(mailbox, [row.remote_id for row in rows])
    _note(mailbox, rows, digests)
    erasing.forget_correspondents(mailbox, people)
    storage.drop_unused(blobs)
    return removed


def _note(mailbox: Mailbox, rows: Sequence[_Row], digests: Mapping[int, Sequence[bytes]]) -> None:
    Known.objects.filter(mailbox=mailbox, remote_id__in=[row.remote_id for row in rows]).delete()
    missing = Message.BodyState.MISSING
    columns = ("mailbox_id", "folder_id", "remote_id", "received", "round", "state", "conversation_id", "digests")
    with cursor() as db:
        copy(
            db,
            "mail_known",
            columns,
            (
                (mailbox.pk, row.folder_id, row.remote_id, row.received, row.round, Known.State.NOTED.value, None, None)
                if row.body_state == missing
                else (
                    *(mailbox.pk, row.folder_id, row.remote_id, row.received, row.round, Known.State.COUNTED.value),
                    *(row.conversation, sorted(set(digests[row.id]))),
                )
                for row in rows
            ),
        )


# What ``store.details`` counted when the message came: its author when it came in, its recipients when it was ours.
# Locked in the order of addresses, as pages of other mailboxes do.
_UNCOUNT = """
WITH gone AS (
    SELECT p.address, count(*) FILTER (WHERE NOT ours) AS received, count(*) FILTER (WHERE ours) AS sent
    FROM mail_participant p
    JOIN (SELECT id, lower(from_address) AS author, lower(from_address) = ANY(%(own)s) AS ours
          FROM mail_message WHERE id = ANY(%(ids)s)) m ON m.id = p.message_id
    WHERE CASE WHEN ours THEN p.role <> 'from' ELSE p.role = 'from' AND p.address = author END
    GROUP BY 1
), locked AS (
    SELECT c.id, gone.received, gone.sent FROM mail_correspondent c JOIN gone ON c.address = gone.address
    WHERE c.workspace_id = %(workspace)s ORDER BY c.address FOR UPDATE OF c
)
UPDATE mail_correspondent c
SET received = greatest(0, c.received - locked.received), sent = greatest(0, c.sent - locked.sent)
FROM locked WHERE c.id = locked.id
RETURNING c.address
"""


def _uncount(mailbox: Mailbox, ids: Sequence[int]) -> list[str]:
    """These messages are not counted any more with whom they were exchanged with; with whom that was."""
    with cursor() as db:
        own = list(backlog.own_addresses(mailbox))
        db.execute(_UNCOUNT, {"own": own, "ids": list(ids), "workspace": mailbox.workspace_id})
        return [row[0] for row in db.fetchall()]


# --- and back ------------------------------------------------------------------------------------------------------


@transaction.atomic
def want(
    workspace_id: int,
    *,
    mailboxes: Collection[int] | None = None,
    conversations: Collection[int] = (),
    digests: Collection[bytes] = (),
    alone: bool = True,
) -> list[int]:
    """Have those of these conversations, or with one of these digests, pulled; neither named: all of ``mailboxes``.
    Returns the mailboxes that have any; who calls asks for their history lane once this is committed.

    ``alone`` waits for whoever is just filing mail in the workspace: they may not see the record yet that this is
    about, and whoever files after this sees it.
    """
    if alone:
        locks.all_writers(workspace_id)
    rows = Known.objects.filter(mailbox__workspace=workspace_id, state=Known.State.COUNTED)
    if mailboxes is not None:
        rows = rows.filter(mailbox__in=mailboxes)
    if conversations or digests or mailboxes is None:
        named = Q(conversation__in=list(conversations))
        rows = rows.filter(named | Q(digests__overlap=list(digests)) if digests else named)
    found = sorted(set(rows.order_by().values_list("mailbox", flat=True)))
    rows.filter(mailbox__in=found).update(state=Known.State.WANTED)
    return found
