"""Items that could not be taken over: set aside with the reason, counted, tried again after an upgrade (SY15)."""

import logging

from django.db import transaction

import postroom
from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.sync.models import Quarantined

log = logging.getLogger(__name__)


def put(mailbox: Mailbox, resource: str, remote_id: str, reason: str) -> None:
    """Set one item aside. Committed on its own: it must not be lost with a transaction that is rolled back."""
    log.warning("mailbox %s: one item of %s set aside: %s", mailbox.pk, resource, reason)
    with transaction.atomic():
        Quarantined.objects.update_or_create(
            mailbox=mailbox,
            resource=resource,
            remote_id=remote_id,
            defaults={"reason": reason[:400], "version": postroom.__version__, "at": now()},
        )


def retry(mailbox: Mailbox, resource: str) -> list[str]:
    """The ids to ask for again: those that an older version of Postroom could not read."""
    rows = Quarantined.objects.filter(mailbox=mailbox, resource=resource).exclude(version=postroom.__version__)
    return list(rows.values_list("remote_id", flat=True))


def release(mailbox: Mailbox, resource: str, remote_ids: list[str]) -> None:
    Quarantined.objects.filter(mailbox=mailbox, resource=resource, remote_id__in=remote_ids).delete()
