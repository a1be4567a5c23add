"""Working time: how much of it passes, and when so much of it has passed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.records.tickets.clock import Hours, after, between

LISBON = ZoneInfo("Europe/Lisbon")
OFFICE = Hours(frozenset(range(5)), time(9), time(17), LISBON)
FRIDAY_FOUR = datetime(2026, 11, 20, 16, tzinfo=LISBON)

YEAR = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda passed: YEAR + passed)
spans = st.timedeltas(timedelta(0), timedelta(days=30))
hours = st.builds(
    Hours,
    st.frozensets(st.integers(0, 6)),
    st.times(),
    st.times(),
    st.sampled_from([UTC, LISBON, ZoneInfo("Asia/Kolkata"), ZoneInfo("America/New_York")]),
)


def test_a_weekend_does_not_count() -> None:
    assert after(FRIDAY_FOUR, timedelta(hours=2), OFFICE) == datetime(2026, 11, 23, 10, tzinfo=LISBON)
    assert between(FRIDAY_FOUR, datetime(2026, 11, 23, 10, tzinfo=LISBON), OFFICE) == timedelta(hours=2)


def test_a_day_stays_as_long_as_its_hours_when_clocks_change() -> None:
    saturday = datetime(2026, 10, 24, 9, tzinfo=LISBON)
    every_day = Hours(frozenset(range(7)), time(0), time(6), LISBON)
    assert between(saturday, datetime(2026, 10, 26, tzinfo=LISBON), every_day) == timedelta(hours=7)  # 1 o'clock twice


def test_without_hours_the_plain_clock_counts() -> None:
    always = Hours(frozenset(), time(9), time(17), UTC)
    assert after(FRIDAY_FOUR, timedelta(hours=4), always) == FRIDAY_FOUR + timedelta(hours=4)


@settings(suppress_health_check=[HealthCheck.too_slow])  # time zones are read from disk once
@given(moments, spans, hours)
def test_what_was_added_is_what_lies_between(start: datetime, worked: timedelta, queue: Hours) -> None:
    end = after(start, worked, queue)
    assert end >= start
    week = timedelta(hours=queue.closes.hour - queue.opens.hour - 1) * len(queue.days)
    if queue.always or worked <= 100 * week:
        assert between(start, end, queue) == worked


@given(moments, spans, spans, hours)
def test_working_time_adds_up(start: datetime, first: timedelta, second: timedelta, queue: Hours) -> None:
    middle, end = start + first, start + first + second
    assert between(start, middle, queue) + between(middle, end, queue) == between(start, end, queue)
