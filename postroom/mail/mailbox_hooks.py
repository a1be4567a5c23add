"""What the mirror of mail does when a mailbox is disconnected, and what its card shows (``settings.MAILBOX_HOOKS``)."""

from django.db import transaction

from postroom.files import storage
from postroom.lib.clock import now
from postroom.mail import store
from postroom.mail.models import Attachment, Composition, CompositionFile, Folder, Message, Thread
from postroom.mailboxes.hooks import Card
from postroom.mailboxes.models import Mailbox
from postroom.sync.models import OutboxEntry

NOT_SENT = "The mailbox was disconnected before this was known to be sent."


def disconnecting(mailbox: Mailbox, delete: bool) -> None:
    """With ``delete`` no row of this mailbox's mail stays. Links hang on conversations and are the timeline's."""
    _take_back(mailbox)
    if delete:
        kept = Attachment.objects.filter(message__mailbox=mailbox, blob__isnull=False).values_list("blob", flat=True)
        written = CompositionFile.objects.filter(composition__mailbox=mailbox).values_list("blob", flat=True)
        blobs = {*kept, *written}
        store.delete_mailbox_mail(mailbox)
        storage.drop_unused(blobs)


def _take_back(mailbox: Mailbox) -> None:
    """What waits to be sent goes back to its author: connecting again, perhaps in a year, must not send it."""
    waiting = OutboxEntry.objects.filter(mailbox=mailbox, kind=OutboxEntry.Kind.SEND, state__in=["waiting", "working"])
    with transaction.atomic():
        waiting.update(state=OutboxEntry.State.FAILED, done_at=now(), reason=NOT_SENT)
        sending = Composition.objects.filter(mailbox=mailbox, state=Composition.State.SENDING)
        sending.update(state=Composition.State.FAILED, failure=NOT_SENT)


def card(mailbox: Mailbox) -> Card:
    totals = list(Folder.objects.filter(mailbox=mailbox).values_list("total", flat=True))
    return {"folders": len(totals), "messages": sum(totals)}


def holds(mailbox: Mailbox) -> list[tuple[str, int]]:
    """What deleting the synced data would remove."""
    messages = Message.objects.filter(mailbox=mailbox)
    return [
        ("messages", messages.count()),
        ("conversations", Thread.objects.filter(mailbox=mailbox).count()),
        ("attachments", Attachment.objects.filter(message__in=messages).count()),
        ("drafts", Composition.objects.filter(mailbox=mailbox, state="draft").count()),
    ]
