"""The first steps of a newcomer. They tick themselves off from what the member has really done, and stop nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.urls import reverse

from postroom.home.models import Desk
from postroom.inbox.accounts import Accounts
from postroom.lib import clock
from postroom.mailboxes.models import Mailbox
from postroom.workspaces.models import Membership, Permission

if TYPE_CHECKING:
    from postroom.home.work import Work

NEW_FOR = timedelta(days=30)  # so long somebody is a newcomer
PALETTE = "palette"  # leaves no row of its own: the browser says when it was done


class Step(NamedTuple):
    """``href``: where it is done; empty, and it is a press of the button that opens the palette."""

    key: str
    label: str
    how: str
    href: str
    done: bool


@dataclass(frozen=True)
class Steps:
    """``shown``: whether this member sees them now."""

    steps: Sequence[Step] = ()
    shown: bool = False

    @property
    def done(self) -> int:
        return sum(one.done for one in self.steps)

    @property
    def is_over(self) -> bool:
        return self.done == len(self.steps)

    @property
    def next(self) -> str:
        """The key of the first that is not done."""
        return next((one.key for one in self.steps if not one.done), "")


def of(member: Membership, accounts: Accounts, done: Work) -> Steps:
    """What the member has done, and whether it is worth showing."""
    own = [one for one in accounts.readable if one.mailbox.owner_id == member.pk]
    connected = any(one.mailbox.state != Mailbox.State.DISCONNECTED for one in own)
    inbox = reverse("inbox:list")
    may_connect = member.may(Permission.CONNECT_MAILBOX)
    steps = (
        *(
            [Step("connect", "Connect your mailbox", "Your mail appears here within seconds.",
                  reverse("mailboxes:list"), connected)]
            if may_connect or connected else []
        ),
        Step("read", "Open a conversation", "J and K walk through the Inbox, Enter opens.", inbox, done.steps["read"]),
        Step("reply", "Answer somebody", "R in a conversation; it goes out through Outlook.", inbox,
             done.steps["reply"]),
        Step("link", "Link a conversation to a record", "Press + Link above it; every mail of it is then there.",
             inbox, done.steps["link"]),
        Step(PALETTE, "Jump anywhere", "Ctrl K, then type a few letters of where you want to go.", "",
             PALETTE in done.desk.get("tried", ())),
    )  # fmt: skip
    return Steps(steps, _shown(member, done.desk.get("steps", ""), all(one.done for one in steps)))


def _shown(member: Membership, state: str, over: bool) -> bool:
    if state == Desk.Steps.FIRST_WEEKS:
        return not over and clock.now() - member.created_at < NEW_FOR
    return state == Desk.Steps.OPEN


def show(member: Membership, shown: bool) -> None:
    """Put them away, or bring them back."""
    state = Desk.Steps.OPEN if shown else Desk.Steps.CLOSED
    _desk(member, steps=state)


def tried(member: Membership, key: str) -> None:
    """Note a step only the browser sees."""
    known = Desk.objects.filter(member=member).values_list("tried", flat=True).first() or []
    if key not in known:
        _desk(member, tried=[*known, key])


def _desk(member: Membership, **values: object) -> None:
    Desk.objects.update_or_create(
        member=member, defaults=values, create_defaults={**values, "workspace": member.workspace}
    )
