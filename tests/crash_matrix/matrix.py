"""The matrix: every way a message goes out, times every accident at every step; then several to one message."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from postroom.mail import commands
from postroom.mail.models import Composition
from postroom.mail.outbound import copies
from tests.crash_matrix.letters import LETTERS, wrong_with
from tests.crash_matrix.office import Accident, Office, office
from tests.simulation.world import sweep

A_DAY = 30  # messages sent from one office before a fresh one is opened


class Cell(NamedTuple):
    """What is sent, and what happens meanwhile."""

    letter: str
    accidents: tuple[Accident, ...]

    def __str__(self) -> str:
        return f"{self.letter}: {', '.join(map(str, self.accidents)) or 'nothing happens'}"


class Result(NamedTuple):
    run: int
    cell: str
    happened: list[str]
    wrong: list[str]
    asked: bool = False  # nobody could know what became of it: its author was asked, and sent it again


def measure() -> dict[str, tuple[int, int]]:
    """How many moments and requests each way has when nothing happens."""
    found = {}
    with office() as one:
        for name, write in LETTERS.items():
            letter = write(one)
            one.send(letter.composition)
            assert not wrong_with(one, letter), (name, wrong_with(one, letter))
            found[name] = one.size
    return found


def single(sizes: dict[str, tuple[int, int]]) -> list[Cell]:
    """Each step of each way with one accident, in an order that mixes them."""
    cells = []
    for name, (moments, requests) in sizes.items():
        cells += [Cell(name, (Accident("kill", n),)) for n in range(1, moments + 1)]
        for kind in ("reset before", "reset after"):
            cells += [Cell(name, (Accident(kind, n),)) for n in range(1, requests + 1)]
    Random(1).shuffle(cells)
    return cells


def several(run: int, sizes: dict[str, tuple[int, int]]) -> Cell:
    """Two to four accidents to one message, drawn by the run's number."""
    rng = Random(run)
    name = rng.choice(list(sizes))
    moments, requests = sizes[name]
    accidents = []
    for _ in range(rng.randint(2, 4)):
        kind = rng.choice(["kill", "reset before", "reset after"])
        accidents.append(Accident(kind, rng.randint(1, moments if kind == "kill" else requests)))
    return Cell(name, tuple(accidents))


def runs(numbers: Sequence[int]) -> Iterator[Result]:
    """The runs with these numbers: first the single accidents, then several at once."""
    sizes = measure()
    singles = single(sizes)
    cells = [singles[n] if n < len(singles) else several(n, sizes) for n in numbers]
    for start in range(0, len(cells), A_DAY):
        with office() as one:
            for number, cell in zip(numbers[start : start + A_DAY], cells[start : start + A_DAY], strict=True):
                yield _run(one, number, cell)
            if found := one.differences():
                yield Result(-1, "at the end of the day", [], [f"mirror: {line}" for line in found[:3]])
        sweep()


def _run(one: Office, number: int, cell: Cell) -> Result:
    one.happened = []
    try:
        letter = LETTERS[cell.letter](one)
        one.send(letter.composition, cell.accidents)
        happened = list(one.happened)
        if asked := _is_unclear(letter.composition):
            commands.send(letter.composition)
            one.send(letter.composition)
        return Result(number, str(cell), happened, wrong_with(one, letter), asked)
    except Exception as trouble:  # what ends a worker is a finding, whatever it is
        where = traceback.extract_tb(trouble.__traceback__)[-1]
        said = f"lost: a worker ended: {trouble!r} in {where.name}, line {where.lineno} of {Path(where.filename).name}"
        return Result(number, str(cell), list(one.happened), [said])


def _is_unclear(composition: Composition) -> bool:
    composition.refresh_from_db()
    return composition.state == Composition.State.HELD and composition.failure == copies.UNCLEAR
