"""What working together needs from the clock, every minute: snoozes end, what was deleted goes for good."""

from __future__ import annotations

from procrastinate.contrib.django import app

from postroom.timeline.team import commands, notices, snoozes


@app.periodic(cron="* * * * *")
@app.task(name="timeline.wake-snoozed", queue="housekeeping")
def wake_snoozed(timestamp: int) -> None:
    """Tell members of the snoozes that have ended; doubled or lost runs do no harm."""
    snoozes.wake_due()
    commands.forget_deleted()
    commands.forget_absent()
    notices.forget_old()
