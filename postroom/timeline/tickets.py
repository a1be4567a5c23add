"""Tickets from mail (product.md CR5): mail to a support mailbox opens one, replies join it, an answer stops its clock.

Which ticket a mail belongs to is told by its conversation (Message-ID and References), then by the reference in its
subject, [#1042], from somebody who has to do with it. Only news opens tickets: history pulled later does not.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from postroom.mail.models import Conversation, Message, Participant
from postroom.mailboxes.models import Mailbox
from postroom.records.models import Person, Queue, Ticket
from postroom.records.people.commands import create as create_person
from postroom.records.people.commands import split_name
from postroom.records.tickets import commands
from postroom.timeline.matching import own_addresses
from postroom.timeline.models import Link
from postroom.timeline.rules import domain_of, is_public
from postroom.timeline.sharing import levels

log = logging.getLogger(__name__)

REFERENCE = re.compile(r"\[#(\d{1,9})\]")
OPENS = (Message.Kind.MAIL, Message.Kind.INVITATION)  # automatic replies, bounces and newsletters open nothing
NO_SUBJECT = "(no subject)"


class Stored(Protocol):
    """What storing a page of mail reports: the ids of its new messages."""

    @property
    def new(self) -> Collection[int]: ...


def on_stored(mailbox: Mailbox, stored: Stored, *, fresh: bool) -> None:
    """Take news to their tickets (a hook of ``settings.SYNC_HOOKS``, after matching), in its transaction."""
    if not fresh or not stored.new:
        return
    known = _tickets_of(Conversation.objects.filter(threads__messages__in=stored.new))
    supports = mailbox.purpose == Mailbox.Purpose.SUPPORT
    if not known and not supports:
        return
    ours = set(own_addresses(mailbox.workspace_id))
    for message in _news(mailbox, stored.new):
        try:
            with transaction.atomic():
                _take(mailbox, message, known, opens=supports, ours=ours)
        except ValidationError as refused:  # mail is stored in any case: a ticket that cannot be made must not stop it
            log.warning("mailbox %s: a mail came to no ticket: %s", mailbox.pk, ", ".join(refused.messages))


def _take(mailbox: Mailbox, message: Message, known: dict[int, Ticket], *, opens: bool, ours: Collection[str]) -> None:
    conversation = message.thread.conversation_id
    ticket = known.get(conversation)
    wanted = message.folder.role == "inbox" and message.kind in OPENS
    if ticket is None and opens and wanted and not levels.never_logged(message):
        ticket = _joined(mailbox, message, ours) or _opened(mailbox, message, ours)
    if ticket is not None:
        known[conversation] = ticket
        _hear(ticket, message, mailbox, ours)


def _news(mailbox: Mailbox, ids: Collection[int]) -> Sequence[Message]:
    """The new messages that count, oldest first: what was there before the mailbox was connected is history."""
    rows = Message.objects.filter(pk__in=ids, is_draft=False, received__gte=mailbox.connected_at)
    here = rows.exclude(folder__role__in=["junk", "deleted"]).select_related("thread", "folder")
    return list(here.order_by("received", "id"))


def _tickets_of(conversations: Iterable[Conversation]) -> dict[int, Ticket]:
    """The ticket each conversation belongs to; of several the one that still stands."""
    links = Link.objects.filter(Q(conversation__in=conversations), ticket__isnull=False, removed_at=None)
    rows = links.select_related("ticket__queue", "ticket__merged_into").order_by("ticket__merged_into", "-ticket__id")
    return {row.conversation_id: row.ticket for row in reversed(rows) if row.ticket is not None}


def _joined(mailbox: Mailbox, message: Message, ours: Collection[str]) -> Ticket | None:
    """The ticket the subject refers to, linked now; of a merged one, the ticket it went into.

    Only for who has to do with it: numbers are easily guessed, and a stranger's mail among a customer's would sooner or
    later be answered with what is the customer's. Theirs is a ticket of its own.
    """
    numbers = [int(number) for number in REFERENCE.findall(message.subject)]
    if not numbers:
        return None
    every = Ticket.objects.for_workspace(mailbox.workspace_id).select_related("queue", "merged_into__queue")
    address = message.from_address.lower()
    for found in every.filter(number__in=numbers).order_by("number"):
        ticket = _standing(found)
        if address in ours or _takes_part(address, found) or _takes_part(address, ticket):
            _link(message, ticket)
            return ticket
    return None


def _standing(ticket: Ticket) -> Ticket:
    """The ticket that one was merged into, and that one perhaps."""
    seen = {ticket.pk}
    while ticket.merged_into is not None and ticket.merged_into.pk not in seen:
        ticket = ticket.merged_into
        seen.add(ticket.pk)
    return ticket


def _takes_part(address: str, ticket: Ticket) -> bool:
    """Is it the requester's, of the requester's organisation, or of somebody in the ticket's mail?"""
    domain = domain_of(address)
    theirs = ticket.requester.address_list() if ticket.requester else []
    if address in theirs or (domain and not is_public(domain) and domain in {domain_of(one) for one in theirs}):
        return True
    linked = Link.objects.filter(ticket=ticket, removed_at=None).values("conversation")
    return Participant.objects.filter(address=address, message__thread__conversation__in=linked).exists()


def _opened(mailbox: Mailbox, message: Message, ours: Collection[str]) -> Ticket | None:
    """A new ticket for a mail from outside; None for our own."""
    address = message.from_address.lower()
    if not address or address in ours:
        return None
    ticket = commands.create(
        mailbox.workspace,
        by=None,
        name=_name(mailbox, message),
        queue=queue_of(mailbox),
        requester=_requester(mailbox, message, address),
        opened_at=message.received,
        origin=Ticket.Origin.MAIL,
    )
    _link(message, ticket)
    return ticket


def _name(mailbox: Mailbox, message: Message) -> str:
    """Every member sees tickets: the subject of a mail that not every member may read is no name for one."""
    if mailbox.visibility != Mailbox.Visibility.WORKSPACE:
        return f"Mail from {message.from_name.strip() or message.from_address}"
    return message.subject.strip() or NO_SUBJECT


def queue_of(mailbox: Mailbox) -> Queue:
    """The queue a support mailbox fills, made with its first ticket."""
    every = Queue.objects.for_workspace(mailbox.workspace_id)
    if (found := every.filter(mailbox=mailbox.pk).first()) is not None:
        return found
    name = (mailbox.name or mailbox.address)[:100]
    return Queue.objects.create(
        workspace_id=mailbox.workspace_id, name=name, mailbox=mailbox.pk, position=every.count()
    )


def _requester(mailbox: Mailbox, message: Message, address: str) -> Person:
    people = Person.objects.for_workspace(mailbox.workspace_id)
    if (known := people.filter(addresses__address=address).first()) is not None:
        return known
    first, last = split_name(message.from_name)
    return create_person(
        mailbox.workspace,
        by=None,
        first_name=first,
        last_name=last,
        addresses=[address],
        origin=Person.Origin.MAIL,
        origin_mailbox=mailbox.pk,
    )


def _link(message: Message, ticket: Ticket) -> None:
    Link.objects.get_or_create(
        workspace_id=ticket.workspace_id,
        conversation_id=message.thread.conversation_id,
        ticket=ticket,
        defaults={"last_at": message.received},
    )


def _hear(ticket: Ticket, message: Message, mailbox: Mailbox, ours: Collection[str]) -> None:
    """What a mail means for its ticket. The same mail comes in several mailboxes, and late: only newer ones count."""
    if ticket.heard_at is not None and message.received <= ticket.heard_at:
        return
    ticket.heard_at = message.received
    ticket.save(update_fields=["heard_at"])
    if message.from_address.lower() in ours:
        own = mailbox.kind == Mailbox.Kind.OWN and message.from_address.lower() == mailbox.address.lower()
        commands.answered(ticket, by=mailbox.owner if own else None, at=message.received)
    elif message.kind in OPENS:
        commands.asked(ticket, at=message.received)
