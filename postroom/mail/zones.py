"""Time zones as calendars name them: Olson's names, Windows' names, or only rules (RFC 5545 3.6.5)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

# Windows' names, by which Outlook and Exchange call them; those with a business behind them.
_WINDOWS: Mapping[str, str] = {
    "utc": "UTC",
    "gmt standard time": "Europe/London",
    "greenwich standard time": "Atlantic/Reykjavik",
    "w. europe standard time": "Europe/Berlin",
    "central europe standard time": "Europe/Budapest",
    "romance standard time": "Europe/Paris",
    "central european standard time": "Europe/Warsaw",
    "e. europe standard time": "Europe/Chisinau",
    "fle standard time": "Europe/Kyiv",
    "gtb standard time": "Europe/Bucharest",
    "turkey standard time": "Europe/Istanbul",
    "israel standard time": "Asia/Jerusalem",
    "egypt standard time": "Africa/Cairo",
    "south africa standard time": "Africa/Johannesburg",
    "e. africa standard time": "Africa/Nairobi",
    "w. central africa standard time": "Africa/Lagos",
    "morocco standard time": "Africa/Casablanca",
    "russian standard time": "Europe/Moscow",
    "arab standard time": "Asia/Riyadh",
    "arabian standard time": "Asia/Dubai",
    "iran standard time": "Asia/Tehran",
    "pakistan standard time": "Asia/Karachi",
    "india standard time": "Asia/Kolkata",
    "sri lanka standard time": "Asia/Colombo",
    "bangladesh standard time": "Asia/Dhaka",
    "se asia standard time": "Asia/Bangkok",
    "china standard time": "Asia/Shanghai",
    "taipei standard time": "Asia/Taipei",
    "singapore standard time": "Asia/Singapore",
    "w. australia standard time": "Australia/Perth",
    "tokyo standard time": "Asia/Tokyo",
    "korea standard time": "Asia/Seoul",
    "aus eastern standard time": "Australia/Sydney",
    "e. australia standard time": "Australia/Brisbane",
    "cen. australia standard time": "Australia/Adelaide",
    "new zealand standard time": "Pacific/Auckland",
    "hawaiian standard time": "Pacific/Honolulu",
    "alaskan standard time": "America/Anchorage",
    "pacific standard time": "America/Los_Angeles",
    "us mountain standard time": "America/Phoenix",
    "mountain standard time": "America/Denver",
    "central standard time": "America/Chicago",
    "canada central standard time": "America/Regina",
    "central america standard time": "America/Guatemala",
    "central standard time (mexico)": "America/Mexico_City",
    "eastern standard time": "America/New_York",
    "us eastern standard time": "America/Indianapolis",
    "atlantic standard time": "America/Halifax",
    "newfoundland standard time": "America/St_Johns",
    "sa pacific standard time": "America/Bogota",
    "sa western standard time": "America/La_Paz",
    "e. south america standard time": "America/Sao_Paulo",
    "argentina standard time": "America/Argentina/Buenos_Aires",
    "pacific sa standard time": "America/Santiago",
}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class Turn(NamedTuple):
    """From when on in each year an offset holds: month, weekday (0 Monday) and which of the month (-1 the last)."""

    offset: timedelta
    month: int = 0  # 0: all the year
    weekday: int = 0
    nth: int = 1


@lru_cache(maxsize=512)
def named(name: str) -> tzinfo | None:
    """A zone by any of its names; ``None`` for one nobody knows."""
    name = name.strip().strip('"')
    olson = _WINDOWS.get(name.lower(), name.removeprefix("/freeassociation.sourceforge.net/Tzfile/"))
    try:
        return ZoneInfo(olson)
    except (KeyError, ValueError, OSError):
        return None


def by_rules(turns: list[Turn], local: datetime) -> tzinfo:
    """The offset that the rules of a zone give a local moment; the hours of the turn itself are not looked at."""
    always = [turn for turn in turns if not turn.month]
    yearly = sorted((_day(turn, local.year), turn.offset) for turn in turns if turn.month)
    passed = [offset for day, offset in yearly if day <= local.replace(tzinfo=None)]
    if passed:
        return timezone(passed[-1])
    if yearly:
        return timezone(yearly[-1][1])
    return timezone(always[-1].offset) if always else UTC


def turn(offset: str, rule: Mapping[str, str]) -> Turn | None:
    """A turn from TZOFFSETTO and the parts of its RRULE; ``None`` for an offset that is none."""
    try:
        sign = -1 if offset.startswith("-") else 1
        digits = offset.lstrip("+-")
        told = sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
        if not abs(told) < timedelta(hours=24):
            return None
        day = rule.get("BYDAY", "1SU")
        nth = int(day[:-2] or 1)
        if "BYMONTH" not in rule or not -5 <= nth <= 5 or nth == 0:
            return Turn(told)
        return Turn(
            told, int(rule["BYMONTH"]) if 1 <= int(rule["BYMONTH"]) <= 12 else 0, _WEEKDAYS.index(day[-2:]), nth
        )
    except (ValueError, IndexError):
        return None


def _day(turn: Turn, year: int) -> datetime:
    first = datetime(year, turn.month, 1)  # noqa: DTZ001 -- local time of the zone that is being computed
    if turn.nth > 0:
        ahead = (turn.weekday - first.weekday()) % 7
        return first + timedelta(days=min(ahead + 7 * (turn.nth - 1), 27))
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - turn.weekday) % 7)
