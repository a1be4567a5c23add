"""A mailbox that two members may read and a third may not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postroom.accounts.models import User
from postroom.mail.models import Message, Thread
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.sync import push
from postroom.workspaces.models import Membership

__all__ = ["box", "connect", "mailbox", "member", "settle"]

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def colleague_of(member: Membership) -> Callable[..., Membership]:
    """Another member of the workspace, by name."""

    def joined(name: str) -> Membership:
        user = User.objects.create_user(
            email=f"{name.split()[0].lower()}@northwind.example", password="long-enough-word", name=name
        )
        return Membership.objects.create(workspace=member.workspace, user=user, role=member.role)

    return joined


@pytest.fixture
def ben(colleague_of: Callable[..., Membership], mailbox: Mailbox) -> Membership:
    """Reads the mailbox with its owner."""
    ben = colleague_of("Ben Okafor")
    mailbox.visibility = Mailbox.Visibility.MEMBERS
    mailbox.save()
    mailbox.members.add(ben)
    return ben


@pytest.fixture
def zoe(colleague_of: Callable[..., Membership]) -> Membership:
    """Does not."""
    return colleague_of("Zoe Lind")


@pytest.fixture
def deliver(box: Box, mailbox: Mailbox, settle: Callable[[Mailbox], int]) -> Callable[..., Thread]:
    """A mail arrives and is synced; its thread. ``minutes`` after the first."""

    def delivered(subject: str, *, minutes: int = 0, **fields: Any) -> Thread:
        box.deliver(**{"subject": subject, "received": START + timedelta(minutes=minutes), **fields})
        for body in box.notifications():
            push.take(connector("memory").notified(body))
        settle(mailbox)
        return Message.objects.filter(subject=subject).order_by("-pk")[0].thread

    return delivered
