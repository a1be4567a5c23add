"""The watch: a thread in every web, worker and drop box process. It beats, and once a minute one web or worker process
of all evaluates alerts and sends what waits to be sent.

Not a job of the job engine: what watches the workers must go on when no worker does. Whoever comes first in a minute
does the round; the row `Pulse("watch")` decides, so any number of processes cost one round a minute.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import close_old_connections, connections, transaction

from postroom.lib import process
from postroom.lib.clock import now
from postroom.operations import beats
from postroom.operations.models import Pulse

log = logging.getLogger(__name__)

WEBHOOK_EVERY = timedelta(minutes=10)
WEBHOOK_PATIENCE = 15.0  # seconds
ROUND_EVERY = timedelta(seconds=55)  # a little less than the beats make of a minute


def start(kind: str, threads: int, *, rounds: bool = True) -> threading.Thread:
    """Begin to watch in the background; ends with the process. Without ``rounds`` it only beats."""
    beat = beats.Beat(kind, threads)
    thread = threading.Thread(target=until_stopped, args=(beat,), kwargs={"rounds": rounds}, name="watch", daemon=True)
    thread.start()
    return thread


def until_stopped(beat: beats.Beat, *, rounds: bool = True) -> None:
    """Beat and go round until the process is asked to stop, whatever happens to the database meanwhile."""
    waiting = True
    while waiting:
        _safely("a heartbeat failed", beat.write)
        if rounds:
            _safely("a round of the watch failed", round_if_due)
        waiting = not process.wait_for_stop(beats.EVERY)
    _safely("no goodbye", beat.goodbye)
    connections.close_all()


def _safely(what: str, work: Callable[[], object]) -> None:
    try:
        close_old_connections()
        work()
    except Exception as problem:
        log.warning("%s, the next one follows: %s", what, str(problem).split("\n")[0])
        connections.close_all()


def round_if_due() -> bool:
    """Evaluate alerts and send notices, if nobody did within the last minute. Returns whether it was done."""
    from postroom.operations.alerts import deliver, evaluate

    if not take("watch", ROUND_EVERY):
        return False
    beats.forget()
    if take("webhook", WEBHOOK_EVERY):
        look_at_webhook()
    evaluate.evaluate()
    deliver.send_due()
    return True


def look_at_webhook() -> None:
    """Post Microsoft's validation request to ourselves, and keep how often it failed in a row."""
    from postroom.operations.doctor import here, network, round
    from postroom.operations.doctor.findings import State

    [found] = round.side_by_side([network.webhook], here.installation(), patience=WEBHOOK_PATIENCE)
    _, before = outcome("webhook")
    failed = int(before.get("failed", 0)) + 1 if found.state is State.FAIL else 0
    note("webhook", {"failed": failed, "found": found.found})


def take(name: str, every: timedelta) -> bool:
    """Is it our turn to do `name`? Marks it as done now; one process of all gets a yes."""
    at = now()
    with transaction.atomic():
        _, made = Pulse.objects.get_or_create(name=name, defaults={"at": at})
        return made or bool(Pulse.objects.filter(name=name, at__lte=at - every).update(at=at))


def note(name: str, outcome: dict[str, Any]) -> None:
    """Keep what came out of `name`."""
    Pulse.objects.filter(name=name).update(outcome=outcome)


def outcome(name: str) -> tuple[datetime | None, dict[str, Any]]:
    """When `name` was done last, and what came out."""
    row = Pulse.objects.filter(name=name).first()
    return (row.at, row.outcome) if row else (None, {})
