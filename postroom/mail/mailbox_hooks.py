"""What the mirror of mail does when a mailbox is disconnected, and what its card shows (``settings.MAILBOX_HOOKS``)."""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.template.defaultfilters import filesizeformat

from postroom.lib.clock import now
from postroom.mail import brake, commands, comparing, erasing, outbox
from postroom.mail.models import Attachment, Composition, Folder, Message, Thread
from postroom.mailboxes.hooks import Card, Held, Seen
from postroom.mailboxes.models import Failure, Mailbox
from postroom.providers.contract import FolderRole
from postroom.sync.models import OutboxEntry
from postroom.workspaces.models import Membership

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
    waiting = OutboxEntry.objects.filter(mailbox=mailbox, kind=OutboxEntry.Kind.SEND, state__in=OutboxEntry.OPEN)
    with transaction.atomic():
        waiting.update(state=OutboxEntry.State.FAILED, done_at=now(), reason=NOT_SENT)
        sending = Composition.objects.filter(mailbox=mailbox, state=Composition.State.SENDING)
        sending.update(state=Composition.State.FAILED, failure=NOT_SENT)


def card(mailbox: Mailbox) -> Card:
    totals = list(Folder.objects.filter(mailbox=mailbox).values_list("total", flat=True))
    stopped = brake.asking(mailbox) if mailbox.failure == Failure.BREAKER else None
    summary = comparing.summary(mailbox)
    return {
        "waiting": outbox.waiting([mailbox.pk]).get(mailbox.pk, 0),
        "folders": len(totals),
        "messages": sum(totals),
        "complete": "Checking" if summary.checking else summary.words if summary.share is not None else "",
        "stopped": brake.sentence(stopped.figures) if stopped else "",
    }


def test_send(mailbox: Mailbox, member: Membership, subject: str) -> int:
    """A message to oneself, handed to the outbox like any other."""
    told = "<p>This message tests the connection of this mailbox to Postroom. It is moved to Deleted Items.</p>"
    made = commands.compose(mailbox, member, to=[(mailbox.name, mailbox.address)], subject=subject, html=told)
    commands.send(made)
    return int(made.pk)


def test_look(mailbox: Mailbox, member: Membership, message: int, since: datetime) -> dict[str, Seen]:
    """How far the sending came, and where the copies are."""
    sent = Composition.objects.select_related("sent_message").filter(pk=message).first()
    if sent is None:
        return {"accepted": Seen(failed="The message was deleted meanwhile.")}
    if sent.state == Composition.State.FAILED:
        return {"accepted": Seen(failed=sent.failure)}
    found: dict[str, Seen] = {}
    entry = OutboxEntry.objects.filter(subject_key=f"composition:{sent.pk}").order_by("-pk").first()
    if sent.state == Composition.State.SENT or (entry is not None and entry.step == "handed_over"):
        found["accepted"] = Seen(sent.sent_at)
    for copy in _copies(mailbox, sent):
        found.update(_seen(copy))
    return found


def _seen(copy: Message) -> dict[str, Seen]:
    """What one copy of the test's message proves, by the folder it lies in."""
    if copy.folder.role == FolderRole.SENT:
        return {"sent": Seen()}
    if copy.folder.role == FolderRole.JUNK:
        return {"delivered": Seen(failed="It was put into Junk Email.")}
    if copy.folder.role != FolderRole.INBOX:
        return {}
    stored = {"stored": Seen()} if copy.body_state == Message.BodyState.STORED else {}
    return {"delivered": Seen(copy.received), **stored}


def test_clean(mailbox: Mailbox, member: Membership, message: int) -> None:
    """To Deleted Items with all copies."""
    sent = Composition.objects.select_related("sent_message").filter(pk=message).first()
    if sent is not None:
        commands.delete(list(_copies(mailbox, sent)), member)


def _copies(mailbox: Mailbox, sent: Composition) -> QuerySet[Message]:
    """What carries our Message-ID, or the one the provider gave the sent copy instead."""
    ids = {sent.internet_message_id, sent.sent_message.internet_message_id if sent.sent_message else ""} - {""}
    found = Message.objects.filter(mailbox=mailbox, internet_message_id__in=ids, is_draft=False)
    return found.select_related("folder", "mailbox", "thread")


def holds(mailbox: Mailbox) -> list[Held]:
    """What deleting the synced data would remove."""
    files = Attachment.objects.filter(message__mailbox=mailbox).aggregate(count=Count("pk"), size=Sum("size"))
    return [
        Held("messages", Message.objects.filter(mailbox=mailbox).count()),
        Held("conversations", Thread.objects.filter(mailbox=mailbox).count()),
        Held("attachments", files["count"], filesizeformat(files["size"] or 0)),
        Held("drafts", Composition.objects.filter(mailbox=mailbox, state="draft").count()),
    ]
