"""What the card of a mailbox shows of links (``settings.MAILBOX_HOOKS``)."""

from __future__ import annotations

from django.core.cache import cache
from django.db import connection
from django.db.models import Exists, OuterRef

from postroom.mail.models import Thread
from postroom.mailboxes.hooks import Card, Held
from postroom.mailboxes.models import Mailbox
from postroom.timeline import sql
from postroom.timeline.models import Link

FRESH = 60  # seconds a count is good for: the card is asked for every few, and counting a large mailbox takes a while


def card(mailbox: Mailbox) -> Card:
    """How many of the mailbox's threads belong to a record."""
    return {"linked": cache.get_or_set(f"timeline.linked.{mailbox.pk}", lambda: count_linked(mailbox), FRESH) or 0}


def holds(mailbox: Mailbox) -> list[Held]:
    """Links of conversations that no other mailbox has: with its last mail a conversation goes, and they with it."""
    here = Thread.objects.filter(mailbox=mailbox).values("conversation")
    elsewhere = Thread.objects.filter(conversation=OuterRef("conversation")).exclude(mailbox=mailbox)
    lost = Link.objects.filter(conversation__in=here, removed_at=None).exclude(Exists(elsewhere))
    return [Held("links to records", lost.count(), "lost for good")]


def matched(mailbox: Mailbox, conversation: int) -> list[str]:
    """The records a conversation is linked to, and those a member untied it from."""
    links = Link.objects.filter(workspace=mailbox.workspace_id, conversation=conversation).select_related("by__user")
    return [_matched(link) for link in links.order_by("pk")]


def _matched(link: Link) -> str:
    if link.removed_at is not None:
        who = link.by.name if link.by else "somebody"
        return f"Unlinked from {link.record} by {who} on {link.removed_at:%-d %B %Y}."
    how = "by address" if link.how == Link.How.AUTO else f"by {link.by.name}" if link.by else "by hand"
    return f"On {link.record}, linked {how}."


def count_linked(mailbox: Mailbox) -> int:
    """The same, counted now."""
    with connection.cursor() as cursor:
        cursor.execute(sql.COUNT_LINKED, {"mailbox": mailbox.pk})
        row = cursor.fetchone()
    return int(row[0]) if row else 0
