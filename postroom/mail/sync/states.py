"""Where each folder of a mailbox is in its listing, and when it is looked at again."""

from datetime import timedelta
from random import uniform
from typing import Any

from postroom.sync.contract import Run
from postroom.sync.models import SyncState

DAILY = timedelta(hours=24)
RESOURCE = "mail"
Phase = SyncState.Phase


def folder_states(run: Run) -> Any:
    return SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE).exclude(scope="")


def spread(period: timedelta) -> timedelta:
    return period * uniform(0.9, 1.0)  # noqa: S311  # a thousand mailboxes must not come due in one minute
