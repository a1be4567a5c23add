"""Which folders of a mailbox are synced (product.md SY2, research I8).

Switched off, a folder leaves the folder list and its mail is not looked at any more; what is here already stays, in
conversations, on records and in search, as it was when the folder was switched off. Switched on again, it has a listing
of its own: what came is pulled, what went is asked about, and links are where they were. Inbox, Sent Items and Drafts
cannot be switched off: mail that arrives or is written here lives there.
"""

from django.db import transaction
from django.db.models import Max

from postroom.lib.clock import now
from postroom.mail.checks import FolderCheck, Sighting
from postroom.mail.events import announce
from postroom.mail.models import Folder, Known, Message
from postroom.mail.store import locks
from postroom.providers.contract import FolderRole
from postroom.sync import lanes
from postroom.sync.models import Activity, SyncState

ALWAYS = frozenset({FolderRole.ROOT, FolderRole.INBOX, FolderRole.SENT, FolderRole.DRAFTS})
_RESOURCE = "mail"


class NotSwitchable(Exception):
    """This folder is always synced."""


def may_switch(folder: Folder) -> bool:
    return folder.role not in ALWAYS


@transaction.atomic
def switch(folder: Folder, *, on: bool) -> None:
    """Sync a folder from now on, or no more. Raises ``NotSwitchable``; the state it has already changes nothing."""
    if not may_switch(folder):
        raise NotSwitchable(folder.name)
    if on:  # lanes first: the engine too locks its lane before mail
        for activity in (Activity.LIVE, Activity.BACKFILL):
            lanes.want(folder.mailbox_id, activity)
    locks.enter(folder.mailbox)
    if not Folder.objects.filter(pk=folder.pk, synced=not on).update(synced=on):
        return
    folder.synced = on
    (_begin if on else _end)(folder)
    announce(folder.mailbox)


def _end(folder: Folder) -> None:
    SyncState.objects.filter(mailbox=folder.mailbox, resource=_RESOURCE, scope=folder.remote_id).delete()
    Sighting.objects.filter(folder=folder).delete()
    FolderCheck.objects.filter(folder=folder).delete()


def _begin(folder: Folder) -> None:
    """A first listing; where rows stayed from before, one that asks at its end about those it did not name."""
    last = [
        rows.filter(folder=folder).aggregate(last=Max("round"))["last"] for rows in (Message.objects, Known.objects)
    ]
    rounds = [one for one in last if one is not None]
    SyncState.objects.update_or_create(
        mailbox=folder.mailbox,
        resource=_RESOURCE,
        scope=folder.remote_id,
        defaults={
            "phase": SyncState.Phase.RELISTING if rounds else SyncState.Phase.NEW,
            "round": max(rounds, default=-1) + 1,
            "cursor": "",
            "due_at": now() if rounds else None,
        },
    )
