# ruff: noqa: T201  # a command speaks through its output
"""scripts/simulate: many histories, or one told in full.

    --seeds 300 --from 0 --processes N   that many seeds; the last line has seeds, steps, violations
    --seed 17 --trace                    one history, step by step; what fails is made short first (--whole: is not)
    --planted                            each planted bug, and the first seed that finds it

Each process has a database of its own. Exits 1 on any violation, and on a planted bug that was not found.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from tests.simulation.spreading import lines

SHOWN = 10  # failing seeds told in full
SAY_SO_EVERY = 100  # seeds
ENOUGH = 200  # seeds within which a planted bug has to be found

Told = dict[str, Any]  # what a process says of a seed: ``seed``, ``steps``, ``wrong``


def main() -> int:
    options = _options()
    if "PYTHONHASHSEED" not in os.environ:  # what a set of names is walked in must not differ from run to run
        os.execvpe(
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    if options.slice:
        return _slice(*map(int, options.slice.split(":")), planted=options.plant)
    if options.planted:
        return _planted(options)
    if options.seed is not None:
        return _one(options)
    return _many(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--plant", default="", help="with this bug planted")
    parser.add_argument("--slice", help=argparse.SUPPRESS)
    return parser.parse_args()


# --- many ----------------------------------------------------------------------------------------------------------


def _many(options: argparse.Namespace) -> int:
    began, seeds, steps = time.monotonic(), 0, 0
    wrong: list[Told] = []

    def so_far() -> str:
        violations, pace = sum(len(one["wrong"]) for one in wrong), steps / (time.monotonic() - began)
        return f"{seeds} seeds, {steps} steps, {violations} violations, {pace:.0f} steps/s"

    for found in _spread(options.first, options.seeds, options.processes, options.plant):
        seeds += 1
        steps += found["steps"]
        if found["wrong"]:
            wrong.append(found)
            if len(wrong) <= SHOWN:
                print(f"seed {found['seed']}: {found['wrong'][0]}", flush=True)
        if seeds % SAY_SO_EVERY == 0 and seeds < options.seeds:
            print(so_far(), flush=True)
    if wrong:
        print(f"Replay one: scripts/simulate --seed {wrong[0]['seed']} --trace")
    print(so_far())
    return 1 if wrong or seeds < options.seeds else 0


def _spread(first: int, count: int, processes: int, plant: str) -> Generator[Told]:
    """Results of all seeds, from as many processes; each says a line of JSON for a seed."""
    number = max(1, min(processes, count))
    slices = [f"{first + k}:{first + count}:{number}" for k in range(number)]
    order = [sys.executable, "-m", "tests.simulation", "--plant", plant, "--slice"]
    for line in lines([[*order, one] for one in slices]):
        yield json.loads(line)


def _slice(first: int, end: int, step: int, *, planted: str) -> int:
    with _database():
        from tests.simulation.history import live_through
        from tests.simulation.planted import bug
        from tests.simulation.world import sweep

        gc.freeze()  # what was imported is no garbage; looking through it again and again cost a tenth
        gc.set_threshold(50_000, 20, 20)
        for seed in range(first, end, step):
            with bug(planted):
                outcome = live_through(seed)
            print(json.dumps({"seed": seed, "steps": len(outcome.steps), "wrong": outcome.wrong}), flush=True)
            sweep()
    return 0


# --- one -----------------------------------------------------------------------------------------------------------


def _one(options: argparse.Namespace) -> int:
    with _database(), ExitStack() as stack:
        from tests.simulation.history import live_through
        from tests.simulation.planted import bug
        from tests.simulation.shrinking import shrink

        stack.enter_context(bug(options.plant))
        outcome = live_through(options.seed)
        if outcome.wrong and not options.whole:
            outcome = shrink(outcome, partial(live_through, options.seed))
        if options.trace:
            print("\n".join(outcome.told))
    for one in outcome.wrong:
        print(f"WRONG  {one}")
    print(f"1 seeds, {len(outcome.steps)} steps, {len(outcome.wrong)} violations")
    return 1 if outcome.wrong else 0


def _planted(options: argparse.Namespace) -> int:
    """A table: each bug, the first history that finds it, and what that history says."""
    _set_up()
    from tests.simulation.planted import BUGS

    names, missed = [options.plant] if options.plant else list(BUGS), 0
    for name in names:
        found = _first_to_find(name, options.first, min(options.seeds, ENOUGH), options.processes)
        missed += found is None
        where = f"seed {found['seed']:4}  {found['wrong'][0]}" if found else "NOT FOUND"
        print(f"{name:24} {where}"[:180], flush=True)
    print(f"{len(names)} planted, {missed} not found within {min(options.seeds, ENOUGH)} seeds")
    return 1 if missed else 0


def _first_to_find(name: str, first: int, count: int, processes: int) -> Told | None:
    """Processes take turns with the seeds: one that found something waits until no other can find it earlier."""
    number = max(1, min(processes, count))
    found: Told | None = None
    reached = {k: first + k - number for k in range(number)}
    results = _spread(first, count, processes, name)
    for one in results:
        reached[(one["seed"] - first) % number] = one["seed"]
        if one["wrong"] and (found is None or one["seed"] < found["seed"]):
            found = one
        if found and min(reached.values()) + number > found["seed"]:
            break
    results.close()
    return found


def _set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "postroom.config.settings_test"
    import django

    django.setup()


@contextmanager
def _database() -> Iterator[None]:
    _set_up()
    from conftest import database_of_our_own

    with database_of_our_own():
        yield


if __name__ == "__main__":
    sys.exit(main())
