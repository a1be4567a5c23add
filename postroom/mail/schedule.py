"""When a message is to go out (product.md SE6): chosen by the clock on the wall, kept as an instant.

The wall's clock is the one of the member's time zone, also across a change to or from summer time: 8:00 on Monday is
8:00 on Monday. A moment that the change leaves out is the same number of minutes after it.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MORNING = time(8, 0)
FURTHEST = timedelta(days=366)


class CannotSchedule(ValueError):
    """Why a message cannot go out at that time, in words for its author."""


class Preset(NamedTuple):
    key: str
    label: str
    at: datetime  # an instant


def zone_of(name: str) -> ZoneInfo:
    """A member's time zone; UTC for a name nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The moment at which the wall's clock there says so."""
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def presets(at: datetime, zone: ZoneInfo) -> list[Preset]:
    """What is offered now."""
    today = at.astimezone(zone).date()
    tomorrow, monday = today + timedelta(days=1), today + timedelta(days=7 - today.weekday())
    found = [Preset("tomorrow", "Tomorrow", instant(tomorrow, MORNING, zone))]
    if monday != tomorrow:
        found.append(Preset("monday", "Monday", instant(monday, MORNING, zone)))
    return found


def chosen(when: str, typed: str, *, at: datetime, zone: ZoneInfo) -> datetime:
    """The instant that was chosen: the key of a preset, or "own" and what a field of type datetime-local has.

    Raises ``CannotSchedule``.
    """
    preset = next((one for one in presets(at, zone) if one.key == when), None)
    if preset is not None:
        return preset.at
    try:
        wall = datetime.fromisoformat(typed)
        found = instant(wall.date(), wall.time(), zone)
    except (ValueError, OverflowError):
        raise CannotSchedule("Choose a day and a time.") from None
    if found <= at:
        raise CannotSchedule("That time has passed. Choose a later one.")
    if found - at > FURTHEST:
        raise CannotSchedule("Choose a time within a year.")
    return found
