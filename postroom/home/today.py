"""What needs a member today, as sections of lines: what Home shows and the daily mail says.

Four queries however much there is: the mailboxes, the conversations (``conversations``), the rest (``work``), the
records of the conversations shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone

from postroom.home import conversations, mail_lines, record_lines, steps, work
from postroom.home.lines import Line
from postroom.home.words import many
from postroom.home.work import Day
from postroom.inbox.accounts import Accounts
from postroom.lib import clock
from postroom.timeline import panel
from postroom.workspaces.models import Membership

SHOWN = 8  # lines of a section; more of it is a press away


class Kind(NamedTuple):
    """A section Home can have. ``about`` is what the settings call it; ``place`` and ``query`` lead to all of it;
    ``short`` counts it in the sentence at the top, as one and as several."""

    key: str
    title: str
    about: str
    place: str
    query: str = ""
    short: tuple[str, str] | None = None
    aside: bool = False


KINDS: tuple[Kind, ...] = (
    Kind(
        "waiting", "Stuck", "What is stuck: messages that could not be sent, mailboxes that need a sign-in",
        "inbox:outbox", short=("thing is stuck", "things are stuck"),
    ),
    Kind(
        "answer", "Waiting for you", "Conversations that wait for me", "inbox:list", "?work=mine",
        ("conversation waits for you", "conversations wait for you"),
    ),
    Kind(
        "tickets", "Tickets", "Tickets close to their target, or past it", "records:tickets", "?show=mine",
        ("ticket is due", "tickets are due"),
    ),
    Kind(
        "deals", "Deals", "Deals that close soon or went quiet", "records:deals",
        short=("deal to look after", "deals to look after"),
    ),
    Kind("candidates", "Candidates", "Candidates to look at or to judge", "records:candidates"),
    Kind("agenda", "Today", "Interviews today", "records:candidates", "", ("interview", "interviews"), aside=True),
    Kind(
        "tasks", "Tasks", "Tasks due by today", "records:tasks", "?show=today", ("task to do", "tasks to do"),
        aside=True,
    ),
    Kind("back", "Later today", "What comes back or goes out today", "inbox:list", "?work=snoozed", aside=True),
)  # fmt: skip
"""Every section, in the order of the page."""


@dataclass(frozen=True)
class Section:
    """A kind with its lines. ``more``: there are more than are shown."""

    kind: Kind
    lines: Sequence[Line]
    more: bool = False

    @property
    def key(self) -> str:
        return self.kind.key

    @property
    def title(self) -> str:
        return self.kind.title

    @property
    def href(self) -> str:
        return reverse(self.kind.place) + self.kind.query

    @property
    def count(self) -> str:
        return f"{len(self.lines)}{'+' if self.more else ''}"

    @property
    def in_short(self) -> str:
        """ "2 tickets are due"; empty for what the sentence at the top leaves out."""
        return many(len(self.lines), self.more, *self.kind.short) if self.kind.short else ""


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
        return [one for one in self.sections if not one.kind.aside]

    @property
    def beside(self) -> list[Section]:
        return [one for one in self.sections if one.kind.aside]

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
        told = [text for one in self.sections if (text := one.in_short)]
        if not told:
            return ""
        text = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
        return f"{text[0].upper()}{text[1:]}."


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
    mail = conversations.found(member, accounts, now=day.now, begins=day.begins, ends=day.ends, limit=SHOWN + 1)
    waits = sorted((one for one in mail if one.why != conversations.BACK), key=lambda one: one.at)
    back = [one for one in mail if one.why == conversations.BACK]
    tags = panel.tags_of([one.conversation for one in waits]) if waits else {}
    stuck = [one for one in done.sends if one["state"] != "sending"]
    leaving = [one for one in done.sends if one["state"] == "sending"]
    lines: dict[str, Sequence[Line]] = {
        "waiting": [*mail_lines.broken(member, accounts), *mail_lines.stuck(stuck)],
        "answer": [mail_lines.answer(one, tags, accounts) for one in waits],
        "tickets": record_lines.tickets(done.tickets, day),
        "deals": record_lines.deals(done.deals, day),
        "candidates": record_lines.candidates(done),
        "agenda": record_lines.agenda(done.interviews, day),
        "tasks": record_lines.tasks(done.tasks, day),
        "back": mail_lines.later(back, leaving, accounts),
    }
    found = [Section(one, lines[one.key][:SHOWN], len(lines[one.key]) > SHOWN) for one in KINDS if lines[one.key]]
    return Today(member, day, found, steps.of(member, accounts, done), len(accounts.readable))
