"""Running what is due: claim -> steps, each in a fenced transaction -> give back, until nothing is due.

The only place where a failure of a run becomes a date and a reason on a row. What is not in ``_AGAIN`` is our own
mistake: logged with a reference, tried again with growing patience, shown as such.
"""

import logging
import os
import random
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import monotonic

from django.db import DatabaseError, transaction

from postroom.lib.clock import now
from postroom.mailboxes.failures import failure_of, mark, mark_mailbox
from postroom.mailboxes.models import Failure, Mailbox
from postroom.mailboxes.session import budget_key, open_mail
from postroom.providers import errors
from postroom.providers.budget import budget_of
from postroom.sync import lanes
from postroom.sync.contract import Halted, Run, Work, steps
from postroom.sync.models import Lane

log = logging.getLogger(__name__)

PATIENCE = (2, 5, 15, 60, 300, 900, 3600)  # seconds before the next attempt, by attempts so far
SAY_SO_AFTER = 5  # failed attempts in a row before a passing trouble is shown on the mailbox


def _machine() -> str:
    """Where process numbers mean the same as here: the host and, in a container, its own numbering."""
    try:
        numbering = f".{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        numbering = ""
    return f"{socket.gethostname()[:30]}{numbering}"


MACHINE = _machine()
OWNER = f"{MACHINE}:{os.getpid()}"


def run_mailbox(mailbox_id: int, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Run every due lane of a mailbox, most urgent first. Returns how many runs that took."""
    runs = 0
    while not stopping():
        lane = lanes.claim(mailbox_id, f"{OWNER}:{threading.get_ident()}")
        if lane is None:
            break
        run_lane(lane, stopping=stopping)
        runs += 1
    if not stopping() and (wait := lanes.soon(mailbox_id)) is not None:
        timer = threading.Timer(wait, lanes.wake, [mailbox_id])
        timer.daemon = True  # losing it to a crash does no harm: the sweep comes by
        timer.start()
    return runs


def run_lane(lane: Lane, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """One lease on one lane, from claim to giving it back. Never raises for a failure of the outside."""
    mailbox = lane.mailbox
    began = monotonic()
    budget = budget_of(budget_key(mailbox.provider, mailbox.address))
    calls = budget.calls
    run: Run | None = None
    try:
        with Heartbeat(lane):
            run = Run(lane=lane, mailbox=mailbox, source=open_mail(mailbox))
            complete = _carry_out(run, stopping)
    except lanes.LeaseLost:
        log.warning("lane %s was taken over", lane.pk)
    except errors.ProviderError as failure:
        _provider_failed(lane, failure)
    except Exception as failure:
        _we_failed(lane, failure)
    else:
        run.tally.requests = budget.calls - calls
        _give_back(run, complete, seconds=monotonic() - began)


def _carry_out(run: Run, stopping: Callable[[], bool]) -> bool:
    """Every step of the run; False when it was stopped on the way."""
    with closing(steps(run)) as work:  # type: ignore[type-var]
        try:
            for step in work:
                _apply(run, step)
                if stopping() or lanes.must_stop(run.lane):
                    return False
        except Halted as halt:
            for step in halt.aftermath(run):
                _apply(run, step)
            return False
    return True


def _apply(run: Run, step: Work) -> None:
    with transaction.atomic():
        lanes.hold(run.lane)
        step()
        lanes.save(run.lane)


def _give_back(run: Run, complete: bool, *, seconds: float) -> None:
    run.progress["last"] = {**run.tally.as_dict(), "seconds": round(seconds, 3)}
    with transaction.atomic():
        lanes.save(run.lane)
        if complete:
            lanes.finish(run.lane, next_due=run.next_due)
            _mailbox_worked(run)
        else:
            lanes.step_aside(run.lane)


def _mailbox_worked(run: Run) -> None:
    """A run that asked the provider nothing proves nothing: it takes no failure back. One that ends after the delegate
    was disconnected does not either."""
    mailbox = Mailbox.objects.filter(pk=run.mailbox.pk)
    if run.tally.requests == 0:
        mailbox.filter(failure=Failure.NONE).update(last_success_at=now())
        return
    mailbox.exclude(failure=Failure.NO_DELEGATE).update(
        last_success_at=now(), failure=Failure.NONE, failure_detail="", failure_reference="", throttled_until=None
    )


# When to try again by itself; None: when somebody acts. What is not here is tried again with growing patience.
_AGAIN: list[tuple[type[errors.ProviderError], timedelta | None]] = [
    (errors.AccessLost, timedelta(hours=1)),
    (errors.OperatorFault, timedelta(minutes=10)),
    (errors.ReauthNeeded, None),
]


SHARED_AGAIN = timedelta(minutes=5)  # rights on a shared mailbox are given back by somebody who does not sign in here


def _provider_failed(lane: Lane, failure: errors.ProviderError) -> None:
    if isinstance(failure, errors.Throttled):
        until = now() + timedelta(seconds=failure.retry_after or 30)
        Mailbox.objects.filter(pk=lane.mailbox_id).update(throttled_until=until)
        lanes.postpone(lane, due_at=until, failure="throttled", attempt=False)
        return
    for kind, again in _AGAIN:
        if isinstance(failure, kind):
            again = SHARED_AGAIN if again and lane.mailbox.kind == Mailbox.Kind.SHARED else again
            lanes.postpone(
                lane, due_at=now() + again if again else None, failure=failure_of(failure), detail=str(failure)
            )
            mark(lane.mailbox, failure)  # a grant that ended stops every mailbox that hangs on it, claims kept
            return
    _try_later(lane, failure, at_least=getattr(failure, "retry_after", None) or 0)


def _we_failed(lane: Lane, failure: Exception) -> None:
    log.exception("a run of lane %s failed", lane.pk)
    _try_later(lane, failure)


def _try_later(lane: Lane, failure: Exception, *, at_least: float = 0) -> None:
    seconds = max(at_least, PATIENCE[min(lane.attempts, len(PATIENCE) - 1)]) * random.uniform(1, 1.3)  # noqa: S311
    due_at = now() + timedelta(seconds=seconds)
    lanes.postpone(lane, due_at=due_at, failure=failure_of(failure), detail=str(failure) or type(failure).__name__)
    if lane.attempts + 1 >= SAY_SO_AFTER:
        mark_mailbox(lane.mailbox, failure)


class Heartbeat:
    """Keeps a lease alive while a step waits for the network, from a thread with a connection of its own."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name=f"lease-{lane.pk}")

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _beat(self) -> None:
        from django.db import connection

        try:
            while not self._done.wait(lanes.LEASE.total_seconds() / 3):
                lanes.renew(self._lane)
        except (lanes.LeaseLost, DatabaseError):
            pass  # the run itself finds out at its next step
        finally:
            connection.close()
