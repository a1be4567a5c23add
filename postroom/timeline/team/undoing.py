"""How an assignment and a snooze are put back (``mail.deeds``): only where they still are as the deed left them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from postroom.mail import deeds
from postroom.mail.models import Deed, Thread
from postroom.timeline import queries
from postroom.timeline.team import commands, snoozes
from postroom.timeline.team.models import Assignment
from postroom.workspaces.models import Membership

ASSIGNED, SNOOZED = "assigned", "snoozed"


def register() -> None:
    deeds.KEEPERS[ASSIGNED] = _assigned
    deeds.KEEPERS[SNOOZED] = _snoozed


def note(member: Membership, text: str, field: str, before: Mapping[int, Any], after: Any) -> Deed | None:
    """Remember values by conversation; None: nothing changed."""
    groups: dict[str, list[Any]] = {}
    for conversation, old in before.items():
        groups.setdefault(repr(old), [field, old, after, []])[3].append(conversation)
    return deeds.keep(member, text, list(groups.values())) if groups else None


def _assigned(member: Membership, ids: Sequence[int], old: Any, new: Any) -> int:
    mine = _readable(member, ids)
    theirs = dict(Assignment.objects.filter(conversation__in=mine).values_list("conversation", "to"))
    same = [one for one in mine if theirs.get(one) == new]
    back = Membership.objects.for_workspace(member.workspace_id).filter(pk=old).first() if old else None
    if old and back is None:  # no longer a member
        return 0
    try:
        commands.assign(same, back, by=member)
    except commands.CannotRead:
        return 0
    return len(same)


def _snoozed(member: Membership, ids: Sequence[int], old: Any, new: Any) -> int:
    mine = _readable(member, ids)
    now = snoozes.standing(mine, member)
    wanted = snoozes.Wake(*new) if new else None
    same = [one for one in mine if now.get(one) == wanted]
    snoozes.put(same, member, snoozes.Wake(*old) if old else None)
    return len(same)


def _readable(member: Membership, conversations: Collection[int]) -> list[int]:
    rows = Thread.objects.filter(conversation__in=conversations, mailbox__in=queries.visible_mailboxes(member))
    return sorted(set(rows.values_list("conversation", flat=True)))
