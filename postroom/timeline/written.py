"""Mail that was begun from a record belongs to it, once it is sent (product.md SE1)."""

from __future__ import annotations

from typing import Any

from postroom.mail.models import Composition, Message
from postroom.records.models import Ticket
from postroom.records.record import BY_KEY, Record
from postroom.timeline import links
from postroom.timeline.models import Link


def record_of(workspace_id: int, told: str) -> Record | None:
    """The record that ``contact-12`` names, if the workspace has it."""
    key, _, number = told.partition("-")
    if key not in BY_KEY or not number.isdecimal() or len(number) > 18:
        return None
    found = BY_KEY[key].of(workspace_id).filter(pk=int(number)).first()
    return found if isinstance(found, Record) else None


def on_sent(*, composition: Composition, message: Message | None, **_: Any) -> None:
    """Link its conversation by hand, in the transaction that says it was sent (``mail.signals.sent``)."""
    if message is None or not composition.about:
        return
    record = record_of(composition.mailbox.workspace_id, composition.about)
    if record is not None:
        links.link(message.thread.conversation, record, by=composition.author)


def queue_mailbox(record: Record | None) -> int | None:
    """The support mailbox from which mail about a ticket goes out."""
    return record.queue.mailbox if isinstance(record, Ticket) else None


def queue_mailbox_of(conversation: int | None) -> int | None:
    """The same of the ticket a conversation belongs to."""
    if conversation is None:
        return None
    rows = Link.objects.filter(conversation=conversation, ticket__merged_into=None, removed_at=None)
    tickets = rows.filter(ticket__isnull=False).order_by("-ticket")
    return tickets.values_list("ticket__queue__mailbox", flat=True).first()
