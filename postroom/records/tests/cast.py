"""Alice and Bob work at Northwind, Carol next door at Woodgrove."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from postroom.accounts.models import User
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership, Workspace


def member(workspace: Workspace, name: str, role: str = "Admin") -> Membership:
    user = User.objects.create_user(f"{name.lower()}@{workspace.slug}.example", name)
    return add_member(workspace, user, role=role)


@pytest.fixture
def northwind(db: None) -> Workspace:
    return create_workspace("Northwind")


@pytest.fixture
def alice(northwind: Workspace) -> Membership:
    return member(northwind, "Alice")


@pytest.fixture
def bob(northwind: Workspace) -> Membership:
    return member(northwind, "Bob", "Member")


@pytest.fixture
def carol(db: None) -> Membership:
    return member(create_workspace("Woodgrove"), "Carol")


@pytest.fixture
def as_(client: Client) -> Callable[[Membership], Client]:
    def sign_in(who: Membership) -> Client:
        client.force_login(who.user)
        return client

    return sign_in
