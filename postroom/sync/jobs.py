"""Wake-ups through Procrastinate: the only thing it carries. Losing, doubling or delaying one does no harm, because
what is due stands in the lanes and ``sweep`` looks there every few seconds (design.md section 3a).
"""

import logging
import os

from django.db import close_old_connections
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.types import JSONDict

from postroom.lib import process
from postroom.lib.about import about
from postroom.sync import lanes, runner

log = logging.getLogger(__name__)

SWEEP_EVERY = 5  # seconds


@app.task(name="sync.run", queue="sync")
def run(mailbox_id: int) -> None:
    """Do what is due for a mailbox. No lock, no unique key, no retry: the lease and the sweep are all of these."""
    close_old_connections()  # a restarted database costs one reconnect, not a failed run
    with about(mailbox=mailbox_id):
        runner.run_mailbox(mailbox_id, stopping=process.stopping)


def wake(*mailbox_ids: int) -> None:
    """A wake-up for each, in one statement."""
    try:
        jobs: list[JSONDict] = [{"mailbox_id": mailbox_id} for mailbox_id in mailbox_ids]
        run.batch_defer(*jobs)
    except Exception:
        log.warning("a wake-up was lost; the sweep will find mailboxes %s", mailbox_ids, exc_info=True)


def sweep() -> int:
    """Wake every mailbox that has something due and nobody at work on it. Returns how many.

    A worker that was killed here, and started again by its supervisor, does not hold up its mailboxes until their
    leases end. Who is in the queue already is left there: while all workers are busy for hours, every sweep of every
    worker would add the same mailboxes once more.
    """
    lanes.release_dead(runner.MACHINE, _alive)
    lanes.catch_up()
    if found := lanes.due():
        queued = _queued()
        found = [mailbox_id for mailbox_id in found if mailbox_id not in queued]
    if found:
        wake(*found)
    return len(found)


def _queued() -> set[int]:
    """Mailboxes with a wake-up that no worker has taken yet."""
    waiting = ProcrastinateJob.objects.filter(queue_name="sync", task_name=run.name, status="todo")
    return set(waiting.values_list("args__mailbox_id", flat=True))


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's, but there
    return True


lanes.wake = wake
