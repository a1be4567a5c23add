"""Items that could not be taken over: set aside with the reason, counted, tried again after an upgrade (SY15)."""

import logging
from collections.abc import Collection

from django.db import transaction

import postroom
from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes
from postroom.sync.models import Activity, Quarantined

log = logging.getLogger(__name__)


def put(mailbox: Mailbox, resource: str, remote_id: str, reason: str) -> None:
    """Set one item aside. Committed on its own: it must not be lost with a transaction that is rolled back."""
    log.warning("mailbox %s: one item of %s set aside: %s", mailbox.pk, resource, reason)
    with transaction.atomic():
        Quarantined.objects.update_or_create(
            mailbox=mailbox,
            resource=resource,
            remote_id=remote_id,
            defaults={"reason": reason[:400], "version": postroom.__version__, "tried_at": now()},
        )


def retry(mailbox: Mailbox, resource: str) -> list[str]:
    """The ids to ask for again: those that an older version of Postroom could not read, or a member asks for."""
    rows = Quarantined.objects.filter(mailbox=mailbox, resource=resource).exclude(version=postroom.__version__)
    return list(rows.values_list("remote_id", flat=True))


def ask_again(mailbox: Mailbox, resource: str, pks: Collection[int] | None = None) -> int:
    """Have these (``None``: all) tried again at once. Returns how many that are."""
    rows = Quarantined.objects.filter(mailbox=mailbox, resource=resource)
    count = (rows if pks is None else rows.filter(pk__in=pks)).update(version="")
    if count:
        lanes.want(mailbox.pk, Activity.LIVE)
    return count


def release(mailbox: Mailbox, resource: str, remote_ids: Collection[str]) -> None:
    """These are no longer set aside: they arrived, or are gone."""
    if remote_ids:
        Quarantined.objects.filter(mailbox=mailbox, resource=resource, remote_id__in=list(remote_ids)).delete()


def release_tried(mailbox: Mailbox, resource: str, remote_ids: Collection[str]) -> None:
    """Of those just asked for, the ones that were not set aside once more."""
    rows = Quarantined.objects.filter(mailbox=mailbox, resource=resource, remote_id__in=list(remote_ids))
    rows.exclude(version=postroom.__version__).delete()
