"""A mailbox with lanes, without a provider behind it."""

import pytest

from postroom.accounts.models import User
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes
from postroom.workspaces.models import FIRST_ROLES, Membership, Role, Workspace


@pytest.fixture
def member() -> Membership:
    workspace = Workspace.objects.create(name="Northwind", slug="northwind")
    role = Role.objects.create(workspace=workspace, name="Admin", permissions=FIRST_ROLES["Admin"])
    user = User.objects.create_user(email="adele@northwind.example", password="long-enough-word")
    return Membership.objects.create(workspace=workspace, user=user, role=role)


@pytest.fixture
def mailbox(member: Membership) -> Mailbox:
    box = Mailbox.objects.create(
        workspace=member.workspace, owner=member, provider="memory", address="adele@northwind.example", state="live"
    )
    lanes.ensure(box.pk)
    return box
