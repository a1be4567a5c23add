"""What a member wants of Home: which things reach them outside of Postroom, and how far the first steps are."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from postroom.workspaces.models import WorkspaceOwned

MORNING = 8  # o'clock


class Desk(WorkspaceOwned):
    """One row for each member who ever chose something; without one all is as the defaults say.

    The daily mail is due at ``digest_due_at``; who takes it moves that on and counts ``digest_fence`` up (``digest``).
    """

    class Steps(models.TextChoices):
        """Whether the first steps are shown."""

        FIRST_WEEKS = "", "To newcomers"
        OPEN = "open", "Shown"
        CLOSED = "closed", "Put away"

    member = models.OneToOneField("workspaces.Membership", on_delete=models.CASCADE, related_name="desk")
    steps = models.CharField(max_length=6, choices=Steps, default=Steps.FIRST_WEEKS, blank=True)
    tried = ArrayField(models.CharField(max_length=20), default=list, blank=True)  # steps no other row knows of
    browser_off = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    digest = models.BooleanField(default=False)
    digest_off = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    digest_hour = models.PositiveSmallIntegerField(default=MORNING)  # of the member's own day
    digest_due_at = models.DateTimeField(null=True)
    digest_asked = models.BooleanField(default=False)  # "send me one now": also when there is nothing to say
    digest_fence = models.PositiveIntegerField(default=0)
    digest_attempts = models.PositiveSmallIntegerField(default=0)
    digest_sent_at = models.DateTimeField(null=True)
    digest_failure = models.CharField(max_length=100, blank=True)

    class Meta:
        indexes = [models.Index(fields=["digest_due_at"], condition=Q(digest_due_at__isnull=False), name="digest_due")]
        constraints = [models.CheckConstraint(condition=Q(digest_hour__lte=23), name="digest_hour_of_a_day")]

    def __str__(self) -> str:
        return f"of member {self.member_id}"
