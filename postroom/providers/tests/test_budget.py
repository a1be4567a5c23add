import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from postroom.providers.budget import AT_ONCE, REQUESTS, WINDOW, Budget, budget_of
from postroom.providers.contract import Urgency
from postroom.providers.errors import Throttled


class Time:
    """A clock that moves only when somebody waits for it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        assert seconds is not None, "would wait for ever: nobody else is here"
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def budget(time: Time) -> Budget:
    return Budget(clock=time, wait=time.wait)


@pytest.fixture
def threads() -> Iterator[list[threading.Thread]]:
    started: list[threading.Thread] = []
    yield started
    for thread in started:
        thread.join(5)


def test_a_person_finds_a_place_when_ordinary_work_holds_all_of_its_own(budget: Budget) -> None:
    with ExitStack() as stack:
        for _ in range(AT_ONCE - 1):
            stack.enter_context(budget.place(Urgency.BACKFILL))
        with pytest.raises(AssertionError, match="for ever"):
            stack.enter_context(budget.place(Urgency.PUSH))
        stack.enter_context(budget.place(Urgency.USER))
        with pytest.raises(AssertionError, match="for ever"):
            stack.enter_context(budget.place(Urgency.USER))


def test_a_batch_takes_as_many_places_as_it_runs_requests(budget: Budget) -> None:
    with budget.place(Urgency.PUSH, requests=20, width=4), pytest.raises(AssertionError, match="for ever"):
        budget.place(Urgency.USER).__enter__()
    assert (budget.calls, budget.requests) == (1, 20)


def test_who_waits_is_served_by_urgency_then_by_arrival(threads: list[threading.Thread]) -> None:
    budget, served, waiting = Budget(), [], threading.Semaphore(0)
    inner = budget._wait

    def wait(condition: threading.Condition, seconds: float | None) -> object:
        waiting.release()
        return inner(condition, seconds)

    budget._wait = wait
    urgencies = [Urgency.BACKFILL, Urgency.DELTA, Urgency.PUSH, Urgency.DELTA]

    def ask(name: str, urgency: Urgency) -> None:
        with budget.place(urgency, width=4):
            served.append(name)

    with budget.place(Urgency.USER, width=4):
        for number, urgency in enumerate(urgencies):
            threads.append(threading.Thread(target=ask, args=(f"{urgency.name}{number}", urgency), daemon=True))
            threads[-1].start()
            assert waiting.acquire(timeout=5)
    for thread in threads:
        thread.join(5)
    assert served == ["PUSH2", "DELTA1", "DELTA3", "BACKFILL0"]


def test_retry_after_pauses_everybody_for_exactly_that_long(budget: Budget, time: Time) -> None:
    budget.pause(2.128)
    assert budget.paused_for == pytest.approx(2.128)
    with budget.place(Urgency.USER):
        assert time.now == pytest.approx(1002.128)
    assert budget.paused_for == 0


def test_a_pause_longer_than_the_patience_is_told_not_waited_for(budget: Budget, time: Time) -> None:
    budget.pause(120)
    with pytest.raises(Throttled) as caught:
        budget.place(Urgency.DELTA).__enter__()
    assert (caught.value.retry_after, time.now) == (120, 1000)
    with budget.place(Urgency.DELTA, patience=300):
        assert time.now == 1120


def test_the_allowance_is_a_sliding_window(budget: Budget, time: Time) -> None:
    for _ in range(REQUESTS // 20):
        with budget.place(Urgency.DELTA, requests=20, width=4):
            time.now += 1.0
    with pytest.raises(Throttled) as caught:
        budget.place(Urgency.DELTA).__enter__()
    assert caught.value.retry_after == pytest.approx(1001 + WINDOW - time.now)
    time.now = 1001 + WINDOW
    with budget.place(Urgency.DELTA):
        pass
    assert budget.requests == REQUESTS + 1


def test_a_place_is_given_back_when_the_call_fails(budget: Budget) -> None:
    for _ in range(2 * AT_ONCE):
        with pytest.raises(ValueError), budget.place(Urgency.DELTA):
            raise ValueError


def test_one_mailbox_has_one_budget() -> None:
    assert budget_of("a") is budget_of("a")
    assert budget_of("a") is not budget_of("b")
