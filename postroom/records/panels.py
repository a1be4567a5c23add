"""The tabs that records bring themselves: a company's contacts, a record's deals, its notes."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from postroom.records import lists
from postroom.records.companies.screen import COMPANIES
from postroom.records.deals.screen import DEALS
from postroom.records.extensions import Panel, add_panel, counter, last_contact
from postroom.records.models import Note
from postroom.records.people.screen import PEOPLE
from postroom.records.record import Record, about
from postroom.workspaces.access import MemberRequest

MOST = 100  # rows of a tab; a longer list is looked at in the list screen


def contacts(request: MemberRequest, record: Record) -> str:
    people = PEOPLE.rows(record.people.order_by("sort_name", "id"))[:MOST]  # type: ignore[attr-defined]
    return render_to_string("records/panels/contacts.html", _context(request, record, people), request)


def deals(request: MemberRequest, record: Record) -> str:
    found = DEALS.rows(record.deals.order_by("stage__position", "close_date", "id"))[:MOST]  # type: ignore[attr-defined]
    return render_to_string("records/panels/deals.html", _context(request, record, found), request)


def notes(request: MemberRequest, record: Record) -> str:
    rows = Note.objects.filter(**about(record)).select_related("author__user").order_by("-created_at", "-id")[:MOST]
    return render_to_string(
        "records/panels/notes.html", {**_context(request, record, rows), "member": request.member}, request
    )


def _context(request: MemberRequest, record: Record, rows: Any) -> dict[str, Any]:
    times = last_contact(list(rows), request.member) if rows and isinstance(rows[0], Record) else {}
    return {"record": record, "lines": [lists.Line(row, times.get(row.pk)) for row in rows]}


def register() -> None:
    """Called when Django starts."""
    company, deal = COMPANIES.type.key, DEALS.type.key
    either = frozenset({PEOPLE.type.key, company})
    add_panel(Panel("contacts", "Contacts", contacts, counter("people"), frozenset({company, deal}), weight=60))
    add_panel(Panel("deals", "Deals", deals, counter("deals"), either, weight=70))
    add_panel(Panel("notes", "Notes", notes, counter("notes"), weight=80))
