"""How often to look when nobody tells us (product.md SY11). Pure but for the presence note it is given."""

from datetime import datetime, timedelta

from postroom.mailboxes.models import Mailbox

QUICK = timedelta(seconds=15)
SLOW = timedelta(minutes=5)
LOOKED_AT_WITHIN = timedelta(minutes=3)


def poll_interval(mailbox: Mailbox, at: datetime) -> timedelta:
    """Seconds while somebody reads in this mailbox, minutes when nobody does."""
    seen = mailbox.viewed_at
    return QUICK if seen is not None and at - seen < LOOKED_AT_WITHIN else SLOW
