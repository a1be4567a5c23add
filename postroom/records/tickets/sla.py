"""What the clock of a ticket says, in words and tones, for lists and the ticket's page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from postroom.records.models import Ticket

SOON = timedelta(hours=1)


class Clock(NamedTuple):
    """`at` is the moment that counts, `tone` one of good, warn, bad, neutral."""

    label: str
    tone: str
    at: datetime | None


def clock(ticket: Ticket, moment: datetime) -> Clock:
    """The target that is next: the first reply while nobody replied, then the solution."""
    if ticket.is_done:
        late = ticket.solved_at and ticket.solve_due and ticket.solved_at > ticket.solve_due
        return Clock("Solved late" if late else "Solved", "neutral", ticket.solved_at)
    if ticket.paused_at is not None:
        return Clock("Clock stopped", "neutral", ticket.paused_at)
    reply = ticket.reply_due if ticket.replied_at is None else None
    at = reply or ticket.solve_due
    if at is None:
        return Clock("No target", "neutral", None)
    word = "First reply" if reply else "Solution"
    left = at - moment
    if left < timedelta(0):
        return Clock(f"{word} overdue", "bad", at)
    return Clock(f"{word} due", "warn" if left < SOON else "good", at)
