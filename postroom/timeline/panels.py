"""The tabs mail adds to a record's page: its timeline and its threads (product.md CR2, CR7)."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from postroom.mail.queries import Page
from postroom.records.extensions import Panel, add_panel, set_last_contact
from postroom.records.record import Record
from postroom.timeline import queries
from postroom.timeline.matching import own_addresses
from postroom.workspaces.access import MemberRequest

STYLES = ("timeline/timeline.css",)
AT_ONCE = 20  # what a window shows; the next come when they are scrolled to
EMPTY = {
    "contact": "Mail from and to the addresses of this contact appears here by itself.",
    "company": "Mail with anybody at the domains of this company appears here by itself.",
    "deal": "The mail of the deal's contacts appears here by itself, and threads linked to it by hand.",
    "ticket": "The mail that opened the ticket and every answer to it appear here by themselves.",
    "candidate": "Mail from and to the candidate's addresses appears here by itself.",
}


def timeline(request: MemberRequest, record: Record) -> str:
    page = queries.entries(record, request.member, request.GET.get("after", ""), limit=AT_ONCE)
    return _render(request, "timeline/entries.html", record, page)


def email(request: MemberRequest, record: Record) -> str:
    page = queries.threads(record, request.member, request.GET.get("after", ""), limit=AT_ONCE)
    return _render(request, "timeline/threads.html", record, page)


def _render(request: MemberRequest, template: str, record: Record, page: Page[Any]) -> str:
    more = f"{record.get_absolute_url()}?tab={'email' if 'threads' in template else 'timeline'}&after={page.next}"
    context = {
        "record": record,
        "items": page.items,
        "more": more if page.next else "",
        "going_on": bool(request.GET.get("after")),
        "empty": EMPTY[record.key],
        "ours": set(own_addresses(request.workspace.pk)),
    }
    return render_to_string(template, context, request)


def register() -> None:
    """Called when Django starts."""
    add_panel(Panel("timeline", "Timeline", timeline, weight=10, styles=STYLES))
    add_panel(Panel("email", "Email", email, weight=20, styles=STYLES))
    set_last_contact(queries.last_contact)
