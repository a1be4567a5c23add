"""The daily mail needs a clock."""

from __future__ import annotations

import logging

from django.db import close_old_connections, transaction
from procrastinate.contrib.django import app

from postroom.home import digest

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="home.daily-mail", queue="housekeeping")
def daily_mail(timestamp: int) -> None:
    """Send the daily mails that are due; doubled or lost runs do no harm."""
    digest.send_due()


@app.task(name="home.asked-mail", queue="housekeeping")
def asked_mail() -> None:
    """The same, at once."""
    close_old_connections()
    digest.send_due()


def send_soon() -> None:
    """Wake a worker once this is committed; a wake-up that is lost costs a minute, as the clock looks there, too."""

    def wake() -> None:
        try:
            asked_mail.defer()
        except Exception:
            log.warning("a wake-up was lost; the next minute finds the mail", exc_info=True)

    transaction.on_commit(wake)
