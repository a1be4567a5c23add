"""Tickets: numbers, the clock that stops while one waits, merging."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from postroom.lib.clock import frozen
from postroom.records.models import Event, Queue, Ticket
from postroom.records.notes import commands as notes
from postroom.records.signals import merged
from postroom.records.tickets import commands
from postroom.records.tickets.sla import clock
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ticket(northwind: Workspace, alice: Membership) -> Ticket:
    return commands.create(northwind, by=alice, name="Scanner does not start", opened_at=MONDAY)


def test_numbers_follow_one_another_in_each_workspace(ticket: Ticket, carol: Membership) -> None:
    second = commands.create(ticket.workspace, by=None, name="Again")
    theirs = commands.create(carol.workspace, by=None, name="Theirs")
    assert [ticket.number, second.number, theirs.number] == [1001, 1002, 1001]


def test_targets_are_working_time_and_urgency_shortens_them(ticket: Ticket) -> None:
    assert ticket.reply_due == MONDAY + 4 * HOUR
    assert ticket.solve_due == datetime(2026, 11, 25, 17, tzinfo=UTC)
    commands.change(ticket, by=None, priority="urgent")
    assert ticket.reply_due == MONDAY + HOUR


def test_the_clock_stands_while_the_customer_is_waited_for(ticket: Ticket) -> None:
    due = ticket.solve_due
    assert due is not None
    commands.answered(ticket, by=None, at=MONDAY + HOUR)
    assert ticket.status == "waiting" and ticket.replied_at == MONDAY + HOUR
    assert clock(ticket, MONDAY + timedelta(days=30)).label == "Clock stopped"
    commands.asked(ticket, at=MONDAY + 4 * HOUR)
    assert ticket.status == "open" and ticket.solve_due == datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_what_the_clock_says(ticket: Ticket) -> None:
    assert clock(ticket, MONDAY) == ("First reply due", "good", ticket.reply_due)
    assert clock(ticket, MONDAY + 3.5 * HOUR).tone == "warn"
    assert clock(ticket, MONDAY + 5 * HOUR) == ("First reply overdue", "bad", ticket.reply_due)
    commands.become(ticket, "solved", by=None, at=MONDAY + timedelta(days=9))
    assert clock(ticket, MONDAY).label == "Solved late"


def test_a_solved_ticket_opens_again_when_the_customer_writes(ticket: Ticket) -> None:
    commands.become(ticket, "solved", by=None)
    commands.asked(ticket, at=MONDAY + 9 * HOUR)
    assert ticket.status == "open" and ticket.solved_at is None


def test_a_requester_is_found_by_address_or_made(northwind: Workspace, alice: Membership) -> None:
    made = commands.create(northwind, by=alice, name="Help", requester="Ines <ines@contoso.example>", company="Contoso")
    again = commands.create(northwind, by=alice, name="Help", requester="ines@contoso.example")
    assert made.requester == again.requester
    with pytest.raises(ValidationError) as refused:
        commands.create(northwind, by=alice, name="Help", requester="nobody at all")
    assert "requester" in refused.value.message_dict


def test_a_queue_of_another_workspace_is_refused(ticket: Ticket, carol: Membership) -> None:
    theirs = commands.queue_of(carol.workspace)
    with pytest.raises(ValidationError):
        commands.change(ticket, by=None, queue=theirs)


def test_merging_takes_notes_along_and_tells_both(ticket: Ticket, alice: Membership) -> None:
    heard: list[tuple[int, int]] = []

    def hear(gone: Ticket, kept: Ticket, **_: object) -> None:
        heard.append((gone.pk, kept.pk))

    merged.connect(hear)
    other = commands.create(ticket.workspace, by=alice, name="The same")
    notes.write(other, "Serial number 17", by=alice)
    commands.merge(other, ticket, by=alice)
    merged.disconnect(hear)
    assert ticket.notes.count() == 1 and other.status == "closed" and other.merged_into == ticket
    assert heard == [(other.pk, ticket.pk)]
    assert Event.objects.filter(ticket=ticket, verb="changed").get().changes[0]["new"] == f"#{other.number}"
    with pytest.raises(ValidationError):
        commands.merge(ticket, other, by=alice)
    with pytest.raises(ValidationError):
        commands.merge(ticket, ticket, by=alice)


def test_a_merged_ticket_stays_closed_when_mail_comes(ticket: Ticket) -> None:
    other = commands.create(ticket.workspace, by=None, name="The same")
    commands.merge(other, ticket, by=None)
    commands.asked(other, at=MONDAY)
    assert other.status == "closed"


def test_a_workspace_gets_one_queue_on_first_use(northwind: Workspace) -> None:
    with frozen(MONDAY):
        assert commands.queue_of(northwind) == commands.queue_of(northwind)
    assert Queue.objects.count() == 1
