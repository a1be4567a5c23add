"""Deleting the mail of a mailbox that was disconnected, a portion at a time (``mailboxes.departure``).

Conversations outlive a mailbox as long as another one has them: links hang there. What only this mailbox had goes.
"""

from collections.abc import Sequence

from django.db import models, transaction
from django.db.models import Exists, OuterRef

from postroom.files import storage
from postroom.lib import erasing
from postroom.mail.models import (
    Attachment,
    Composition,
    CompositionFile,
    Conversation,
    Correspondent,
    Message,
    Participant,
    Thread,
)
from postroom.mail.store import locks
from postroom.mailboxes.models import Mailbox

AT_ONCE = 1000


@transaction.atomic
def erase_some(mailbox: Mailbox) -> int:
    """The next portion; returns how many messages, threads or other rows, 0 when nothing is left."""
    locks.enter(mailbox)
    if gone := _messages(mailbox) or _compositions(mailbox) or _threads(mailbox):
        return gone
    rest = erasing.some(mailbox, app="mail")
    return rest.rows if rest else 0


def _messages(mailbox: Mailbox) -> int:
    some = list(Message.objects.filter(mailbox=mailbox).order_by().values_list("pk", flat=True)[:AT_ONCE])
    if not some:
        return 0
    people = list(Participant.objects.filter(message__in=some).order_by().values_list("address", flat=True).distinct())
    blobs = set(Attachment.objects.filter(message__in=some, blob__isnull=False).values_list("blob", flat=True))
    Message.objects.filter(pk__in=some).delete()
    forget_correspondents(mailbox, people)
    storage.drop_unused(blobs)
    return len(some)


def forget_correspondents(mailbox: Mailbox, addresses: Sequence[str]) -> None:
    """Whom no mailbox of the workspace has written with any more."""
    left = Participant.objects.filter(address=OuterRef("address"), mailbox__workspace=mailbox.workspace_id)
    known = Correspondent.objects.filter(workspace=mailbox.workspace_id, address__in=addresses)
    known.filter(~Exists(left)).delete()


def _compositions(mailbox: Mailbox) -> int:
    some = list(Composition.objects.filter(mailbox=mailbox).order_by().values_list("pk", flat=True)[:AT_ONCE])
    files = CompositionFile.objects.filter(composition__in=some, blob__isnull=False)
    blobs = set(files.values_list("blob", flat=True))
    Composition.objects.filter(pk__in=some).delete()
    storage.drop_unused(blobs)
    return len(some)


def _threads(mailbox: Mailbox) -> int:
    some = dict(Thread.objects.filter(mailbox=mailbox).order_by().values_list("pk", "conversation")[:AT_ONCE])
    Thread.objects.filter(pk__in=list(some)).delete()
    only_here(list(some.values())).delete()
    return len(some)


def only_here(conversations: Sequence[int]) -> models.QuerySet[Conversation]:
    """Of these, the conversations that no thread and nothing written is in any more."""
    found = Conversation.objects.filter(pk__in=conversations)
    for model in (Thread, Composition):
        found = found.exclude(Exists(model._base_manager.filter(conversation=OuterRef("pk"))))
    return found
