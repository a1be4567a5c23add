"""How much working time lies between two moments. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOOK_BACK = timedelta(days=4)  # over a weekend; what is longer ago is long enough ago in any case
FRIDAY = 4


def zone(name: str) -> ZoneInfo:
    """The zone of a name, UTC for one that does not exist."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def worked(since: datetime, until: datetime, *, work_from: int, work_to: int, time_zone: str) -> timedelta:
    """Working time (Monday to Friday, from `work_from` to `work_to` o'clock there) between two aware moments."""
    there = zone(time_zone)
    since = max(since, until - LOOK_BACK)
    day, total = since.astimezone(there).date(), timedelta()
    while day <= until.astimezone(there).date():
        if day.weekday() <= FRIDAY:
            begin = datetime.combine(day, time(work_from), tzinfo=there)
            end = datetime.combine(day, time(), tzinfo=there) + timedelta(hours=work_to)
            total += max(timedelta(), min(end, until) - max(begin, since))
        day += timedelta(days=1)
    return total
