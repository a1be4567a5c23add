"""Lines of Home that are about records and tasks. Each function takes rows of ``work``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse

from postroom.home import work
from postroom.home.lines import Label, Line, at_moment, on_day
from postroom.home.words import ago_in_days, due_words, hour
from postroom.home.work import Day, Rows, Work
from postroom.records.models import Ticket
from postroom.records.money import money
from postroom.records.tickets import sla
from postroom.ui import words

URGENT_PRIORITIES = {"high": "High", "urgent": "Urgent"}


def tickets(rows: Rows, day: Day) -> list[Line]:
    lines = []
    for one in rows:
        clock_says = sla.clock(_ticket(one), day.now)
        labels = [Label(URGENT_PRIORITIES[one["priority"]], "warn")] if one["priority"] in URGENT_PRIORITIES else []
        lines.append(
            Line(
                key=f"ticket-{one['pk']}",
                title=one["name"],
                href=reverse("records:ticket", args=[one["pk"]]),
                note=" · ".join(part for part in (f"#{one['number']}", one["requester"]) if part),
                when=clock_says.label.replace(" overdue", " was due"),  # a time follows it
                moment=clock_says.at,
                tone="bad" if clock_says.tone == "bad" else "warn",
                icon="ticket",
                tags=[*labels, *([] if one["owner"] else [Label("Nobody's yet")])],
            )
        )
    return lines


def _closing(closes: date, today: date) -> str:
    return f"{'Was to close' if closes < today else 'Closes'} {due_words(closes, today)}"


def _ticket(one: Mapping[str, Any]) -> Ticket:
    """As much of it as its clock looks at."""
    replied, reply_due, solve_due = (at_moment(one[name]) for name in ("replied", "reply_due", "solve_due"))
    return Ticket(status=Ticket.Status.OPEN, replied_at=replied, reply_due=reply_due, solve_due=solve_due)


def deals(rows: Rows, day: Day) -> list[Line]:
    lines = []
    for one in rows:
        closes, stirred = on_day(one["close"]), at_moment(one["stirred"])
        quiet = stirred is not None and stirred < day.now - work.QUIET_AFTER
        soon = closes is not None and closes <= day.today + work.CLOSES_WITHIN
        label = [Label(f"Quiet since {words.short(stirred)}", "warn")] if quiet and stirred else []
        worth = money(None if one["amount"] is None else Decimal(str(one["amount"])), one["currency"])
        lines.append(
            Line(
                key=f"deal-{one['pk']}",
                title=one["name"],
                href=reverse("records:deal", args=[one["pk"]]),
                note=" · ".join(part for part in (one["company"], one["stage"], worth) if part),
                when=_closing(closes, day.today) if soon and closes else "",
                tone="bad" if soon and closes and closes < day.today else "",
                icon="circle-dollar-sign",
                tags=label,
            )
        )
    return lines


def candidates(done: Work) -> list[Line]:
    to_judge = [
        Line(
            key=f"judge-{one['candidate']}",
            title=f"What do you think of {one['name']}?",
            href=reverse("records:candidate", args=[one["candidate"]]) + "?tab=evaluation",
            note=one["job"] or "",
            moment=at_moment(one["at"]),
            icon="clipboard-pen",
            tags=[Label("Scorecard", "candidate")],
        )
        for one in done.to_judge
    ]
    applied = [
        Line(
            key=f"candidate-{one['pk']}",
            title=one["name"],
            href=reverse("records:candidate", args=[one["pk"]]),
            note=" · ".join(part for part in (one["job"], one["headline"]) if part),
            moment=at_moment(one["at"]),
            icon="user-search",
            tags=[Label("New", "candidate")],
        )
        for one in done.applications
    ]
    return [*to_judge, *applied]


KINDS = {"call": ("phone", "Call"), "video": ("video", "Video call"), "onsite": ("building", "On site")}


def agenda(rows: Rows, day: Day) -> list[Line]:
    lines = []
    for one in rows:
        at = at_moment(one["at"])
        assert at is not None
        symbol, kind = KINDS.get(one["kind"], ("calendar", "Trial task"))
        over = at + timedelta(minutes=one["minutes"]) < day.now
        lines.append(
            Line(
                key=f"interview-{one['pk']}",
                title=f"Interview: {one['name']}",
                href=reverse("records:candidate", args=[one["candidate"]]) + "?tab=interview",
                note=" · ".join(part for part in (one["job"], kind, f"{one['minutes']} min", one["place"]) if part),
                when=hour(at),
                tone="over" if over else "",
                icon=symbol,
            )
        )
    return lines


def tasks(rows: Rows, day: Day) -> list[Line]:
    lines = []
    for one in rows:
        due = on_day(one["due"]) or day.today
        lines.append(
            Line(
                key=f"task-{one['pk']}",
                title=one["title"],
                href=reverse("records:task", args=[one["pk"]]),
                note=one["about"] or "",
                when="" if due == day.today else ago_in_days(due, day.today),
                tone="bad" if due < day.today else "",
                tags=[Label("High", "warn")] if one["importance"] == "high" else [],
                tick=reverse("records:task-state", args=[one["pk"], "done"]),
            )
        )
    return lines
