"""A history: steps drawn by a seed, carried out one after the other, then rest and the question what is wrong.

Each step has a number of its own from which it chooses what it does to whom, so a step can be left out of a history
and the others still mean something: that is what makes histories shrink.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.simulation import local, remote, trouble
from tests.simulation.invariants import violations
from tests.simulation.rest import come_to_rest
from tests.simulation.world import World, company

Act = Callable[[World, Random], str]

# How often each is drawn, of about a thousand.
ACTS: dict[str, tuple[int, Act]] = {
    "remote deliver": (70, remote.deliver),
    "remote answer": (20, remote.answer),
    "remote many": (5, remote.many),
    "remote old mail": (6, remote.old_mail),
    "remote read": (30, remote.read),
    "remote flag": (16, remote.flag),
    "remote categorise": (16, remote.categorise),
    "remote move": (36, remote.move),
    "remote there and back": (16, remote.there_and_back),
    "remote soft delete": (14, remote.soft_delete),
    "remote delete": (16, remote.delete),
    "remote folder": (8, remote.folder),
    "remote rename folder": (6, remote.rename_folder),
    "remote move folder": (5, remote.move_folder),
    "remote remove folder": (4, remote.remove_folder),
    "remote write draft": (12, remote.write_draft),
    "remote send draft": (6, remote.send_draft),
    "remote write on ours": (8, remote.write_on_ours),
    "remote attach": (4, remote.attach),
    "read": (30, local.read),
    "flag": (16, local.flag),
    "categorise": (12, local.categorise),
    "move": (26, local.move),
    "archive": (10, local.archive),
    "delete": (10, local.delete),
    "back again": (14, local.back_again),
    "folder": (8, local.folder),
    "write": (6, local.write),
    "rewrite": (10, local.rewrite),
    "send begun": (4, local.send_begun),
    "discard": (2, local.discard),
    "send": (18, local.send),
    "reply": (14, local.reply),
    "send again": (6, local.send_again),
    "link": (10, local.link),
    "sync now": (6, local.sync_now),
    "pause": (5, local.pause),
    "widen": (4, local.widen),
    "look": (3, local.look),
    "work": (170, trouble.work),
    "kill": (24, trouble.kill),
    "lose database": (12, trouble.lose_database),
    "restart database": (4, trouble.restart_database),
    "freeze": (12, trouble.freeze),
    "seconds": (80, trouble.seconds),
    "minutes": (20, trouble.minutes),
    "hours": (8, trouble.hours),
    "forty days": (1, trouble.forty_days),
    "backwards": (3, trouble.backwards),
    "notify": (90, trouble.notify),
    "lose": (10, trouble.lose),
    "lose silently": (10, trouble.lose_silently),
    "end subscription": (5, trouble.end_subscription),
    "ask for renewal": (3, trouble.ask_for_renewal),
    "fail": (30, trouble.fail),
    "throttle": (8, trouble.throttle),
    "expire": (8, trouble.expire),
    "protect": (4, trouble.protect),
    "spoil": (3, trouble.spoil),
    "withdraw": (4, trouble.withdraw),
    "end sign-in": (4, trouble.end_sign_in),
    "sign in": (8, trouble.sign_in),
}


DWELT = 150  # added to an act's share


class Step(NamedTuple):
    """``number`` is all the chance the act has."""

    act: str
    number: int

    def __str__(self) -> str:
        return f"{self.act} #{self.number}"


@dataclass
class Outcome:
    """What became of a history. ``told`` says what each step did."""

    seed: int
    steps: Sequence[Step]
    wrong: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def draw(seed: int, length: int = 200, *, dwell: Collection[str] = ()) -> list[Step]:
    """The steps of a seed; a history may dwell on some acts."""
    rng = Random(seed)
    names, weights = list(ACTS), [weight + (name in dwell) * DWELT for name, (weight, _) in ACTS.items()]
    return [Step(act, rng.randrange(1 << 30)) for act in rng.choices(names, weights, k=length)]


def live_through(seed: int, steps: Sequence[Step] | None = None) -> Outcome:
    """Carry out a seed's history, or the given part of it."""
    steps = draw(seed) if steps is None else steps
    outcome = Outcome(seed, steps)
    with company(seed) as world:
        world.honest = seed % 4 != 3
        for step in steps:
            outcome.told.append(_carry_out(world, step))
            if found := [
                f"worker {one.number} ended: {one.failed!r}"
                for one in (*world.workers.all, world.workers.web)
                if one.failed
            ]:
                outcome.wrong += found
                return outcome
        outcome.wrong += come_to_rest(world, outcome.told) or violations(world)
    return outcome


def _carry_out(world: World, step: Step) -> str:
    _, act = ACTS[step.act]
    did = act(world, Random(step.number))
    return f"{world.held.at:%d.%m. %H:%M:%S}  {step!s:34} {did or '-'}"
