"""Deleting what a disconnected mailbox left, in the background. The rows say what is to be done (``departure``)."""

import logging

from django.db import close_old_connections
from procrastinate.contrib.django import app

from postroom.lib import process
from postroom.mailboxes import departure

log = logging.getLogger(__name__)


@app.task(name="mailboxes.depart", queue="housekeeping")
def depart(mailbox_id: int) -> None:
    """Go on with a deletion until it is complete."""
    close_old_connections()
    departure.finish(mailbox_id, stopping=process.stopping)


@app.periodic(cron="* * * * *")
@app.task(name="mailboxes.resume-departures", queue="housekeeping")
def resume_departures(timestamp: int) -> None:
    """What a killed worker left half done goes on."""
    departure.resume()


def wake(mailbox_id: int) -> None:
    try:
        depart.defer(mailbox_id=mailbox_id)
    except Exception:
        log.warning("a wake-up was lost; the next minute finds mailbox %s", mailbox_id, exc_info=True)


departure.wake = wake
