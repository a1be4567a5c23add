"""What a browser tells a member while Postroom lies in the background.

The browser asks with the mark of its last answer and gets what came since. Only who may read a thing is told of it:
notices are the member's own (``notices.of``), new mail is that of their own mailboxes and of those they share.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Max
from django.urls import reverse

from postroom.home.conversations import minded
from postroom.home.models import Desk
from postroom.inbox.accounts import Accounts
from postroom.inbox.views.told import WORDS
from postroom.lib.clock import now
from postroom.mail.models import Composition, Message, Thread
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.sync.models import OutboxEntry
from postroom.timeline.models import Notice
from postroom.timeline.team import notices
from postroom.workspaces.models import Membership

MOST = 20
FRESH = timedelta(minutes=15)  # mail pulled from long ago is no news
MAIL, FAILED = "mail", "failed"
TYPES: Mapping[str, str] = {
    MAIL: "New mail arrives in my Inbox",
    **{str(kind): str(label) for kind, label in Notice.Kind.choices},
    FAILED: "A message of mine could not be sent",
}


class Mark(NamedTuple):
    """Up to where a browser has been told: ids of a notice and of a message, and a moment in microseconds."""

    notice: int
    message: int
    moment: int

    def write(self) -> str:
        return "-".join(str(one) for one in self)


class News(NamedTuple):
    """``key`` is the same in every tab: a browser shows what has one key once."""

    key: str
    title: str
    body: str
    url: str


def read_mark(text: str) -> Mark | None:
    """What ``Mark.write`` said; None for anything else."""
    parts = text.split("-")
    if len(parts) != 3 or not all(one.isascii() and one.isdecimal() and len(one) < 17 for one in parts):
        return None
    return Mark(*(int(one) for one in parts))


def since(member: Membership, accounts: Accounts, mark: Mark | None) -> tuple[list[News], Mark]:
    """What is new, oldest first, and the mark of it; a browser without a mark starts now."""
    newest = _newest(member)
    if mark is None:
        return [], newest
    off = set(Desk.objects.filter(member=member).values_list("browser_off", flat=True).first() or ())
    found = [*_told(member, mark, off), *([] if MAIL in off else _mail(member, accounts, mark))]
    if FAILED not in off:
        found += _failed(member, mark)
    return found[:MOST], newest


def _newest(member: Membership) -> Mark:
    notice = Notice.objects.filter(member=member).aggregate(found=Max("pk"))["found"] or 0
    message = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return Mark(notice, message, int(now().timestamp() * 1_000_000))


def _told(member: Membership, mark: Mark, off: Collection[str]) -> list[News]:
    rows = notices.of(member).filter(pk__gt=mark.notice, read_at=None).exclude(kind__in=list(off))
    found = list(rows.select_related("by__user", "comment").order_by("pk")[:MOST])
    subjects = _subjects([one.conversation_id for one in found], member)
    return [_notice(one, subjects.get(one.conversation_id, "")) for one in found]


def _notice(one: Notice, subject: str) -> News:
    _, words = WORDS[Notice.Kind(one.kind)]
    who = f"{one.by.name} " if one.by else ""
    title = f"{who}{words} {subject or '(no subject)'}"
    body = one.comment.text[:160] if one.comment else ""
    return News(f"notice-{one.pk}", title, body, reverse("inbox:told-open", args=[one.pk]))


def _subjects(conversations: Sequence[int], member: Membership) -> dict[int, str]:
    if not conversations:
        return {}
    readable = mailboxes_visible_to(member).order_by().values("pk")
    rows = Thread.objects.filter(conversation__in=conversations, mailbox__in=readable).order_by("last_at")
    return dict(rows.values_list("conversation", "subject"))


def _mail(member: Membership, accounts: Accounts, mark: Mark) -> list[News]:
    """New in the Inboxes that are the member's business, unread, of somebody else; one for each conversation."""
    inboxes = [one.inbox for one in minded(member, accounts) if one.inbox is not None]
    rows = Message.objects.filter(
        folder__in=inboxes, pk__gt=mark.message, received__gt=now() - FRESH, is_read=False, is_draft=False
    ).exclude(kind=Message.Kind.BULK)
    told: dict[int, News] = {}
    for one in rows.select_related("thread").order_by("received")[:MOST]:
        if one.from_address.lower() not in accounts.mine:
            url = reverse("inbox:thread", args=[one.thread_id])
            who = one.from_name or one.from_address or "Somebody"
            told[one.thread.conversation_id] = News(f"message-{one.pk}", who, one.subject or "(no subject)", url)
    return list(told.values())


def _failed(member: Membership, mark: Mark) -> list[News]:
    moment = datetime.fromtimestamp(mark.moment / 1_000_000, UTC)
    entries = OutboxEntry.objects.filter(
        member_id=member.pk, kind=OutboxEntry.Kind.SEND, state=OutboxEntry.State.FAILED, done_at__gt=moment
    )
    keys = {key.partition(":")[2]: pk for pk, key in entries.order_by("-pk").values_list("pk", "subject_key")[:MOST]}
    rows = Composition.objects.filter(pk__in=[one for one in keys if one.isdecimal()], author=member)
    return [
        News(f"send-{keys[str(pk)]}", "Not sent", subject or "(no subject)", reverse("inbox:outbox"))
        for pk, subject in rows.values_list("pk", "subject")
    ]
