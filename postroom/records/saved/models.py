"""Saved views."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceOwned

LONGEST_NAME = 80
LONGEST_QUERY = 4_000


class SavedView(WorkspaceOwned):
    """A list's state under a name: ``query`` is the address that says it, ``place`` the list it is of.

    ``member`` is whose it is; without one it is the whole workspace's, and ``author`` made it. ``labels`` has the names
    of the own fields it uses, so that it can say which one is gone. A member's view *without a name* is not shown: it
    is how the list opens for them (its columns), and ``order`` is how they ordered the others.
    """

    member = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    place = models.CharField(max_length=20)
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    labels = models.JSONField(default=dict)
    order = ArrayField(models.BigIntegerField(), default=list)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "place", "member", "name"], nulls_distinct=False, name="saved_view_name_once"
            ),
            models.CheckConstraint(condition=Q(member__isnull=False) | ~Q(name=""), name="saved_view_shared_has_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shared(self) -> bool:
        return self.member_id is None
