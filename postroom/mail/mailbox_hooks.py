"""What the mirror of mail does when a mailbox is disconnected, and what its card shows (``settings.MAILBOX_HOOKS``)."""

from django.db import transaction
from django.db.models import Count, Sum
from django.template.defaultfilters import filesizeformat

from postroom.lib.clock import now
from postroom.mail import brake, comparing, erasing
from postroom.mail.models import Attachment, Composition, Folder, Message, Thread
from postroom.mailboxes.hooks import Card, Held
from postroom.mailboxes.models import Failure, Mailbox
from postroom.sync.models import OutboxEntry

NOT_SENT = "The mailbox was disconnected before this was known to be sent."


def disconnecting(mailbox: Mailbox, delete: bool) -> None:
    """What was not sent yet goes back to its author."""
    _take_back(mailbox)


def delegate_lost(mailbox: Mailbox) -> None:
    """The same: another delegate may come in a year, or never."""
    _take_back(mailbox)


def erase_some(mailbox: Mailbox, contacts: bool) -> int:
    """A portion of the mail of a mailbox that is being deleted, with the bytes of its files."""
    return erasing.erase_some(mailbox)


def _take_back(mailbox: Mailbox) -> None:
    """What waits to be sent goes back to its author: connecting again, perhaps in a year, must not send it."""
    waiting = OutboxEntry.objects.filter(mailbox=mailbox, kind=OutboxEntry.Kind.SEND, state__in=["waiting", "working"])
    with transaction.atomic():
        waiting.update(state=OutboxEntry.State.FAILED, done_at=now(), reason=NOT_SENT)
        sending = Composition.objects.filter(mailbox=mailbox, state=Composition.State.SENDING)
        sending.update(state=Composition.State.FAILED, failure=NOT_SENT)


def card(mailbox: Mailbox) -> Card:
    totals = list(Folder.objects.filter(mailbox=mailbox).values_list("total", flat=True))
    stopped = brake.asking(mailbox) if mailbox.failure == Failure.BREAKER else None
    summary = comparing.summary(mailbox)
    return {
        "folders": len(totals),
        "messages": sum(totals),
        "complete": "Checking" if summary.checking else summary.words if summary.share is not None else "",
        "stopped": brake.sentence(stopped.figures) if stopped else "",
    }


def holds(mailbox: Mailbox) -> list[Held]:
    """What deleting the synced data would remove."""
    files = Attachment.objects.filter(message__mailbox=mailbox).aggregate(count=Count("pk"), size=Sum("size"))
    return [
        Held("messages", Message.objects.filter(mailbox=mailbox).count()),
        Held("conversations", Thread.objects.filter(mailbox=mailbox).count()),
        Held("attachments", files["count"], filesizeformat(files["size"] or 0)),
        Held("drafts", Composition.objects.filter(mailbox=mailbox, state="draft").count()),
    ]
