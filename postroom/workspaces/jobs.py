"""The daily purge (product.md MA4)."""

from django.db import close_old_connections
from procrastinate.contrib.django import app

from postroom.lib import process
from postroom.workspaces import purging


@app.periodic(cron="17 * * * *")
@app.task(name="workspaces.purge", queue="housekeeping")
def purge(timestamp: int) -> None:
    """Purge what is due; looked at every hour, so that a day's outage or a killed worker costs no day."""
    close_old_connections()
    purging.run_due(stopping=process.stopping)
