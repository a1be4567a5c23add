"""What happens to tickets, named as members would say it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from postroom.lib.clock import now
from postroom.records.commands import Labels, assign, keep, named
from postroom.records.companies.commands import with_company
from postroom.records.history import Change, Event, tell
from postroom.records.models import Person, Queue, Ticket
from postroom.records.people.commands import found_or_new
from postroom.records.signals import merged
from postroom.records.tickets.clock import after, between
from postroom.workspaces.models import Membership, Workspace

Status, Priority = Ticket.Status, Ticket.Priority

LABELS: Labels = {
    "name": "Subject",
    "queue": "Queue",
    "priority": "Priority",
    "requester": "Requester",
    "company": "Company",
    "owner": "Assignee",
}
FIRST_NUMBER = 1001
SHARE: dict[str, float] = {Priority.URGENT: 0.25, Priority.HIGH: 0.5, Priority.NORMAL: 1, Priority.LOW: 2}
"""The part of a queue's targets that a priority has."""


@transaction.atomic
def first_queue(workspace: Workspace) -> Queue:
    """The queue tickets go into when none is chosen, made on first use."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)  # two members at once make one queue
    found = Queue.objects.for_workspace(workspace).first()
    return found or Queue.objects.create(workspace=workspace, name="Support")


def queue_of(workspace: Workspace) -> Queue:
    """The workspace's first queue."""
    return Queue.objects.for_workspace(workspace).first() or first_queue(workspace)


@transaction.atomic
def create(
    workspace: Workspace,
    *,
    by: Membership | None,
    name: str,
    queue: Queue | None = None,
    requester: Person | str | None = None,
    opened_at: datetime | None = None,
    origin: Ticket.Origin = Ticket.Origin.MEMBER,
    **values: Any,
) -> Ticket:
    """A new ticket, in the first queue when none is given. Raises ValidationError, keyed by field."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)  # numbers come one after the other
    queue = queue or queue_of(workspace)
    ticket = Ticket(workspace=workspace, queue=queue, origin=origin, opened_at=opened_at or now())
    person = _requester(workspace, requester, by=by)
    if person is not None and not values.get("company"):
        values["company"] = person.company
    told = {"queue": queue, "requester": person, **values, "name": named(name)}
    assign(ticket, with_company(workspace, told, by=by), LABELS)
    last = Ticket.objects.for_workspace(workspace).aggregate(last=Max("number"))["last"]
    ticket.number = (last or FIRST_NUMBER - 1) + 1
    _aim(ticket)
    keep(ticket, by=by, changes=[], verb=Event.Verb.CREATED)
    return ticket


@transaction.atomic
def change(ticket: Ticket, *, by: Membership | None, **values: Any) -> Ticket:
    """Set fields; another queue or priority sets the targets anew. Raises ValidationError, keyed by field."""
    if "name" in values:
        values["name"] = named(values["name"])
    if "requester" in values:
        values["requester"] = _requester(ticket.workspace, values["requester"], by=by)
    if (status := values.pop("status", None)) is not None:
        become(ticket, status, by=by)
    changes = assign(ticket, with_company(ticket.workspace, values, by=by), LABELS)
    if any(one["field"] in (LABELS["queue"], LABELS["priority"]) for one in changes):
        _aim(ticket)
    keep(ticket, by=by, changes=changes)
    return ticket


@transaction.atomic
def become(ticket: Ticket, status: str, *, by: Membership | None, at: datetime | None = None) -> bool:
    """Another status; False when it has it already. Waiting stops the clock, anything else lets it go on."""
    before, moment = Status(ticket.status), at or now()
    if before == status:
        return False
    _turn_clock(ticket, Status(status), moment)
    ticket.status = Status(status)
    ticket.solved_at = (ticket.solved_at or moment) if ticket.is_done else None
    told = Change(field="Status", old=str(before.label), new=str(Status(status).label))
    keep(ticket, by=by, changes=[told], verb=Event.Verb.MOVED)
    return True


def asked(ticket: Ticket, *, at: datetime) -> None:
    """The customer wrote: the ticket is open again, unless it was merged into another."""
    if ticket.merged_into is None and ticket.status != Status.NEW:
        become(ticket, Status.OPEN, by=None, at=at)


def answered(ticket: Ticket, *, by: Membership | None, at: datetime) -> None:
    """We wrote: the first reply is given, and an open ticket waits for the customer."""
    if ticket.replied_at is None:
        ticket.replied_at = at
        keep(ticket, by=by, changes=[])
    if not ticket.is_done:
        become(ticket, Status.WAITING, by=by, at=at)


@transaction.atomic
def merge(ticket: Ticket, into: Ticket, *, by: Membership | None) -> Ticket:
    """Close a ticket as the same as another, which takes its mail, notes and links. Raises ValidationError."""
    if into.pk == ticket.pk or into.workspace_id != ticket.workspace_id:
        raise ValidationError("Choose another ticket to merge into.")
    both = Ticket.objects.select_for_update(no_key=True).filter(pk__in=[ticket.pk, into.pk]).order_by("pk")
    if dict(both.values_list("pk", "merged_into")).get(into.pk) is not None:  # perhaps from another window just now
        raise ValidationError(f"#{into.number} was merged itself. Choose the ticket it went into.")
    ticket.notes.update(ticket=into)
    ticket.merged_into = into
    become(ticket, Status.CLOSED, by=by)
    keep(ticket, by=by, changes=[Change(field="Merged into", old="", new=f"#{into.number}")])
    tell(into, Event.Verb.CHANGED, by=by, changes=[Change(field="Merged from", old="", new=f"#{ticket.number}")])
    merged.send(Ticket, gone=ticket, kept=into, by=by)
    return into


def _requester(workspace: Workspace, named_as: Person | str | None, *, by: Membership | None) -> Person | None:
    if isinstance(named_as, str):
        try:
            return found_or_new(workspace, named_as, by=by) if named_as.strip() else None
        except ValidationError as problem:
            raise ValidationError({"requester": problem.messages}) from None
    return named_as


def _aim(ticket: Ticket) -> None:
    """Set when the first reply and the solution are due, from the queue's targets and the priority."""
    share, hours = SHARE[ticket.priority], ticket.queue.hours
    for column, minutes in (("reply_due", ticket.queue.reply_minutes), ("solve_due", ticket.queue.solve_minutes)):
        worked = timedelta(minutes=minutes * share) if minutes else None
        setattr(ticket, column, after(ticket.opened_at, worked, hours) if worked else None)


def _turn_clock(ticket: Ticket, status: Ticket.Status, moment: datetime) -> None:
    if status == Status.WAITING:
        ticket.paused_at = moment
    elif ticket.paused_at is not None:
        hours = ticket.queue.hours
        waited = between(ticket.paused_at, moment, hours)
        if ticket.solve_due is not None:
            ticket.solve_due = after(ticket.solve_due, waited, hours)
        ticket.paused_at = None
