"""A workspace with two members and mail in their mailboxes, read through pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

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
def page(member: Membership) -> Client:
    """A browser of the member."""
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def colleague(member: Membership) -> Client:
    """Another member of the same workspace, who sees nothing of the first one's mailbox."""
    user = User.objects.create_user(email="ben@northwind.example", password="long-enough-word")
    Membership.objects.create(workspace=member.workspace, user=user, role=member.role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def deliver(box: Box, mailbox: Mailbox, settle: Callable[[Mailbox], int]) -> Callable[..., Thread]:
    """A mail arrives and is synced; its thread. `minutes` after the first."""

    def delivered(subject: str, *, minutes: int = 0, **fields: Any) -> Thread:
        box.deliver(**{"subject": subject, "received": START + timedelta(minutes=minutes), **fields})
        for body in box.notifications():
            push.take(connector("memory").notified(body))
        settle(mailbox)
        return Message.objects.filter(subject=subject).order_by("-pk")[0].thread

    return delivered
