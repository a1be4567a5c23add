"""Mail and tickets: what opens one, what joins it, what stops its clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from postroom.mail.models import Message
from postroom.mailboxes.models import Mailbox
from postroom.records.models import Person, Queue, Ticket
from postroom.records.tickets import commands
from postroom.timeline import queries
from postroom.timeline.models import Link
from postroom.timeline.tests.world import NOON, Page, World
from postroom.timeline.tickets import on_stored

pytestmark = pytest.mark.django_db
INES, SUPPORT = "ines@contoso.example", "support@northwind.example"


@pytest.fixture
def support(world: World) -> Mailbox:
    box = world.open_mailbox(SUPPORT, world.adele, "workspace")
    Mailbox.objects.filter(pk=box.pk).update(purpose="support", connected_at=NOON - timedelta(days=1), name="Support")
    box.refresh_from_db()
    return box


def take(box: Mailbox, *messages: Message, fresh: bool = True) -> None:
    on_stored(box, Page(new=[one.pk for one in messages]), fresh=fresh)


def test_mail_to_a_support_mailbox_opens_a_ticket(world: World, support: Mailbox) -> None:
    mail = world.mail(INES, SUPPORT, mailbox=support, subject="Scanner does not start")
    take(support, mail)
    ticket = Ticket.objects.get()
    assert (ticket.name, ticket.opened_at, ticket.origin) == ("Scanner does not start", mail.received, "mail")
    assert ticket.requester is not None and ticket.requester.address == INES
    assert ticket.requester.origin_mailbox == support.pk
    assert Queue.objects.get().mailbox == support.pk
    assert [line.conversation for line in queries.threads(ticket, world.adele).items] == [mail.thread.conversation_id]


def test_a_reply_joins_by_its_conversation_and_opens_the_ticket_again(world: World, support: Mailbox) -> None:
    first = world.mail(INES, SUPPORT, mailbox=support)
    take(support, first)
    commands.become(Ticket.objects.get(), "solved", by=None, at=NOON + timedelta(hours=1))
    again = world.mail(INES, SUPPORT, mailbox=support, hours=2, conversation=first.thread.conversation)
    take(support, again)
    assert Ticket.objects.get().status == "open"


def test_a_reply_in_a_new_conversation_joins_by_the_reference_in_its_subject(world: World, support: Mailbox) -> None:
    take(support, world.mail(INES, SUPPORT, mailbox=support))
    number = Ticket.objects.get().number
    take(
        support, world.mail("paul@contoso.example", SUPPORT, mailbox=support, hours=1, subject=f"AW: [#{number}] Help")
    )
    assert Ticket.objects.count() == 1 and Link.objects.filter(ticket__isnull=False).count() == 2


def test_a_stranger_who_guesses_a_number_opens_a_ticket_of_their_own(world: World, support: Mailbox) -> None:
    take(support, world.mail(INES, SUPPORT, mailbox=support))
    first = Ticket.objects.get()
    commands.become(first, "solved", by=None, at=NOON + timedelta(minutes=5))
    for hours, stranger in ((1, "eve@evil.example"), (2, "eve@gmail.com")):
        take(
            support, world.mail(stranger, SUPPORT, mailbox=support, hours=hours, subject=f"Re: [#{first.number}] Help")
        )
    first.refresh_from_db()
    assert (Ticket.objects.count(), first.status) == (3, "solved")
    assert Link.objects.filter(ticket=first).count() == 1


def test_who_was_in_copy_joins_from_any_address_of_theirs_in_the_mail(world: World, support: Mailbox) -> None:
    take(support, world.mail(INES, SUPPORT, cc=["helper@gmail.com"], mailbox=support))
    number = Ticket.objects.get().number
    take(support, world.mail("helper@gmail.com", SUPPORT, mailbox=support, hours=1, subject=f"[#{number}]"))
    assert Ticket.objects.count() == 1


def test_the_subject_of_a_mail_that_few_may_read_names_no_ticket(world: World, support: Mailbox) -> None:
    Mailbox.objects.filter(pk=support.pk).update(visibility="private")
    support.refresh_from_db()
    take(support, world.mail(INES, SUPPORT, mailbox=support, subject="Dismissal of Mr Fox"))
    assert Ticket.objects.get().name == f"Mail from {INES}"


def test_our_answer_from_any_mailbox_is_the_first_reply(world: World, support: Mailbox) -> None:
    first = world.mail(INES, SUPPORT, mailbox=support)
    take(support, first)
    answer = world.mail(world.mailbox.address, INES, hours=1, conversation=first.thread.conversation)
    Mailbox.objects.filter(pk=world.mailbox.pk).update(connected_at=NOON - timedelta(days=1))
    world.mailbox.refresh_from_db()
    take(world.mailbox, answer)
    ticket = Ticket.objects.get()
    assert (ticket.status, ticket.replied_at) == ("waiting", answer.received)


def test_the_same_mail_in_a_second_mailbox_and_late_changes_nothing(world: World, support: Mailbox) -> None:
    first = world.mail(INES, SUPPORT, mailbox=support)
    take(support, first)
    answer = world.mail(SUPPORT, INES, mailbox=support, hours=1, conversation=first.thread.conversation)
    take(support, answer)
    copy = world.mail(INES, SUPPORT, "adele@northwind.example", conversation=first.thread.conversation)
    Mailbox.objects.filter(pk=world.mailbox.pk).update(connected_at=NOON - timedelta(days=1))
    world.mailbox.refresh_from_db()
    take(world.mailbox, copy)
    assert Ticket.objects.get().status == "waiting"


def test_what_opens_no_ticket(world: World, support: Mailbox) -> None:
    take(support, world.mail(INES, SUPPORT, mailbox=support), fresh=False)
    take(support, world.mail(INES, SUPPORT, mailbox=support, hours=-48))
    take(support, world.mail(SUPPORT, INES, mailbox=support))
    take(world.mailbox, world.mail(INES, world.mailbox.address))
    robot = world.mail(INES, SUPPORT, mailbox=support)
    Message.objects.filter(pk=robot.pk).update(kind="auto_reply")
    take(support, robot)
    assert not Ticket.objects.exists()


def test_a_customer_who_is_a_contact_already_is_the_requester(world: World, support: Mailbox) -> None:
    for hours in (0, 5):
        take(support, world.mail(INES, SUPPORT, mailbox=support, hours=hours))
    assert Ticket.objects.count() == 2 and Person.objects.filter(addresses__address=INES).count() == 1


def test_merged_tickets_bring_their_mail_together(world: World, support: Mailbox) -> None:
    for hours in (0, 5):
        take(support, world.mail(INES, SUPPORT, mailbox=support, hours=hours))
    kept, gone = Ticket.objects.order_by("number")
    commands.merge(gone, kept, by=world.adele)
    assert len(queries.threads(kept, world.adele).items) == 2
    assert not queries.threads(gone, world.adele).items


def test_mail_is_never_held_up_by_a_ticket_that_cannot_be_made(
    world: World, support: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValidationError("taken meanwhile")

    monkeypatch.setattr("postroom.timeline.tickets.create_person", refuse)
    take(support, world.mail(INES, SUPPORT, mailbox=support))
    assert not Ticket.objects.exists() and Message.objects.exists()
