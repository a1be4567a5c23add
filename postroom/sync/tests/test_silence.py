"""Silence is proven by mail that push had to announce and did not, and by nothing else."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from postroom.sync.silence import AGAIN_AFTER, ENOUGH, GRACE, Arrival, Watch, is_proven, unannounced, verdict

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def watch(**more: object) -> Watch:
    return Watch(**{"made_at": AT - hours(48), "expires_at": AT + hours(48), "worked_at": AT - hours(3), **more})  # type: ignore[arg-type]


LOOKED_BEFORE = AT - hours(20)


def count(*arrivals: Arrival, looked_before: datetime | None = LOOKED_BEFORE, **more: object) -> int:
    return unannounced(arrivals, watch(**more), looked_before=looked_before, at=AT)


NEW = Arrival(AT - hours(2))


def test_mail_that_came_after_the_last_word_and_the_last_look_was_not_announced() -> None:
    assert count(NEW, NEW) == 2
    assert count(NEW, last_notified_at=AT - hours(3)) == 1


def test_a_word_of_the_provider_since_proves_that_push_lives() -> None:
    assert count(NEW, last_notified_at=AT - hours(1)) == 0


def test_mail_that_was_here_before_the_last_look_was_moved_or_restored() -> None:
    assert count(NEW, looked_before=AT - hours(1)) == 0
    assert count(NEW, looked_before=None) == 0


def test_the_very_latest_mail_may_still_be_announced() -> None:
    assert count(Arrival(AT - GRACE / 2)) == 0


def test_what_we_wrote_ourselves_proves_nothing() -> None:
    assert count(Arrival(AT - hours(2), ours=True), Arrival(None)) == 0


def test_without_a_living_subscription_nobody_was_to_tell_us() -> None:
    assert count(NEW, expires_at=AT) == 0
    assert count(NEW, made_at=AT - hours(1)) == 0


def test_after_a_long_sleep_of_our_own_nothing_is_blamed_on_the_provider() -> None:
    assert count(NEW, worked_at=AT - hours(26)) == 0
    assert count(NEW, worked_at=None) == 0


def test_one_is_doubt_and_a_few_are_proof() -> None:
    assert not verdict(watch(), 1, AT).replace
    assert verdict(watch(unannounced=ENOUGH - 1), 1, AT).replace


def test_a_fresh_replacement_is_given_time() -> None:
    lately = watch(unannounced=ENOUGH, replaces_silent_at=AT - AGAIN_AFTER / 2)
    assert not verdict(lately, 5, AT).replace
    assert verdict(watch(unannounced=ENOUGH, replaces_silent_at=AT - AGAIN_AFTER * 2), 1, AT).replace


moments = st.integers(-72 * 3600, 72 * 3600).map(lambda seconds: AT + timedelta(seconds=seconds))
arrivals = st.lists(st.builds(Arrival, st.none() | moments, st.booleans()), max_size=8)
watches = st.builds(
    Watch, moments, moments, st.none() | moments, st.integers(0, 6), st.none() | moments, st.none() | moments
)


@given(arrivals, watches, st.none() | moments)
def test_what_is_counted_is_new_foreign_old_enough_and_later_than_everything_heard(
    found: list[Arrival], known: Watch, looked_before: datetime | None
) -> None:
    counted = unannounced(found, known, looked_before=looked_before, at=AT)
    could = [one for one in found if one.received and not one.ours and one.received < AT - GRACE]
    assert 0 <= counted <= len(could)
    if counted:
        assert looked_before is not None and known.expires_at > AT
        latest = max(one.received for one in could if one.received)
        assert latest > max(looked_before, known.made_at, known.last_notified_at or known.made_at)


@given(arrivals, arrivals, watches, moments)
def test_more_mail_never_means_less_doubt(
    some: list[Arrival], more: list[Arrival], known: Watch, looked_before: datetime
) -> None:
    few = unannounced(some, known, looked_before=looked_before, at=AT)
    assert few <= unannounced([*some, *more], known, looked_before=looked_before, at=AT)


@given(arrivals, watches, moments)
def test_a_word_just_now_ends_all_doubt(found: list[Arrival], known: Watch, looked_before: datetime) -> None:
    heard = Watch(known.made_at, known.expires_at, AT, known.unannounced, known.replaces_silent_at, known.worked_at)
    assert unannounced(found, heard, looked_before=looked_before, at=AT) == 0


@given(watches, st.integers(0, 9))
def test_only_unannounced_mail_leads_to_a_replacement_and_never_twice_within_the_hour(known: Watch, found: int) -> None:
    judged = verdict(known, found, AT)
    assert judged.count == known.unannounced + found
    if judged.replace:
        assert found and judged.count >= ENOUGH
        assert not is_proven(judged.count, AT - AGAIN_AFTER / 2, AT)
