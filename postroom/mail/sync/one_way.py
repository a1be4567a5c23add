"""A one-way mailbox (product.md CN11): what people send goes out and is kept; nothing else is pulled.

The folder tree is kept all the same, because the sent copy lies in one of its folders; and a look now and then tells
whether the mailbox still lets us in, since nothing arrives by which one would notice.
"""

from datetime import timedelta

from postroom.lib.clock import now
from postroom.mail import sending
from postroom.mail.sync import outgoing
from postroom.mail.sync.tree import folder_tree
from postroom.sync.contract import Run, Steps
from postroom.sync.models import Notification

LOOK_EVERY = timedelta(hours=6)


def outbox(run: Run) -> Steps:
    """As in any mailbox, once it is known where things lie."""
    yield from folder_tree(run)
    yield from sending.send_due(run)
    yield from outgoing.carry_out(run)


def live(run: Run) -> Steps:
    """No mail: the tree, and whether the mailbox answers."""
    yield from folder_tree(run)
    run.source.probe()
    run.due_by(now() + LOOK_EVERY)
    yield lambda: (Notification.objects.filter(mailbox=run.mailbox).delete(), None)[1]
