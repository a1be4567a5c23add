"""What a member is told: mentioned, assigned, a comment on what they follow, a snooze that ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail.models import Thread
from postroom.mailboxes.access import mailboxes_visible_to
from postroom.timeline.team.models import Notice, Wishes
from postroom.workspaces.models import Membership

TOPIC = "told"
"""The live topic of one member: {"new": 1}, they have been told something, or {"read": 1}, they have read it."""

Kind = Notice.Kind
KEPT = 200  # notices a screen shows
FORGOTTEN_AFTER = timedelta(days=90)


class News(NamedTuple):
    """Something to tell. ``comment``: the one it is about."""

    member: int
    kind: Notice.Kind
    conversation: int
    comment: int | None = None


def tell(workspace_id: int, news: Iterable[News], *, by: Membership | None = None) -> None:
    """Write it down for those who want to know it, and tell their screens; nobody is told what they did themselves."""
    wanted = [one for one in news if by is None or one.member != by.pk]
    members = {one.member for one in wanted}
    if not members:
        return
    off = dict(Wishes.objects.filter(member__in=members).values_list("member", "off"))
    rows = [
        Notice(
            workspace_id=workspace_id, member_id=one.member, kind=one.kind,
            conversation_id=one.conversation, comment_id=one.comment, by=by,
        )
        for one in wanted if one.kind not in off.get(one.member, ())
    ]  # fmt: skip
    Notice.objects.bulk_create(rows)
    if rows:
        publish(workspace_id, TOPIC, {"new": 1}, members={one.member_id for one in rows})


def of(member: Membership) -> QuerySet[Notice]:
    """Those of a member, of conversations they may (still) read."""
    threads = Thread.objects.filter(
        conversation=OuterRef("conversation"), mailbox__in=mailboxes_visible_to(member).order_by().values("pk")
    )
    return Notice.objects.filter(Exists(threads), member=member).exclude(comment__deleted_at__isnull=False)


def newest(member: Membership, *, limit: int = KEPT) -> list[Notice]:
    rows = of(member).select_related("by__user", "comment")
    return list(rows.order_by("-at", "-pk")[:limit])


def unread_count(member: Membership) -> int:
    return of(member).filter(read_at=None).count()


def unread(member: Membership) -> Subquery:
    """How much of it is unread, as part of another query; no number when nothing is."""
    rows = of(member).filter(read_at=None).order_by().values("member")
    return Subquery(rows.annotate(number=Count("pk")).values("number"))


def read(member: Membership, *, conversation: int | None = None) -> None:
    """They have seen it: all of it, or what concerns one conversation."""
    rows = Notice.objects.filter(member=member, read_at=None)
    if conversation is not None:
        rows = rows.filter(conversation=conversation)
    if rows.update(read_at=now()):
        publish(member.workspace_id, TOPIC, {"read": 1}, members=[member.pk])


def forget_old() -> int:
    """Nobody looks for what was told a quarter of a year ago."""
    return Notice.objects.filter(at__lt=now() - FORGOTTEN_AFTER).delete()[0]


def off(member: Membership) -> Sequence[str]:
    """The kinds they do not want."""
    row = Wishes.objects.filter(member=member).first()
    return row.off if row else []


def wish(member: Membership, on: Collection[str]) -> None:
    """Only these kinds from now on."""
    unwanted = [kind for kind in Kind.values if kind not in on]
    Wishes.objects.update_or_create(
        member=member, defaults={"off": unwanted}, create_defaults={"off": unwanted, "workspace": member.workspace}
    )
