"""Linking and unlinking by hand. What a member did stays: matching leaves it alone (product.md CR3)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail.models import Conversation, Thread
from postroom.records.record import Record, about
from postroom.timeline.models import Link
from postroom.workspaces.models import Membership

TOPIC = "links"
"""The live topic: {"conversation": id, "record": key, "id": id}."""


@transaction.atomic
def link(conversation: Conversation, record: Record, *, by: Membership) -> Link:
    """Tie a conversation to a record by hand."""
    return _decided(conversation, record, by=by, removed=False)


@transaction.atomic
def unlink(conversation: Conversation, record: Record, *, by: Membership) -> Link:
    """Untie a conversation from a record, for good: its mail is not shown there by address either."""
    return _decided(conversation, record, by=by, removed=True)


def _decided(conversation: Conversation, record: Record, *, by: Membership, removed: bool) -> Link:
    moment = now()
    newest = Thread.objects.filter(conversation=conversation).aggregate(at=Max("last_at"))["at"]
    made, _ = Link.objects.update_or_create(
        workspace_id=record.workspace_id,
        conversation=conversation,
        **about(record),
        defaults={
            "how": Link.How.MANUAL,
            "by": by,
            "removed_at": moment if removed else None,
            "changed_at": moment,
        },
        create_defaults={
            "how": Link.How.MANUAL,
            "by": by,
            "removed_at": moment if removed else None,
            "last_at": newest or conversation.created_at,
        },
    )
    publish(record.workspace_id, TOPIC, {"conversation": conversation.pk, "record": record.key, "id": record.pk})
    return made
