"""Callers who wait for one another's work share it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from postroom.lib.together import Together


class Bad(Exception):
    """Something is wrong with an item."""


class Serving:
    """Keeps what it is given; the first call waits until it is let go."""

    def __init__(self) -> None:
        self.given: list[list[str]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, items: list[str]) -> None:
        self.given.append(items)
        if len(self.given) == 1:
            self.begun.set()
            self.go.wait(10)
        if "bad" in items:
            raise Bad
        if "away" in items:
            raise ConnectionError


def crowd(serving: Serving, keep: Callable[[list[str]], None], *calls: list[str]) -> list[Future[None]]:
    """These calls made while a first one is being served; then that is let go."""
    with ThreadPoolExecutor(len(calls) + 1) as pool:
        first = pool.submit(keep, ["first"])
        assert serving.begun.wait(10)
        others = [pool.submit(keep, call) for call in calls]
        while len(keep._waiting) < len(calls):  # type: ignore[attr-defined]  # the only sign that they wait
            threading.Event().wait(0.001)
        serving.go.set()
    return [first, *others]


def test_one_caller_is_served_at_once() -> None:
    serving = Serving()
    serving.go.set()
    Together(serving)(["a", "b"])
    assert serving.given == [["a", "b"]]


def test_all_who_wait_are_served_together() -> None:
    serving = Serving()
    done = crowd(serving, Together(serving), *[[str(number)] for number in range(8)])
    assert len(serving.given) == 2
    assert sorted(serving.given[1]) == [str(number) for number in range(8)]
    assert all(call.exception() is None for call in done)


def test_a_thread_of_its_own_does_it_for_all() -> None:
    threads: set[int] = set()
    serving = Serving()
    keep = Together[str](lambda items: (threads.add(threading.get_ident()), serving(items)))
    keep.in_a_thread("keeping", first=lambda: threads.add(threading.get_ident()))
    done = crowd(serving, keep, ["a"], ["b"], ["bad"])
    assert [type(call.exception()) for call in done] == [type(None), Bad, Bad, Bad]
    keep(["later"])
    assert len(threads) == 1


def test_what_goes_wrong_is_said_to_each_of_them_and_to_nobody_later() -> None:
    serving = Serving()
    keep = Together(serving)
    first, *others = crowd(serving, keep, ["a"], ["away"])
    assert first.exception() is None
    assert [type(call.exception()) for call in others] == [ConnectionError] * 2
    keep(["later"])


def test_only_the_guilty_one_fails_where_an_item_is_to_blame() -> None:
    serving = Serving()
    _, good, bad = crowd(serving, Together(serving, blame=(Bad,)), ["good"], ["bad"])
    assert good.exception() is None
    with pytest.raises(Bad):
        bad.result()
