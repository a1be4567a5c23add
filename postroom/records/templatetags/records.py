"""Template tags and filters of records' screens: `{% load records %}`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django import forms, template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from postroom.lib.clock import now
from postroom.records import money as amounts
from postroom.records.deals.board import is_late
from postroom.records.deals.forms import as_token
from postroom.records.models import Candidate, Company, Deal, Person, Stage, Task, Ticket
from postroom.records.record import Record
from postroom.records.screens import Screen, Step
from postroom.records.tickets.sla import Clock, clock

register = template.Library()

TONES = {Stage.Outcome.OPEN: "deal", Stage.Outcome.WON: "good", Stage.Outcome.LOST: "neutral"}


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """`{{ deal.amount|money:deal.currency }}`: €84,000."""
    return amounts.money(amount, currency)


@register.filter
def stage_tone(stage: Stage) -> str:
    """The tag colour of a stage, by what being there means."""
    return TONES[Stage.Outcome(stage.outcome)]


STATUS_TONES = {
    Ticket.Status.NEW: "info",
    Ticket.Status.OPEN: "ticket",
    Ticket.Status.WAITING: "neutral",
    Ticket.Status.SOLVED: "good",
    Ticket.Status.CLOSED: "neutral",
}


@register.filter
def ticket_tone(ticket: Ticket) -> str:
    """The tag colour of a ticket's status."""
    return STATUS_TONES[Ticket.Status(ticket.status)]


@register.filter
def sla_clock(ticket: Ticket) -> Clock:
    """What the ticket's clock says now."""
    return clock(ticket, now())


CANDIDATE_TONES = {
    Candidate.Stage.HIRED: "good",
    Candidate.Stage.REJECTED: "neutral",
    Candidate.Stage.OFFER: "warn",
}


@register.filter
def candidate_tone(candidate: Candidate) -> str:
    """The tag colour of a candidate's stage."""
    return CANDIDATE_TONES.get(Candidate.Stage(candidate.stage), "candidate")


@register.filter
def steps(record: Record, screen: Screen) -> Sequence[Step]:
    """Where a record may stand, in order, and where it stands."""
    return screen.moved.steps(record) if screen.moved else ()


@register.filter
def deal_late(deal: Deal, today: date) -> bool:
    """Whether an open deal should have been closed by now."""
    return is_late(deal, today)


@register.filter
def task_late(task: Task) -> str:
    """ "late" for a task to do whose day is over, "today", or ""."""
    today = timezone.localdate()
    if task.due == today:
        return "today"
    return "late" if task.due and task.due < today and task.done_at is None else ""


@register.filter
def compose_to(url: str, address: str) -> str:
    """The address of Compose with the recipient filled in."""
    return f"{url}?{urlencode({'to': address})}"


@register.filter
def for_record(url: str, record: Record) -> str:
    """The same, saying which record the mail is about."""
    return f"{url}&{urlencode({'record': f'{record.key}-{record.pk}'})}"


@register.filter
def deal_for(url: str, record: Record) -> str:
    """The form of a new deal, filled in from the contact or company it is for."""
    if isinstance(record, Person):
        company = record.company.name if record.company else ""
        return f"{url}?{urlencode({'company': company, 'people': as_token(record.name, record.address)})}"
    return f"{url}?{urlencode({'company': record.name})}"


@register.filter
def deal_note(deal: Deal) -> str:
    """Stage, amount and close date in one line."""
    closes = f"closes {deal.close_date.day} {deal.close_date:%b}" if deal.close_date else ""
    return " · ".join(filter(None, [deal.stage.name, amounts.money(deal.amount, deal.currency), closes]))


@register.filter
def person_note(person: Person) -> str:
    """Job title and company in one line."""
    return " · ".join(filter(None, [person.job_title, person.company.name if person.company else ""]))


@register.filter
def contact_for(url: str, company: Company) -> str:
    """The form of a new contact, filled in with its company."""
    return f"{url}?{urlencode({'company': company.name})}"


@register.filter
def suggestion_note(person: Person) -> str:
    """Address and company in one line."""
    return " · ".join(filter(None, [person.address, person.company.name if person.company else ""]))


@register.filter
def breakable(text: str) -> SafeString:
    """A text that may break behind an @, so that an address breaks there and not in a word."""
    return mark_safe(conditional_escape(text).replace("@", "@<wbr>"))  # noqa: S308 -- escaped first


@register.filter
def outside(href: str) -> bool:
    """Whether a link leaves Postroom."""
    return href.startswith(("http://", "https://"))


@register.filter
def as_text(field: forms.BoundField) -> str:
    """What a text field would hold, for a component that draws the field itself."""
    return str(field.value() or "")


@register.simple_tag
def person_token(person: Person) -> str:
    """A contact as a field of recipients writes it."""
    return as_token(person.name, person.address)


@register.simple_tag
def crumbs(*steps: str) -> SafeString:
    """`{% crumbs "Contacts" url "Ines" %}`: names, each but the last followed by its address."""
    named = [{"label": label, "href": href} for label, href in zip(steps[::2], [*steps[1::2], ""], strict=False)]
    return mark_safe(render_to_string("ui/components/breadcrumb.html", {"crumbs": named}))  # noqa: S308
