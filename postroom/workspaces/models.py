"""Workspace, role, membership, and the base of everything a workspace owns.

Access is the query itself: objects are reached through `Model.objects.for_workspace(request.workspace)`, so what
belongs to another workspace does not exist (404), and no view has to remember a check.
"""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.http import Http404

from postroom.lib.clock import now


class Permission(models.TextChoices):
    """What a role may allow. Everything else a member may do."""

    MANAGE_WORKSPACE = "manage_workspace", "Manage the workspace, its members and roles"
    CONNECT_MAILBOX = "connect_mailbox", "Connect a mailbox"
    EXPORT = "export", "Export mail and records"
    DELETE_RECORDS = "delete_records", "Delete records"


class Workspace(models.Model):
    """The tenant boundary."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(default=now)
    deleted_at = models.DateTimeField(null=True)  # set: nobody gets in any more; the purge follows (MA4)
    second_factor_required = models.BooleanField(default=False)  # of who signs in with a password (CN4)

    def __str__(self) -> str:
        return self.name


Owned = TypeVar("Owned", bound=models.Model, covariant=True)


class WorkspaceQuerySet(models.QuerySet[Owned]):
    """Narrowing to one workspace, and a look-up that answers 404."""

    def for_workspace(self, workspace: Workspace | int) -> Self:
        return self.filter(workspace=workspace)

    def find(self, **lookup: Any) -> Owned:
        """The one object, or Http404 (also for ids that are none)."""
        try:
            return self.get(**lookup)
        except (ObjectDoesNotExist, ValueError, OverflowError):
            raise Http404(f"No such {self.model._meta.verbose_name}") from None


class WorkspaceOwned(models.Model):
    """Base of models that belong to one workspace.

    Use: `Company.objects.for_workspace(request.workspace).find(pk=pk)`.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        abstract = True


class Role(WorkspaceOwned):
    """A named set of permissions."""

    name = models.CharField(max_length=60)
    permissions = models.JSONField(default=list, blank=True)  # of Permission

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="role_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def allowed(self) -> list[str]:
        """What it allows, in words; permissions that no longer exist are left out."""
        return [str(one.label) for one in Permission if one in self.permissions]


class MembershipQuerySet(WorkspaceQuerySet["Membership"]):
    """Who was removed is nobody's colleague any more, though the row waits for the purge."""

    def for_workspace(self, workspace: Workspace | int) -> Self:
        return super().for_workspace(workspace).filter(removed_at=None)

    def active(self) -> Self:
        """Those who get in: not removed, of a workspace that was not deleted."""
        return self.filter(removed_at=None, workspace__deleted_at=None)


class Membership(WorkspaceOwned):
    """A member: a user in a workspace, with a role."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="memberships")
    created_at = models.DateTimeField(default=now)
    removed_at = models.DateTimeField(null=True)  # set: no longer a member; the purge follows (product.md MA4)

    objects = MembershipQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="membership_once")]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def name(self) -> str:
        """As colleagues see it."""
        return self.user.name or self.user.email

    @property
    def address(self) -> str:
        return self.user.email

    def may(self, permission: Permission | str) -> bool:
        return permission in self.role.permissions


class Purge(models.Model):
    """A deleted member or workspace on its way out, and afterwards the certificate that it is gone (product.md MA4).

    Holds nothing personal: while it waits, keys to what will be deleted; when it is done, only numbers and dates.
    """

    class Kind(models.TextChoices):
        MEMBER = "member", "Member"
        WORKSPACE = "workspace", "Workspace"

    reference = models.CharField(max_length=12, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    number = models.BigIntegerField()  # of the membership or the workspace: what a backup can be checked against
    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.SET_NULL, related_name="+")
    membership = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    deleted = models.JSONField(default=dict)  # table -> rows deleted so far
    remaining = models.BigIntegerField(null=True)  # rows that a search over all tables still found at the end

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=models.Q(finished_at=None), name="purge_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class AllowedTenant(WorkspaceOwned):
    """An organisation at Microsoft whose people may sign in here with their account there (CN4)."""

    tenant = models.CharField(max_length=36)  # its id (tid), lower case; names and domains can be taken over
    name = models.CharField(max_length=120)
    joins_as = models.ForeignKey(Role, on_delete=models.SET_NULL, null=True, related_name="+")  # none: by invitation
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "tenant"], name="allowed_tenant_once")]

    def __str__(self) -> str:
        return self.name


class Invitation(WorkspaceOwned):
    """A link that lets one person in, once. Who holds the link is who was meant: only its digest is kept."""

    address = models.CharField(max_length=320)
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="+")
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.address


# Every new workspace starts with these; admins change them.
FIRST_ROLES: dict[str, list[str]] = {
    "Admin": list(Permission.values),
    "Member": [Permission.CONNECT_MAILBOX, Permission.EXPORT],
    "Guest": [],
}
