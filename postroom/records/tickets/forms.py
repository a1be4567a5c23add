"""The form of a ticket."""

from __future__ import annotations

from typing import Any

from django import forms

from postroom.records.deals.forms import as_token
from postroom.records.forms import RecordForm, company_field
from postroom.records.models import Queue, Ticket
from postroom.records.record import NAME_LIMIT, Record
from postroom.records.tickets.commands import queue_of


class TicketForm(RecordForm):
    record_type = "ticket"
    name = forms.CharField(label="Subject", max_length=NAME_LIMIT)
    requester = forms.CharField(
        label="Requester", max_length=400, required=False, help_text="A contact's name, or an email address."
    )
    company = company_field()
    queue = forms.ModelChoiceField(label="Queue", queryset=Queue.objects.none(), empty_label=None)
    priority = forms.ChoiceField(label="Priority", choices=Ticket.Priority.choices, initial=Ticket.Priority.NORMAL)

    field_order = ["name", "requester", "company", "queue", "priority", "owner"]

    def start(self, record: Record) -> dict[str, Any]:
        assert isinstance(record, Ticket)
        company = record.company.name if record.company else ""
        person = as_token(record.requester.name, record.requester.address) if record.requester else ""
        return {**super().start(record), "requester": person, "company": company}

    def set_choices(self) -> None:
        super().set_choices()
        if "owner" in self.fields:
            self.fields["owner"].label = "Assignee"
        if "queue" in self.fields:
            queue_of(self.workspace)
            self.fields["queue"].queryset = Queue.objects.for_workspace(self.workspace)  # type: ignore[attr-defined]
