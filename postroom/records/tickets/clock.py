"""The SLA clock: working time between two moments, and the moment when so much working time has passed.

Pure. A queue works on some days of the week from one time of day to another, in one time zone; without such hours it
works always. Days are the zone's own, so a week with a change of clocks is right too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

FAR = 366 * 3  # days looked ahead before a target is given up as unreachable


@dataclass(frozen=True)
class Hours:
    """When a queue works: `days` are 0 (Monday) to 6. Without days, or with `closes` not after `opens`: always."""

    days: frozenset[int]
    opens: time
    closes: time
    zone: tzinfo

    @property
    def always(self) -> bool:
        return not self.days or self.closes <= self.opens

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """The working time of a day, in UTC; None when it is free."""
        if day.weekday() not in self.days:
            return None
        start, end = (datetime.combine(day, at, self.zone).astimezone(UTC) for at in (self.opens, self.closes))
        return start, end


def after(start: datetime, worked: timedelta, hours: Hours) -> datetime:
    """The moment at which `worked` working time has passed since `start`."""
    if hours.always:
        return start + worked
    left = worked
    for opens, closes in _days_from(start, hours):
        begin = max(start, opens)
        if begin >= closes:
            continue
        if begin + left <= closes:
            return begin + left
        left -= closes - begin
    return start + worked  # hours that never come: the plain clock is the only one left


def between(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """The working time from `start` to `end`; nothing when `end` is not later."""
    if end <= start:
        return timedelta(0)
    if hours.always:
        return end - start
    total = timedelta(0)
    for opens, closes in _days_from(start, hours):
        if opens >= end:
            break
        total += max(timedelta(0), min(closes, end) - max(opens, start))
    return total


def _days_from(start: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    first = start.astimezone(hours.zone).date()
    for number in range(FAR):
        if (worked := hours.on(first + timedelta(days=number))) is not None:
            yield worked
