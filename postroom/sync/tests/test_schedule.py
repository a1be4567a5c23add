"""The day is used evenly, and polling stays within what the provider allows."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from postroom.providers.budget import REQUESTS, WINDOW
from postroom.sync.schedule import (
    DAY,
    IDLE,
    LATELY,
    LOOKED_AT_LATELY,
    LOOKED_AT_WITHIN,
    QUICK,
    RECENT,
    SHARE,
    next_daily,
    poll_interval,
    poll_plan,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
moments = st.integers(-400 * 86_400, 400 * 86_400).map(lambda seconds: AT + timedelta(seconds=seconds))


@given(st.integers(1, 10_000), st.text(max_size=20), moments)
def test_a_listing_has_its_own_moment_of_the_day_and_keeps_it(mailbox: int, scope: str, at: datetime) -> None:
    first = next_daily(mailbox, scope, at)
    assert at + LATELY <= first < at + LATELY + DAY
    assert next_daily(mailbox, scope, first) == first + DAY
    assert next_daily(mailbox, scope, first - LATELY) == first


def test_a_thousand_mailboxes_connected_at_once_come_one_by_one() -> None:
    hours = Counter(next_daily(mailbox, "inbox", AT).hour for mailbox in range(1000))
    assert set(hours) == set(range(24))
    assert max(hours.values()) < 3 * 1000 / 24


def test_the_folders_of_one_mailbox_do_not_come_together() -> None:
    due = sorted(next_daily(7, f"folder {number}", AT) for number in range(48))
    assert max(Counter(moment.replace(minute=0, second=0, microsecond=0) for moment in due).values()) <= 8


def test_looking_is_quick_for_who_reads_and_slow_for_nobody() -> None:
    assert poll_interval(AT, AT) == QUICK
    assert poll_interval(AT - LOOKED_AT_WITHIN, AT) == RECENT
    assert poll_interval(AT - LOOKED_AT_LATELY, AT) == poll_interval(None, AT) == IDLE


def test_a_few_folders_are_all_looked_at_each_time() -> None:
    assert poll_plan(["inbox", "sent"], {}, QUICK, AT) == {"inbox": AT + QUICK, "sent": AT + QUICK}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.none() | moments), moments)
def test_no_look_is_put_off(due: dict[str, datetime | None], at: datetime) -> None:
    plan = poll_plan("abcdefgh", due, QUICK, at)
    assert set(plan) == set("abcdefgh")
    assert all(when <= at + QUICK and when <= (due.get(scope) or when) for scope, when in plan.items())


@given(st.integers(1, 400), st.sampled_from([QUICK, RECENT, IDLE]))
def test_many_folders_take_turns_within_the_allowance_and_none_is_forgotten(count: int, interval: timedelta) -> None:
    folders = [f"f{number:03}" for number in range(count)]
    due: dict[str, datetime | None] = dict.fromkeys(folders)
    at, asked, looked = AT, 0, Counter[str]()
    rounds = 60
    for _ in range(rounds):
        now_due = [one for one in folders if (planned := due[one]) is None or planned <= at]
        if at > AT:  # the first look at everything is the reason to begin
            asked += len(now_due)
            looked.update(now_due)
        due |= poll_plan(folders, {**due, **dict.fromkeys(now_due, at + DAY)}, interval, at, looked_at=now_due)
        at += interval
    allowed = max(4, SHARE * REQUESTS / WINDOW * interval.total_seconds())
    assert asked <= allowed * rounds * 1.1 + count
    assert looked[folders[0]] == rounds - 1
    needed = count / max(1, int(allowed) * 0.25)
    assert needed > rounds / 2 or all(looked[one] for one in folders)
