"""What the mirror of mail does when a mailbox is disconnected, and what its card shows (``settings.MAILBOX_HOOKS``)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Aggregate, Count, OuterRef, QuerySet, Subquery, Sum
from django.template.defaultfilters import filesizeformat

from postroom.lib.clock import now
from postroom.mail import brake, commands, comparing, drafts, erasing, outbox
from postroom.mail.models import Attachment, Composition, Folder, Message, Thread
from postroom.mailboxes.hooks import Card, Held, Seen
from postroom.mailboxes.models import Failure, Mailbox
from postroom.providers.contract import FolderRole
from postroom.sync.models import OutboxEntry
from postroom.workspaces.models import Membership

NOT_SENT = "The mailbox was disconnected before this was known to be sent."


def reconnected(mailbox: Mailbox) -> None:
    """What was written while nothing could be saved at the provider goes there now."""
    drafts.catch_up(mailbox)


def direction_changed(mailbox: Mailbox) -> None:
    """The same when the mailbox becomes two-way."""
    drafts.catch_up(mailbox)


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


def cards(mailboxes: Sequence[Mailbox]) -> dict[int, Card]:
    rows: list[Any] = list(_counted(Mailbox.objects.filter(pk__in=[one.pk for one in mailboxes])))
    summaries = comparing.summaries(rows)
    questions = brake.all_asking([one for one in mailboxes if one.failure == Failure.BREAKER])
    found: dict[int, Card] = {}
    for one in rows:
        summary, stopped = summaries[one.pk], questions.get(one.pk)
        found[one.pk] = {
            "waiting": one.late or 0,
            "folders": one.folders_here or 0,
            "messages": one.mails or 0,
            "complete": "Checking" if summary.checking else summary.words if summary.share is not None else "",
            "stopped": brake.sentence(stopped.figures) if stopped else "",
        }
    return found


def _counted(mailboxes: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    """With the numbers of their cards."""
    folders = Folder.objects.filter(mailbox=OuterRef("pk")).order_by().values("mailbox")
    late = outbox.late().filter(mailbox=OuterRef("pk")).order_by().values("mailbox")
    return comparing.with_noted(mailboxes).annotate(
        folders_here=Subquery(folders.annotate(number=Count("pk")).values("number")),
        mails=Subquery(folders.annotate(number=Sum("total")).values("number")),
        late=Subquery(late.annotate(number=Count("pk")).values("number")),
    )


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
    """What deleting the synced data would remove; one query."""

    def of(rows: QuerySet[Any], counted: Aggregate, way: str = "mailbox") -> Subquery:
        mine = rows.filter(**{way: OuterRef("pk")}).order_by().values(way)
        return Subquery(mine.annotate(found=counted).values("found"))

    files, drafts = Attachment.objects.all(), Composition.objects.filter(state="draft")
    found = Mailbox.objects.values(
        of_messages=of(Message.objects.all(), Count("pk")),
        of_threads=of(Thread.objects.all(), Count("pk")),
        of_files=of(files, Count("pk"), "message__mailbox"),
        of_size=of(files, Sum("size"), "message__mailbox"),
        of_drafts=of(drafts, Count("pk")),
    ).get(pk=mailbox.pk)
    return [
        Held("messages", found["of_messages"] or 0),
        Held("conversations", found["of_threads"] or 0),
        Held("attachments", found["of_files"] or 0, filesizeformat(found["of_size"] or 0)),
        Held("drafts", found["of_drafts"] or 0),
    ]
