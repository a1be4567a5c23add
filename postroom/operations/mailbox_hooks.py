"""What alerts do when a mailbox is left (``settings.MAILBOX_HOOKS``)."""

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.operations.models import Alert


def disconnecting(mailbox: Mailbox, delete: bool) -> None:
    """Nothing more is to be done about it: what is open closes without a word; with ``delete`` no row stays."""
    mine = Alert.objects.filter(mailbox=mailbox)
    if delete:
        mine.delete()
    else:
        mine.filter(closed_at=None).update(closed_at=now())
