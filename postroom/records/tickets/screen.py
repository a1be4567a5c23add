"""The screens of tickets."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Case, DateTimeField, Q, Value, When
from django.db.models.functions import Coalesce

from postroom.lib.clock import now
from postroom.records.models import Ticket
from postroom.records.record import BY_KEY
from postroom.records.screens import COMMON_SORTS, Column, Cut, Field, Screen, Shown, both_ways, company, owner, text
from postroom.records.tickets import commands
from postroom.records.tickets.forms import TicketForm
from postroom.workspaces.models import WorkspaceQuerySet

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
Status = Ticket.Status
TO_DO = (Status.NEW, Status.OPEN, Status.WAITING)


def _late(moment: datetime) -> Q:
    """The clock runs and a target has passed."""
    no_reply = Q(replied_at=None, reply_due__lt=moment)
    return Q(paused_at=None) & (no_reply | Q(solve_due__lt=moment))


def _requester(ticket: Ticket) -> list[Shown]:
    person = ticket.requester
    return [Shown(person.name, href=person.get_absolute_url())] if person else []


def _rows(query: WorkspaceQuerySet[Ticket]) -> WorkspaceQuerySet[Ticket]:
    done = When(status__in=[Ticket.Status.SOLVED, Ticket.Status.CLOSED], then=Value(NEVER))
    due = Case(done, default=Coalesce("solve_due", Value(NEVER)), output_field=DateTimeField())
    return query.select_related("queue", "requester", "company", "owner__user").annotate(due=due)


def _whole(query: WorkspaceQuerySet[Ticket]) -> WorkspaceQuerySet[Ticket]:
    related = query.select_related("queue", "requester", "company", "owner__user", "merged_into")
    return related.prefetch_related("requester__addresses")


TICKETS = Screen(
    type=BY_KEY["ticket"],
    folder="tickets",
    form=TicketForm,
    create=commands.create,
    change=commands.change,
    columns=(
        Column("Subject", "name"),
        Column("Requester", room="is-mid"),
        Column("Status", room="is-mid"),
        Column("Priority", room="is-extra"),
        Column("Due", "due"),
        Column("Assignee", room="is-extra"),
        Column("Last mail", number=True, room="is-extra"),
    ),
    sorts={**COMMON_SORTS, "due": both_ways("due", "id")},
    fields=(
        Field("Subject", lambda ticket: text(ticket.name), "name"),
        Field("Requester", _requester, "requester", "Add a requester"),
        Field("Company", company, "company", "Add a company"),
        Field("Queue", lambda ticket: text(ticket.queue.name), "queue"),
        Field("Priority", lambda ticket: text(ticket.get_priority_display()), "priority"),
        Field("Assignee", owner, "owner", "Assign to somebody"),
        Field("Origin", lambda ticket: text(ticket.get_origin_display())),
    ),
    rows=_rows,
    whole=_whole,
    empty="Mail to a support mailbox opens a ticket by itself; add one here for what came by telephone.",
    address=lambda ticket: ticket.requester.address if ticket.requester else "",
    cuts=(
        Cut("open", "To do", lambda query, member: query.filter(status__in=[Status.NEW, Status.OPEN])),
        Cut("mine", "Mine", lambda query, member: query.filter(owner=member, status__in=TO_DO)),
        Cut("unassigned", "Unassigned", lambda query, member: query.filter(owner=None, status__in=TO_DO)),
        Cut("waiting", "Waiting", lambda query, member: query.filter(status=Status.WAITING)),
        Cut("late", "Overdue", lambda query, member: query.filter(_late(now()), status__in=TO_DO)),
        Cut("done", "Solved", lambda query, member: query.exclude(status__in=TO_DO)),
        Cut("all", "All", lambda query, member: query),
    ),
    first_sort="due",
)
