"""A few histories in every run of the suite: some that are always the same, some that nobody has seen before."""

import random

import pytest

from tests.simulation.history import Outcome, Step, draw, live_through
from tests.simulation.shrinking import kind_of, shrink

ALWAYS = (0, 1, 3, 4, 5, 6, 16, 33)
FRESH = 2


def told(outcome: Outcome) -> str:
    again = f"Replay: scripts/simulate --seed {outcome.seed} --trace"
    return "\n".join([f"seed {outcome.seed}", *outcome.wrong, again])


@pytest.mark.parametrize("seed", ALWAYS)
def test_a_history_that_went_wrong_once_ends_well(database: None, seed: int) -> None:
    outcome = live_through(seed)
    assert not outcome.wrong, told(outcome)


@pytest.mark.parametrize("number", range(FRESH))
def test_a_history_nobody_has_seen_before_ends_well(database: None, number: int) -> None:
    seed = random.SystemRandom().randrange(1_000_000, 1 << 30)
    print(f"fresh seed {seed}")  # noqa: T201
    outcome = live_through(seed)
    assert not outcome.wrong, told(outcome)


def test_a_seed_tells_the_same_story_twice(database: None) -> None:
    steps = draw(2, 60)
    assert live_through(2, steps).told == live_through(2, steps).told


def test_a_failing_history_is_made_short() -> None:
    def attempt(steps: object) -> Outcome:
        names = [step.act for step in steps]  # type: ignore[attr-defined]
        wrong = ["two 3 meet"] if {"kill", "send"} <= set(names) else []
        return Outcome(1, list(steps), wrong)  # type: ignore[call-overload]

    failed = attempt(draw(1))
    assert failed.wrong
    assert sorted(step.act for step in shrink(failed, attempt).steps) == ["kill", "send"]


def test_violations_are_alike_but_for_names_and_numbers() -> None:
    one, other = "ana@x.example: m12 is (1, True) here", "ben@x.example: m7 is (2, True) here"
    assert kind_of(one) == kind_of(other) != kind_of("composition 3 went out 2 times")


def test_a_step_reads_as_what_it_is() -> None:
    assert str(Step("kill", 7)) == "kill #7"
