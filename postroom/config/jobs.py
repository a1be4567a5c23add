"""Housekeeping of the installation: recurring, short, harmless when it runs twice or not at all.

A periodic job has a second use: without one, Procrastinate's worker does not notice when its listening connection dies.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.management import call_command
from django.db import connection
from procrastinate.contrib.django import app

from postroom.accounts import limits, signing_in
from postroom.audit import log as access_log
from postroom.files import storage
from postroom.lib.clock import now
from postroom.records.imports import commands as imports

KEEP_FINISHED_HOURS = 24 * 7

# Wake-ups whose worker was killed stay "doing" for ever; nothing waits for them (design.md section 3a).
_FORGET_ORPHANS = """
delete from procrastinate_jobs j where j.status = 'doing' and not exists (
    select 1 from procrastinate_workers w where w.id = j.worker_id and w.last_heartbeat > now() - interval '5 minutes'
)
"""


@app.periodic(cron="*/10 * * * *")
@app.task(name="config.housekeeping", queue="housekeeping")
def housekeeping(timestamp: int) -> None:
    """Forget finished jobs, jobs of workers that died, ended sessions, old counters and readings, uploaded tables."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_ORPHANS)
        cursor.execute(
            "delete from procrastinate_jobs where status in ('failed', 'succeeded', 'aborted', 'cancelled') and id in "
            "(select job_id from procrastinate_events where at < now() - make_interval(hours => %s))",
            [KEEP_FINISHED_HOURS],
        )
    limits.purge(timedelta(days=1))
    access_log.prune()
    signing_in.purge()
    call_command("clearsessions")
    storage.drop_unused(older_than=timedelta(hours=1))
    imports.forget_old(now())
