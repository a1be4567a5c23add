"""What the card of a mailbox shows of links (``settings.MAILBOX_HOOKS``)."""

from __future__ import annotations

from django.core.cache import cache
from django.db import connection

from postroom.mailboxes.hooks import Card
from postroom.mailboxes.models import Mailbox
from postroom.timeline import sql

FRESH = 60  # seconds a count is good for: the card is asked for every few, and counting a large mailbox takes a while


def card(mailbox: Mailbox) -> Card:
    """How many of the mailbox's threads belong to a record."""
    return {"linked": cache.get_or_set(f"timeline.linked.{mailbox.pk}", lambda: count_linked(mailbox), FRESH) or 0}


def count_linked(mailbox: Mailbox) -> int:
    """The same, counted now."""
    with connection.cursor() as cursor:
        cursor.execute(sql.COUNT_LINKED, {"mailbox": mailbox.pk})
        row = cursor.fetchone()
    return int(row[0]) if row else 0
