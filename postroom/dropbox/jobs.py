"""What the drop box leaves to the workers: filing what was taken, and forgetting what is settled."""

from __future__ import annotations

import logging

from django.db import close_old_connections, transaction
from procrastinate.contrib.django import app

log = logging.getLogger(__name__)


@app.task(name="dropbox.file", queue="housekeeping")
def file(dropped_id: int) -> None:
    """File one mail. What does not work now is due again by its own row."""
    from postroom.dropbox import filing

    close_old_connections()
    filing.take(dropped_id)


@app.periodic(cron="* * * * *")
@app.task(name="dropbox.file-due", queue="housekeeping")
def file_due(timestamp: int) -> None:
    """What a lost wake-up, a killed worker or trouble left lying; doubled or lost runs do no harm."""
    from postroom.dropbox import filing

    for pk in filing.due():
        filing.take(pk)
    filing.forget_old()


def soon(dropped_id: int) -> None:
    """Wake a worker once this is committed; a wake-up that is lost costs a minute."""

    def wake() -> None:
        try:
            file.defer(dropped_id=dropped_id)
        except Exception:
            log.warning("a wake-up was lost; the next minute finds the mail", exc_info=True)

    transaction.on_commit(wake)
