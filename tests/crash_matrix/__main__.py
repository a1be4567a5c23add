# ruff: noqa: T201  # a command speaks through its output
"""scripts/crash-matrix: messages sent under accidents at every step.

    --runs 300 --processes N   that many messages; the last line has mails, delivered once, lost, doubled
    --first 500                beginning with that one, so that many can be run in pieces
    --run 17                   one of them, told

The first runs have one accident each and go through every step of every way; later ones have several. Exits 1 on
anything wrong.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator

from msgspec import json

from tests.simulation.__main__ import _database

SHOWN = 10


def main() -> int:
    options = _options()
    if options.slice:
        return _slice(range(*map(int, options.slice.split(":"))))
    numbers = range(options.first, options.first + options.runs)
    if options.run is not None:
        numbers = range(options.run, options.run + 1)
    began, mails, once, asked, lost, doubled, wrong = time.monotonic(), 0, 0, 0, 0, 0, 0
    for found in _spread(numbers, options.processes):
        words = {one.partition(":")[0] for one in found["wrong"]}
        mails += found["run"] >= 0
        once += found["run"] >= 0 and not found["wrong"]
        asked += found["asked"]
        lost, doubled, wrong = lost + ("lost" in words), doubled + ("doubled" in words), wrong + bool(words)
        if (words and wrong <= SHOWN) or options.run is not None:
            print(f"run {found['run']}: {found['cell']}; {found['happened']}: {found['wrong'] or 'once'}", flush=True)
    seconds = time.monotonic() - began
    counts = f"{once} delivered once ({asked} of them after asking the author), {lost} lost, {doubled} doubled"
    if missing := len(numbers) - mails:
        print(f"{missing} runs gave no result: a process of the matrix ended before them")
    print(f"{mails} mails, {counts}, {wrong} wrong, {seconds:.0f} s")
    return 1 if wrong or missing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/crash-matrix", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--run", type=int)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--slice", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.runs < 1 or options.processes < 1:
        parser.error("--runs and --processes are at least 1")
    return options


def _spread(numbers: range, processes: int) -> Iterator[dict[str, object]]:
    """Results of all runs, from as many processes; each says a line of JSON for a run."""
    from tests.simulation.spreading import lines

    step = max(1, min(processes, len(numbers)))
    slices = [f"{numbers.start + k}:{numbers.stop}:{step}" for k in range(step)]
    orders = [[sys.executable, "-m", "tests.crash_matrix", "--slice", one] for one in slices]
    for line in lines(orders):
        yield json.decode(line)


def _slice(numbers: range) -> int:
    with _database():
        from tests.crash_matrix.matrix import runs

        gc.freeze()  # what was imported is no garbage, and looking through it again and again takes time
        gc.set_threshold(50_000, 20, 20)
        for found in runs(numbers):
            print(json.encode(found._asdict()).decode(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
