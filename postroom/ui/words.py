"""How times, sizes and people are written. The times have a twin in `static/ui/js/time.js`: change both."""

import re
import zlib
from datetime import datetime, timedelta

from django.utils import timezone

from postroom.lib import clock

HUES = 8
LAST_NIGHT = 12 * 3600  # seconds from which on a time of the day before is called by its day
_STEPS: tuple[tuple[int, str], ...] = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_UNITS: tuple[str, ...] = ("bytes", "KB", "MB", "GB", "TB")


def short(when: datetime, *, now: datetime | None = None) -> str:
    """The list form, in the current time zone: 9:42 today, Yesterday, Thu in the last week, 14 Nov, 14 Nov 2024."""
    local, today = timezone.localtime(when), timezone.localtime(now or clock.now())
    days = (today.date() - local.date()).days
    if days == 0:
        return f"{local.hour}:{local.minute:02}"
    if days == 1:
        return "Yesterday"
    if 1 < days < 7:
        return f"{local:%a}"
    return f"{local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b} {local.year}"


def ago(when: datetime, *, now: datetime | None = None) -> str:
    """The sentence form: just now, 14 seconds ago, 5 hours ago, yesterday 14:00, in 4 hours, tomorrow 9:30; days from
    two days on, dates from 30. Of last night one says how many hours it is.
    """
    moment = now or clock.now()
    seconds = round((moment - when) / timedelta(seconds=1))
    span = abs(seconds)
    local = timezone.localtime(when)
    days = (timezone.localtime(moment).date() - local.date()).days
    if span >= LAST_NIGHT and abs(days) == 1:
        return f"{'yesterday' if days == 1 else 'tomorrow'} {local.hour}:{local.minute:02}"
    if abs(days) >= 2:
        span = max(span, 2 * 86400)
    if span >= 30 * 86400:
        return f"on {short(when, now=now)}" if seconds > 0 else short(when, now=now)
    if span < 3:
        return "just now"
    # 119 seconds say more than 1 minute: a unit starts at two of itself.
    size, unit = next((size, unit) for size, unit in _STEPS if span >= 2 * size or size == 1)
    count = span // size
    phrase = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{phrase} ago" if seconds > 0 else f"in {phrase}"


def exact(when: datetime) -> str:
    """Thu 14 Nov 2026, 09:42, in the current time zone."""
    local = timezone.localtime(when)
    return f"{local:%a} {local.day} {local:%b} {local.year}, {local:%H:%M}"


def filesize(size: int) -> str:
    """84 KB, 3.2 MB: powers of 1024, one decimal below ten."""
    value, unit = float(max(size, 0)), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    number = f"{value:.1f}" if 0 < value < 9.95 and unit > 1 else f"{value:.0f}"
    return f"{number} {'byte' if number == '1' and unit == 0 else _UNITS[unit]}"


def initials(name: str) -> str:
    """IR for Ines Ribeiro, S for support@…, ? for nothing at all."""
    words: list[str] = re.findall(r"[^\W_]+", re.split(r"[@,(]", name, maxsplit=1)[0])
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(key: str) -> int:
    """A number below HUES, the same for a person on every page and in every process."""
    return zlib.crc32(key.strip().lower().encode(errors="replace")) % HUES
