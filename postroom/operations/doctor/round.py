"""Going round: run checks side by side or in turn, and a check that breaks is a finding, not an end."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError

from postroom.operations.doctor.findings import Check, Finding, Installation, State, fail

log = logging.getLogger(__name__)

PATIENCE = 25.0  # seconds for all network checks together


def in_turn(checks: Iterable[Check], here: Installation) -> list[Finding]:
    """One after the other, in this thread: for checks of the database and of this machine."""
    return [finding for check in checks for finding in _run(check, here)]


def side_by_side(checks: Iterable[Check], here: Installation, *, patience: float = PATIENCE) -> list[Finding]:
    """In threads of their own, so that the slowest decides how long it takes, and never longer than `patience`."""
    checks = list(checks)
    pool = ThreadPoolExecutor(max_workers=max(1, len(checks)), thread_name_prefix="doctor")
    end = time.monotonic() + patience
    waiting = [(check, pool.submit(_run, check, here)) for check in checks]
    found: list[Finding] = []
    for check, future in waiting:
        try:
            found += future.result(timeout=max(0.0, end - time.monotonic()))
        except TimeoutError:
            found.append(_broken(check, f"no answer within {patience:.0f} s"))
    pool.shutdown(wait=False, cancel_futures=True)
    return found


def _run(check: Check, here: Installation) -> list[Finding]:
    try:
        return list(check(here))
    except DatabaseError as problem:
        return [_broken(check, str(problem).strip().split("\n")[0])]
    except Exception as problem:
        log.exception("a check of the doctor broke")
        return [_broken(check, f"the check itself broke ({type(problem).__name__}); the log says more")]


def _broken(check: Check, why: str) -> Finding:
    name = getattr(check, "func", check).__name__
    return fail(name, name.replace("_", " ").capitalize(), why, "Try again; if it stays so, report it with the log.")


def worst(findings: Iterable[Finding]) -> State:
    """Of all: fail before warn before ok."""
    states = {one.state for one in findings}
    return next((state for state in (State.FAIL, State.WARN) if state in states), State.OK)
