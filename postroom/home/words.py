"""How Home says days, hours and numbers."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone


def hour(at: datetime | None) -> str:
    """ "9:30", in the active time zone."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return f"{local.hour}:{local.minute:02}"


def due_words(day: date, today: date) -> str:
    """After "Closes" and "Was to close": today, tomorrow, in 3 days, 5 days ago."""
    days = (day - today).days
    if days in (0, 1):
        return ("today", "tomorrow")[days]
    return f"in {days} days" if days > 0 else ago_in_days(day, today)


def ago_in_days(day: date, today: date) -> str:
    """Yesterday, 5 days ago."""
    days = (today - day).days
    return "yesterday" if days == 1 else f"{days} days ago"


def many(number: int, more: bool, one: str, several: str) -> str:
    """ "1 task to do", "more than 8 tasks to do"."""
    if number == 1 and not more:
        return f"1 {one}"
    return f"{'more than ' if more else ''}{number} {several}"
