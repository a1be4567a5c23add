"""Tickets and the queues they wait in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from postroom.records.record import Record, record_indexes
from postroom.records.tickets.clock import Hours
from postroom.workspaces.models import WorkspaceOwned

WORKING_DAYS = [0, 1, 2, 3, 4]


def working_days() -> list[int]:
    return list(WORKING_DAYS)


class Queue(WorkspaceOwned):
    """Where tickets wait, and how soon they are to be answered and solved."""

    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=0)
    # The id of the support mailbox whose mail opens tickets here; a plain number, because records know no mailboxes.
    mailbox = models.BigIntegerField(null=True, blank=True)
    reply_minutes = models.PositiveIntegerField(null=True, blank=True, default=240)  # of working time, normal priority
    solve_minutes = models.PositiveIntegerField(null=True, blank=True, default=1440)
    days = ArrayField(models.PositiveSmallIntegerField(), default=working_days, blank=True)
    opens = models.TimeField(default=time(9))
    closes = models.TimeField(default=time(17))
    zone = models.CharField(max_length=60, default="UTC")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "mailbox"], name="queue_mailbox_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def hours(self) -> Hours:
        return Hours(frozenset(self.days), self.opens, self.closes, ZoneInfo(self.zone))


class Ticket(Record):
    """`name` is the subject. The clock stands while the ticket waits for the customer (`paused_at`)."""

    key: ClassVar[str] = "ticket"

    class Status(models.TextChoices):
        NEW = "new", "New"
        OPEN = "open", "Open"
        WAITING = "waiting", "Waiting for the customer"
        SOLVED = "solved", "Solved"
        CLOSED = "closed", "Closed"

    class Priority(models.TextChoices):
        LOW = "low", "Low"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High"
        URGENT = "urgent", "Urgent"

    class Origin(models.TextChoices):
        MEMBER = "member", "Added by a member"
        MAIL = "mail", "From mail"

    number = models.PositiveIntegerField(editable=False)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="tickets")
    status = models.CharField(max_length=8, choices=Status, default=Status.NEW)
    priority = models.CharField(max_length=8, choices=Priority, default=Priority.NORMAL)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.MEMBER)
    requester = models.ForeignKey(
        "records.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    company = models.ForeignKey(
        "records.Company", null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    opened_at = models.DateTimeField()
    reply_due = models.DateTimeField(null=True, blank=True)  # of the first reply
    solve_due = models.DateTimeField(null=True, blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    solved_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)  # the newest mail that was taken into account
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="ticket_number_once")]
        indexes = [
            *record_indexes("ticket"),
            models.Index(
                fields=["workspace", "solve_due", "id"],
                condition=Q(status__in=["new", "open", "waiting"]),
                name="ticket_to_do",
            ),
        ]

    @property
    def reference(self) -> str:
        """What stands in the subject of its mail: [#1042]."""
        return f"[#{self.number}]"

    @property
    def is_done(self) -> bool:
        return self.status in (self.Status.SOLVED, self.Status.CLOSED)

    def search_parts(self) -> Iterable[str]:
        requester = [self.requester.name, *self.requester.address_list()] if self.requester else []
        return [self.name, f"#{self.number}", self.company.name if self.company else "", *requester]
