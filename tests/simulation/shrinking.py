"""Making a failing history short: leave steps out for as long as it still fails in the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tests.simulation.history import Outcome, Step

Try = Callable[[Sequence[Step]], Outcome]


def kind_of(wrong: str) -> str:
    """A violation without its names and numbers: a shorter history counts only when it fails in the same way."""
    return re.sub(r"[^ ]*[\d@(<{\[][^ ]*|'[^']*'|True|False", "*", wrong)[:60]


def shrink(failed: Outcome, attempt: Try, *, tries: int = 400) -> Outcome:
    """The shortest history found within ``tries`` that fails like ``failed``: halves first, then single steps."""
    wanted = kind_of(failed.wrong[0])
    best, size, left = failed, max(1, len(failed.steps) // 2), tries
    while left > 0:
        shorter, used = _without_some(best, size, attempt, wanted, left)
        left -= used
        if shorter is None:
            if size == 1:
                break
            size = max(1, size // 2)
        else:
            best = shorter
    return best


def _without_some(best: Outcome, size: int, attempt: Try, wanted: str, tries: int) -> tuple[Outcome | None, int]:
    """One pass over the history leaving out ``size`` steps at a time, from the end; what failed is gone at once."""
    found, used, end = None, 0, len(best.steps)
    steps = list(best.steps)
    while end > 0 and used < tries:
        start = max(0, end - size)
        used += 1
        outcome = attempt([*steps[:start], *steps[end:]])
        if any(kind_of(one) == wanted for one in outcome.wrong):
            found, steps = outcome, list(outcome.steps)
        end = start
    return found, used
