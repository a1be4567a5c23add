"""How far back a mailbox is pulled, and how far the pull is."""

from datetime import UTC, datetime

from postroom.mail import backlog
from postroom.mailboxes.models import Mailbox
from postroom.sync.contract import Run

EVERYTHING = "everything"


def reach(mailbox: Mailbox) -> datetime | None:
    """The oldest moment of the chosen history; ``None`` pulls everything."""
    if mailbox.history == Mailbox.History.ALL:
        return None
    return mailbox.since or mailbox.connected_at


def stamp(mailbox: Mailbox) -> str:
    since = reach(mailbox)
    return since.astimezone(UTC).isoformat() if since else EVERYTHING


def count(run: Run) -> None:
    """Bring the progress up to date, not more often than anybody looks."""
    if backlog.is_fresh(run.progress):
        return
    run.progress.update(backlog.progress(run.mailbox, run.progress, since=reach(run.mailbox)), complete=False)
