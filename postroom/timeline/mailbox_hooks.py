"""What the card of a mailbox shows of links (``settings.MAILBOX_HOOKS``)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.core.cache import cache
from django.db import connection
from django.db.models import Exists, OuterRef

from postroom.mail.models import Composition, Thread
from postroom.mailboxes.hooks import Card, Held, Seen
from postroom.mailboxes.models import Mailbox
from postroom.records import commands as records
from postroom.records.people import commands as people
from postroom.records.record import POINTERS
from postroom.timeline import links, queries, sql
from postroom.timeline.models import Comment, Link
from postroom.workspaces.models import Membership

FRESH = 60  # seconds a count is good for: the card is asked for every few, and counting a large mailbox takes a while


def cards(mailboxes: Sequence[Mailbox]) -> dict[int, Card]:
    """How many of each mailbox's threads belong to a record."""
    keys = {one.pk: f"timeline.linked.{one.pk}" for one in mailboxes}
    known = cache.get_many(keys.values())
    if missing := [pk for pk, key in keys.items() if key not in known]:
        counted = count_linked(missing)
        new = {keys[pk]: counted.get(pk, 0) for pk in missing}
        cache.set_many(new, FRESH)
        known |= new
    return {pk: {"linked": known[key]} for pk, key in keys.items()}


def holds(mailbox: Mailbox) -> list[Held]:
    """Links of conversations that no other mailbox has: with its last mail a conversation goes, and they with it."""
    here = Thread.objects.filter(mailbox=mailbox).values("conversation")
    elsewhere = Thread.objects.filter(conversation=OuterRef("conversation")).exclude(mailbox=mailbox)
    lost = Link.objects.filter(conversation__in=here, removed_at=None).exclude(Exists(elsewhere))
    said = Comment.objects.filter(conversation__in=here, deleted_at=None)
    alone = said.exclude(Exists(elsewhere))
    return [
        Held("links to records", lost.count(), "lost for good"),
        Held("comments of colleagues", alone.count(), "lost for good"),
    ]


def matched(mailboxes: Sequence[Mailbox], conversations: Collection[int]) -> dict[int, list[str]]:
    """The records conversations are linked to, and those a member untied them from."""
    links = Link.objects.filter(workspace__in={one.workspace_id for one in mailboxes}, conversation__in=conversations)
    told: dict[int, list[str]] = {}
    for link in links.select_related("by__user", *POINTERS).order_by("pk"):
        told.setdefault(link.conversation_id, []).append(_matched(link))
    return told


def _matched(link: Link) -> str:
    if link.removed_at is not None:
        who = link.by.name if link.by else "somebody"
        return f"Unlinked from {link.record} by {who} on {link.removed_at:%-d %B %Y}."
    how = "by address" if link.how == Link.How.AUTO else f"by {link.by.name}" if link.by else "by hand"
    return f"On {link.record}, linked {how}."


TEST_CONTACT = "Connection test"


def test_look(mailbox: Mailbox, member: Membership, message: int, since: datetime) -> dict[str, Seen]:
    """Tie the test's mail, once it is here, to a contact made for it, and look for it among that contact's threads.

    A mailbox's own address is never linked by itself (``rules.decide``), so the test links as a member would.
    """
    sent = Composition.objects.select_related("sent_message__thread").filter(pk=message).first()
    if sent is None or sent.sent_message is None:
        return {}
    conversation = sent.sent_message.thread.conversation
    link = Link.objects.filter(conversation=conversation, person__name=TEST_CONTACT).select_related("person").first()
    if link is None:
        person = people.create(member.workspace, by=member, last_name=TEST_CONTACT)
        links.link(conversation, person, by=member)
    else:
        assert link.person is not None
        person = link.person
    if any(line.conversation == conversation.pk for line in queries.threads(person, member).items):
        return {"linked": Seen(detail="On a contact made for the test, which goes again.")}
    return {}


def test_clean(mailbox: Mailbox, member: Membership, message: int) -> None:
    """The contact made for the test goes."""
    sent = Composition.objects.select_related("sent_message__thread").filter(pk=message).first()
    if sent is not None and sent.sent_message is not None:
        tied = Link.objects.filter(conversation=sent.sent_message.thread.conversation, person__name=TEST_CONTACT)
        for link in tied.select_related("person"):
            records.delete(link.record)


def count_linked(mailbox_ids: Sequence[int]) -> dict[int, int]:
    """The same, counted now; those that have none are left out."""
    with connection.cursor() as cursor:
        cursor.execute(sql.COUNT_LINKED, {"mailboxes": list(mailbox_ids)})
        return dict(cursor.fetchall())
