"""Where each folder of a mailbox is in its listing, and when it is looked at again."""

from typing import Any

from postroom.sync.contract import Run
from postroom.sync.models import SyncState

RESOURCE = "mail"
Phase = SyncState.Phase


def folder_states(run: Run) -> Any:
    return SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE).exclude(scope="")
