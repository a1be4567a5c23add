"""Linking and unlinking by hand. What a member did stays: matching leaves it alone (product.md CR3)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max

from postroom.lib.clock import now
from postroom.mail.models import Conversation, Thread
from postroom.records.record import Record, about
from postroom.timeline.models import Link, Reach
from postroom.timeline.sharing import commands as sharing
from postroom.timeline.sharing import only_records
from postroom.workspaces.models import Membership


@transaction.atomic
def link(conversation: Conversation, record: Record, *, by: Membership) -> Link:
    """Tie a conversation to a record by hand."""
    return _decided(conversation, record, by=by, removed=False)


@transaction.atomic
def unlink(conversation: Conversation, record: Record, *, by: Membership) -> Link:
    """Untie a conversation from a record, for good: its mail is not shown there by address either."""
    return _decided(conversation, record, by=by, removed=True)


def on_merged(*, gone: Record, kept: Record, **_: object) -> None:
    """The conversations of a record that turned out to be another go to that one (``records.signals.merged``).

    Where both have a link, what a member did by hand wins over what was matched.
    """
    old, new = Link.objects.filter(**about(gone)), Link.objects.filter(**about(kept))
    matched = new.filter(how=Link.How.AUTO, conversation__in=old.filter(how=Link.How.MANUAL).values("conversation"))
    matched.delete()
    old.filter(conversation__in=new.values("conversation")).delete()
    old.update(**about(kept))
    Reach.objects.filter(**about(gone)).delete()


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
    sharing.announce(record.workspace_id, conversation.pk)
    if not removed:
        only_records.look_again(record.workspace_id, [conversation.pk])
    return made
