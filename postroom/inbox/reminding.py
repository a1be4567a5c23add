"""Remind me if nobody answers (product.md SE13): what was sent sleeps for its author until then or until an answer."""

from datetime import timedelta
from typing import Any

from postroom.lib.clock import now
from postroom.mail import schedule
from postroom.mail.models import Composition, Message
from postroom.timeline.team import snoozes

DAYS = (1, 2, 3, 7, 14)


def options(composition: Composition) -> list[dict[str, Any]]:
    """What the composer offers, as a select has it."""
    told = [(days, f"Remind me in {days} {'day' if days == 1 else 'days'}") for days in DAYS]
    return [
        {"value": value, "label": label, "current": value == (composition.remind_days or "")}
        for value, label in [("", "No reminder"), *told]
    ]


def chosen(value: str) -> int | None:
    """The days of a choice; None: no reminder."""
    return int(value) if value in {str(one) for one in DAYS} else None


def on_sent(*, composition: Composition, message: Message | None, **_: Any) -> None:
    """In the transaction that says it was sent (``mail.signals.sent``)."""
    conversation = message.thread.conversation_id if message else composition.conversation_id
    if not composition.remind_days or conversation is None:
        return
    zone = schedule.zone_of(composition.author.user.time_zone)
    day = (now().astimezone(zone) + timedelta(days=composition.remind_days)).date()
    until = schedule.instant(day, schedule.MORNING, zone)
    snoozes.snooze([conversation], composition.author, until=until, unless_answered=True)
