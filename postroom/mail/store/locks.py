"""Who may write at the same time.

A mailbox has one writer at a time, be it the engine or a member's click: what lists show is derived from rows, and must
not be derived from a neighbour's unfinished work. Mailboxes of a workspace write side by side, until conversations
become one: that changes threads of other mailboxes, so it waits for all writers of the workspace and keeps them out.

Locks are taken first and in this order — workspace, then mailbox — and held to the end of the transaction, so nobody
waits for somebody who waits for them.
"""

from postroom.mail.store.types import cursor
from postroom.mailboxes.models import Mailbox

_WORKSPACE, _MAILBOX = 7_276_101, 7_276_102  # classes of advisory locks


class NeedsAlone(Exception):
    """What was begun beside other writers turned out to change their rows. Undo it, and do it again ``alone``."""


def enter(mailbox: Mailbox, *, alone: bool = False) -> None:
    """Wait for the right to write a mailbox's mail until the transaction ends; ``alone``: in all of the workspace."""
    how = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with cursor() as db:
        db.execute(f"SELECT {how}(%s, %s)", [_WORKSPACE, mailbox.workspace_id])
        db.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_MAILBOX, mailbox.pk])


def all_writers(workspace_id: int) -> None:
    """Wait until nobody writes mail of the workspace, and keep them out until the transaction ends: for what must be
    seen by whoever writes next. Taken first and in a short transaction of its own."""
    with cursor() as db:
        db.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_WORKSPACE, workspace_id])
