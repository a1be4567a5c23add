"""What needs a member today, as sections of lines: what Home shows and the daily mail says.

Four queries however much there is: the mailboxes, the conversations (``conversations``), the rest (``work``), the
records of the conversations shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone

from postroom.home import conversations, steps, work
from postroom.home.conversations import Found
from postroom.home.words import ago_in_days, due_words, hour, many
from postroom.home.work import Day, Rows, Work
from postroom.inbox.accounts import Accounts
from postroom.lib import clock
from postroom.mail import outbound, outbox
from postroom.mailboxes import failures, features
from postroom.records.models import Ticket
from postroom.records.money import money
from postroom.records.tickets import sla
from postroom.timeline import panel
from postroom.ui import words
from postroom.workspaces.models import Membership

SHOWN = 8  # lines of a section; more of it is a press away
URGENT_PRIORITIES = {"high": "High", "urgent": "Urgent"}


@dataclass(frozen=True)
class Label:
    """A tag of a line."""

    label: str
    module: str = "neutral"


@dataclass(frozen=True)
class Line:
    """``title`` leads to ``href``. ``when`` is what the clock says of it, in ``tone`` (bad, warn or empty); ``moment``
    makes it stay fresh. ``name`` and ``address``: whose initials stand before it, else ``icon``; ``tick``: where it is
    ticked off."""

    key: str
    title: str
    href: str
    note: str = ""
    when: str = ""
    moment: datetime | None = None
    tone: str = ""
    icon: str = ""
    name: str = ""
    address: str = ""
    tags: Sequence[Label] = ()
    tick: str = ""


@dataclass(frozen=True)
class Section:
    """``key`` is also the type that can be left out of the daily mail. ``more``: there are more than are shown, at
    ``href``."""

    key: str
    title: str
    lines: Sequence[Line]
    href: str = ""
    more: bool = False
    aside: bool = False

    @property
    def count(self) -> str:
        return f"{len(self.lines)}{'+' if self.more else ''}"


@dataclass(frozen=True)
class Today:
    """``sections`` has only those with something in them."""

    member: Membership
    day: Day
    sections: Sequence[Section]
    steps: steps.Steps = field(default_factory=steps.Steps)
    mailboxes: int = 0

    @property
    def main(self) -> list[Section]:
        return [one for one in self.sections if not one.aside]

    @property
    def beside(self) -> list[Section]:
        return [one for one in self.sections if one.aside]

    @property
    def greeting(self) -> str:
        at = timezone.localtime(self.day.now).hour
        word = "morning" if 4 <= at < 12 else "afternoon" if 12 <= at < 18 else "evening"
        return f"Good {word}, {self.member.user.first_name}"

    @property
    def date(self) -> str:
        return f"{self.day.today:%A} {self.day.today.day} {self.day.today:%B}"

    @property
    def in_short(self) -> str:
        """ "2 conversations wait for you, 1 ticket is due." Empty when there is nothing to say."""
        told = [SHORT[one.key](len(one.lines), one.more) for one in self.sections if one.key in SHORT]
        if not told:
            return ""
        text = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
        return f"{text[0].upper()}{text[1:]}."


SHORT: Mapping[str, Callable[[int, bool], str]] = {
    "waiting": lambda n, more: many(n, more, "thing is stuck", "things are stuck"),
    "answer": lambda n, more: many(n, more, "conversation waits for you", "conversations wait for you"),
    "tickets": lambda n, more: many(n, more, "ticket is due", "tickets are due"),
    "agenda": lambda n, more: many(n, more, "interview", "interviews"),
    "tasks": lambda n, more: many(n, more, "task to do", "tasks to do"),
    "deals": lambda n, more: many(n, more, "deal to look after", "deals to look after"),
}
TYPES: Mapping[str, str] = {
    "waiting": "What is stuck: messages that could not be sent, mailboxes that need a sign-in",
    "answer": "Conversations that wait for me",
    "tickets": "Tickets close to their target, or past it",
    "deals": "Deals that close soon or went quiet",
    "candidates": "Candidates to look at or to judge",
    "agenda": "Interviews today",
    "tasks": "Tasks due by today",
    "back": "What comes back or goes out today",
}
"""Every section, in the order of the page, with what it is called in the settings."""


def day_of(at: datetime | None = None) -> Day:
    """The day it is in the active time zone."""
    moment = at or clock.now()
    local = timezone.localtime(moment)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return Day(moment, midnight, midnight + timedelta(days=1), local.date())  # by the wall's clock: also of 23 hours


def today(member: Membership, accounts: Accounts) -> Today:
    """All of it, in the active time zone."""
    day = day_of()
    done = work.of(member, day, worked_in=[one.pk for one in conversations.minded(member, accounts)], limit=SHOWN + 1)
    mail = conversations.found(
        member, accounts, now=day.now, begins=day.begins, ends=day.ends, limit=SHOWN + 1
    )  # fmt: skip
    waits = sorted((one for one in mail if one.why != conversations.BACK), key=lambda one: one.at)
    back = [one for one in mail if one.why == conversations.BACK]
    tags = panel.tags_of([one.conversation for one in [*waits, *back]]) if mail else {}
    stuck = [one for one in done.sends if one["state"] != "sending"]
    leaving = [one for one in done.sends if one["state"] == "sending"]
    mine = reverse("inbox:list") + "?work=mine"
    found = [
        _section("waiting", "Stuck", [*_broken(member, accounts), *_stuck(stuck)], reverse("inbox:outbox")),
        _section("answer", "Waiting for you", [_answer(one, tags, accounts) for one in waits], mine),
        _section("tickets", "Tickets", _tickets(done.tickets, day), reverse("records:tickets") + "?show=mine"),
        _section("deals", "Deals", _deals(done.deals, day), reverse("records:deals")),
        _section("candidates", "Candidates", _candidates(done), reverse("records:candidates")),
        _section("agenda", "Today", _agenda(done.interviews, day), reverse("records:candidates"), aside=True),
        _section("tasks", "Tasks", _tasks(done.tasks, day), reverse("records:tasks") + "?show=today", aside=True),
        _section("back", "Later today", _later(back, leaving, tags, accounts), mine, aside=True),
    ]
    first = steps.of(member, accounts, done)
    return Today(member, day, [one for one in found if one.lines], first, len(accounts.readable))


def _section(key: str, title: str, lines: Sequence[Line], href: str, *, aside: bool = False) -> Section:
    return Section(key, title, lines[:SHOWN], href, len(lines) > SHOWN, aside)


# --- mail ----------------------------------------------------------------------------------------------------------

WHY = {conversations.MENTIONED: Label("Mentioned you", "info"), conversations.ASSIGNED: Label("For you", "assigned")}


def _answer(one: Found, tags: Mapping[int, Sequence[panel.Tag]], accounts: Accounts) -> Line:
    name, address = _face(one, accounts)
    labels = [Label(tag.label, tag.module) for tag in tags.get(one.conversation, ()) if tag.module != "contact"][:2]
    why = WHY.get(one.why)
    tone = "warn" if one.why == conversations.WAITING else ""
    note = f"{one.by}: {one.said}" if one.said else f"{name} · {one.snippet}"
    return Line(
        key=f"conversation-{one.conversation}",
        title=one.subject or "(no subject)",
        href=reverse("inbox:thread", args=[one.thread]),
        note=note,
        moment=one.at,
        tone=tone,
        name=one.by or name,
        address="" if one.by else address,
        tags=[*([why] if why else []), *labels],
    )


def _face(one: Found, accounts: Accounts) -> tuple[str, str]:
    """The last outsider who wrote."""
    outside = [who for who in one.people if who[1].lower() not in accounts.ours] or one.people or [("", "")]
    name, address = outside[-1]
    return name or address or "Nobody", address


def _later(
    back: Sequence[Found], leaving: Rows, tags: Mapping[int, Sequence[panel.Tag]], accounts: Accounts
) -> list[Line]:
    snoozed = [
        Line(
            key=f"back-{one.conversation}",
            title=one.subject or "(no subject)",
            href=reverse("inbox:thread", args=[one.thread]),
            note=f"Back from a snooze · {_face(one, accounts)[0]}",
            when=hour(one.at),
            icon="alarm-clock",
        )
        for one in back
    ]
    scheduled = [
        Line(
            key=f"send-{one['pk']}",
            title=one["subject"] or "(no subject)",
            href=reverse("inbox:outbox"),
            note=f"Goes out to {_to(one['to'])}",
            when=hour(_at(one["at"])),
            icon="clock-arrow-up",
        )
        for one in leaving
    ]
    return sorted([*snoozed, *scheduled], key=lambda one: one.when.zfill(5))


def _broken(member: Membership, accounts: Accounts) -> list[Line]:
    """The member's own mailboxes that need a person."""
    own = [one for one in accounts.readable if one.mailbox.owner_id == member.pk and one.mailbox.failure]
    lines = []
    for one in own:
        advice = failures.advice(one.mailbox, provider=features.company(one.mailbox.provider))
        if advice is None or advice.remedy == "wait":
            continue
        waits = outbox.waits(one.mailbox, one.waiting)
        lines.append(
            Line(
                key=f"mailbox-{one.pk}",
                title=f"{one.address} does not sync",
                href=reverse("mailboxes:list"),
                note=" ".join(part for part in (advice.happened, advice.todo, waits) if part),
                tone="bad",
                icon="mail-warning",
            )
        )
    return lines


def _stuck(rows: Rows) -> list[Line]:
    return [
        Line(
            key=f"send-{one['pk']}",
            title=one["subject"] or "(no subject)",
            href=reverse("inbox:outbox"),
            note=outbound.LATE if one["state"] == "held" else f"Not sent. {outbound.reason(one['failure'])}",
            moment=_at(one["at"]) or _at(one["changed"]),
            tone="bad",
            icon="send",
            tags=[Label("Held" if one["state"] == "held" else "Not sent", "bad")],
        )
        for one in rows
    ]


def _to(people: Sequence[Sequence[str]]) -> str:
    return ", ".join(name or address for name, address in people[:2]) or "nobody yet"


# --- records -------------------------------------------------------------------------------------------------------


def _tickets(rows: Rows, day: Day) -> list[Line]:
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
                when=clock_says.label,
                moment=clock_says.at,
                tone="bad" if clock_says.tone == "bad" else "warn",
                icon="ticket",
                tags=[*labels, *([] if one["owner"] else [Label("Nobody's yet")])],
            )
        )
    return lines


def _ticket(one: Mapping[str, Any]) -> Ticket:
    """As much of it as its clock looks at."""
    replied, reply_due, solve_due = (_at(one[name]) for name in ("replied", "reply_due", "solve_due"))
    return Ticket(status=Ticket.Status.OPEN, replied_at=replied, reply_due=reply_due, solve_due=solve_due)


def _deals(rows: Rows, day: Day) -> list[Line]:
    lines = []
    for one in rows:
        closes, stirred = _date(one["close"]), _at(one["stirred"])
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
                when=f"Closes {due_words(closes, day.today)}" if soon and closes else "",
                tone="bad" if soon and closes and closes < day.today else "",
                icon="circle-dollar-sign",
                tags=label,
            )
        )
    return lines


def _candidates(done: Work) -> list[Line]:
    to_judge = [
        Line(
            key=f"judge-{one['candidate']}",
            title=f"What do you think of {one['name']}?",
            href=reverse("records:candidate", args=[one["candidate"]]) + "?tab=evaluation",
            note=one["job"] or "",
            moment=_at(one["at"]),
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
            moment=_at(one["at"]),
            icon="user-search",
            tags=[Label("New", "candidate")],
        )
        for one in done.applications
    ]
    return [*to_judge, *applied]


KINDS = {"call": ("phone", "Call"), "video": ("video", "Video call"), "onsite": ("building", "On site")}


def _agenda(rows: Rows, day: Day) -> list[Line]:
    lines = []
    for one in rows:
        at = _at(one["at"])
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


def _tasks(rows: Rows, day: Day) -> list[Line]:
    lines = []
    for one in rows:
        due = _date(one["due"]) or day.today
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


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
