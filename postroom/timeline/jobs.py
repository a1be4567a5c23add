"""What working together and privacy need from the clock: snoozes end, what was deleted goes for good, and by night
what touches no record any more becomes a number where only mail of records is kept."""

from __future__ import annotations

import logging

from django.db import close_old_connections
from procrastinate.contrib.django import app

from postroom.lib import process
from postroom.timeline.sharing import only_records
from postroom.timeline.team import commands, notices, snoozes

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="timeline.wake-snoozed", queue="housekeeping")
def wake_snoozed(timestamp: int) -> None:
    """Tell members of the snoozes that have ended; doubled or lost runs do no harm."""
    snoozes.wake_due()
    commands.forget_deleted()
    commands.forget_absent()
    notices.forget_old()


@app.periodic(cron="37 2 * * *")
@app.task(name="timeline.only-records-rounds", queue="housekeeping")
def only_records_rounds(timestamp: int) -> None:
    """By night, for every workspace that has something to do with it."""
    close_old_connections()
    for workspace_id in only_records.workspaces():
        only_records.round_of(workspace_id, stopping=process.stopping)


@app.task(name="timeline.only-records-round", queue="housekeeping")
def only_records_round(workspace_id: int) -> None:
    """Somebody just decided. What a killed worker leaves half done, the night finishes."""
    close_old_connections()
    only_records.round_of(workspace_id, stopping=process.stopping)


def wake_only_records(workspace_id: int) -> None:
    """Begin a round, soon."""
    try:
        only_records_round.defer(workspace_id=workspace_id)
    except Exception:
        log.warning("a wake-up was lost; the night finds workspace %s", workspace_id, exc_info=True)
