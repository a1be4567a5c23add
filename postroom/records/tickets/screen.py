"""The screens of tickets."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, DateTimeField, F, Q, Value, When

from postroom.lib.clock import now
from postroom.records import filters, nearby
from postroom.records.models import Queue, Ticket
from postroom.records.record import BY_KEY
from postroom.records.screens import Field, Moved, Screen, Shown, company, owner, steps_of, text
from postroom.records.tables import (
    ADDED,
    CHANGED,
    Column,
    Cut,
    choice_column,
    company_column,
    everything,
    last_mail,
    main,
    owner_column,
)
from postroom.records.tickets import commands
from postroom.records.tickets.forms import TicketForm
from postroom.workspaces.models import Membership, WorkspaceQuerySet

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
    return query.select_related("queue", "requester", "company", "owner__user")


def _due() -> Case:
    """When it is to be solved; nothing for what is."""
    solved = When(status__in=[Ticket.Status.SOLVED, Ticket.Status.CLOSED], then=Value(None))
    return Case(solved, default=F("solve_due"), output_field=DateTimeField())


def _queues(member: Membership) -> list[tuple[str, str]]:
    return [(str(one.pk), one.name) for one in Queue.objects.for_workspace(member.workspace_id)]


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
        main("tickets", "Subject"),
        Column(
            "requester",
            "Requester",
            text=lambda ticket: ticket.requester.name if ticket.requester else "",
            by="requester__sort_name",
            near=nearby.by_name_of("requester"),
            room="is-mid",
            filter=filters.Contains("requester__name"),
            edit="requester",
        ),
        choice_column("status", "Status", Status, cell="records/tickets/status_cell.html", room="is-mid"),
        choice_column("priority", "Priority", Ticket.Priority, down=True, room="is-extra"),
        Column(
            "due",
            "Due",
            cell="records/tickets/due_cell.html",
            by=_due(),
            kind="moment",
            filter=filters.Day("solve_due", moments=True),
        ),
        owner_column("Assignee"),
        last_mail(room="is-extra"),
        Column(
            "number",
            "Number",
            text=lambda ticket: f"#{ticket.number}",
            by="number",
            kind="key",
            number=True,
            usual=False,
            filter=filters.Amount("number", empty=""),
        ),
        company_column(usual=False),
        Column(
            "queue",
            "Queue",
            text=lambda ticket: ticket.queue.name,
            by="queue__name",
            usual=False,
            filter=filters.Choice("queue", _queues),
            edit="queue",
        ),
        choice_column("origin", "Origin", Ticket.Origin, usual=False, edit=False),
        ADDED,
        CHANGED,
    ),
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
        Cut("all", "All", everything),
    ),
    page="records/tickets/page.html",
    moved=Moved(
        name="status",
        label="Status",
        path="status",
        value=lambda ticket: str(ticket.status),
        target=lambda ticket, value: value if value in Status.values else None,
        steps=lambda ticket: steps_of(Status.choices, ticket.status),
        said=lambda ticket: f"#{ticket.number} is {ticket.get_status_display().lower()}.",
    ),
    first_sort="due",
)
