"""Ten bugs, each put into the engine on purpose: beside its name the history that is known to find it.

`scripts/simulate --planted` looks for each with histories as they come. Here short ones that dwell on what matters are
tried, so that the suite stays quick and still fails when the simulation goes blind.
"""

import pytest

from tests.simulation.history import ACTS, draw, live_through
from tests.simulation.planted import BUGS, bug

LENGTH = 70

# bug -> (seed, acts to dwell on)
FOUND_BY: dict[str, tuple[int, tuple[str, ...]]] = {
    "cursor before commit": (7, ("kill", "lose", "lose database")),
    "removed = deleted": (1, ("remote move", "remote there and back")),
    "no version check": (1, ("remote there and back", "remote read")),
    "retry of a send": (4, ("send", "kill")),
    "missing lock": (26, ("freeze", "send")),
    "410 = start empty": (1, ("expire", "read")),
    "dropped lifecycle": (0, ("lose", "end subscription")),
    "filter 5,000": (3, ("remote old mail", "remote many")),
    "lost claims": (1, ("end sign-in", "hours")),
    "wrong folder on A->B->A": (7, ("remote there and back",)),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(database: None, name: str) -> None:
    seed, dwell = FOUND_BY[name]
    steps = draw(seed, LENGTH, dwell=dwell)
    with bug(name):
        outcome = live_through(seed, steps)
    assert outcome.wrong


def test_every_planted_bug_has_a_history_that_finds_it() -> None:
    assert FOUND_BY.keys() == BUGS.keys()
    assert {act for _, dwell in FOUND_BY.values() for act in dwell} <= ACTS.keys()
