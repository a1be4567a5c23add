"""What happens to workspaces, named as people would say it."""

from __future__ import annotations

from django.db import transaction
from django.utils.text import slugify

from postroom.accounts.models import User
from postroom.workspaces.models import FIRST_ROLES, Membership, Purge, Role, Workspace


@transaction.atomic
def create_workspace(name: str, *, slug: str = "") -> Workspace:
    """A workspace with its first roles. Raises IntegrityError when the slug is taken."""
    workspace = Workspace.objects.create(name=name, slug=slug or slugify(name)[:60] or "workspace")
    Role.objects.bulk_create(
        Role(workspace=workspace, name=role, permissions=permissions) for role, permissions in FIRST_ROLES.items()
    )
    return workspace


@transaction.atomic
def add_member(workspace: Workspace, user: User, *, role: str = "Member") -> Membership:
    """Make the user a member (or give them this role); `role` is the name of one of the workspace's roles.

    One who was removed and is not purged yet is a member again.
    """
    wanted = Role.objects.get(workspace=workspace, name=role)
    call_off_purge(workspace, user)
    values = {"role": wanted, "removed_at": None}
    membership, _ = Membership.objects.update_or_create(workspace=workspace, user=user, defaults=values)
    return membership


def call_off_purge(workspace: Workspace, user: User) -> None:
    """Somebody who was removed comes back: their account opens again, and nothing of theirs is deleted later."""
    removed = Membership.objects.filter(workspace=workspace, user=user, removed_at__isnull=False)
    if removed.exists():
        Purge.objects.filter(membership__in=removed, started_at=None).delete()
        user.is_active = True
        user.save(update_fields=["is_active"])
