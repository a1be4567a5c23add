"""Who may read a conversation: whoever may read a mailbox in which a thread of it lies (``mailboxes.access``)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from postroom.lib.live import publish
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.models import Membership

TOPIC = "team"
"""The live topic: {"conversation": [ids]}: assignment, comments, snooze or presence of these changed."""

Audience = frozenset[int] | None
"""Membership ids; None: everybody in the workspace."""


def audiences(conversations: Collection[int]) -> Mapping[int, Audience]:
    """Who may read each of these. One query, however many there are."""
    named = Mailbox.members.through.objects.filter(mailbox=OuterRef("pk")).values("membership")
    mailboxes = Mailbox.objects.filter(threads__conversation__in=conversations, departure=None, owner__removed_at=None)
    rows = mailboxes.annotate(named=ArraySubquery(named)).order_by().distinct()
    found: dict[int, Audience] = {one: frozenset() for one in conversations}
    told = rows.values_list("threads__conversation", "visibility", "owner", "named")
    for conversation, visibility, owner, members in cast(Any, told):
        more, known = _of(visibility, owner, members), found[conversation]
        found[conversation] = None if more is None or known is None else known | more
    return found


def _of(visibility: str, owner: int, named: Collection[int]) -> Audience:
    if visibility == Mailbox.Visibility.WORKSPACE:
        return None
    return frozenset([owner, *(named if visibility == Mailbox.Visibility.MEMBERS else ())])


def sort_out(workspace_id: int, conversation: int) -> tuple[list[Membership], list[Membership]]:
    """The members of a workspace: those who may read a conversation, and those who may not; each by name."""
    audience = audiences([conversation])[conversation]
    everybody = Membership.objects.for_workspace(workspace_id).filter(user__is_active=True).select_related("user")
    members = sorted(everybody, key=lambda one: one.name.casefold())
    readers = [one for one in members if audience is None or one.pk in audience]
    return readers, [one for one in members if one not in readers]


def announce(workspace_id: int, conversations: Iterable[int], *, topic: str = TOPIC) -> None:
    """Tell the screens of those who may read each of these, on commit; nobody else learns even the number."""
    groups: dict[Audience, list[int]] = {}
    for conversation, audience in audiences(list(conversations)).items():
        groups.setdefault(audience, []).append(conversation)
    for audience, some in groups.items():
        for start in range(0, len(some), 200):
            publish(workspace_id, topic, {"conversation": sorted(some[start : start + 200])}, members=audience)
