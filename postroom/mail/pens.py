"""What members write with (product.md SE6): how long a message can be taken back, signatures, templates; whom they may
mean as they type a recipient (SE10)."""

from django.db import models

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceQuerySet

UNDO_CHOICES = (0, 5, 10, 20, 30)  # seconds
UNDO_SECONDS = 10


class WritingHabits(models.Model):
    """How a member writes; without a row everything is as usual."""

    member = models.OneToOneField("workspaces.Membership", on_delete=models.CASCADE, related_name="writing_habits")
    undo_seconds = models.PositiveSmallIntegerField(default=UNDO_SECONDS)


class Signature(models.Model):
    """What stands below every message from a mailbox: sanitised HTML."""

    mailbox = models.OneToOneField("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="signature")
    html = models.TextField(blank=True)
    changed_at = models.DateTimeField(default=now)


class Snippet(models.Model):
    """A text to write with, with fields like ``{{first_name}}``: its author's own, or shared with the workspace."""

    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=100)
    text = models.TextField()
    is_shared = models.BooleanField(default=False)
    changed_at = models.DateTimeField(default=now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["workspace", "name"], name="snippet_name")]

    def __str__(self) -> str:
        return self.name


class PeopleList(models.Model):
    """Whom a provider says the owner of an account works with, best first: [[name, address, title], …]."""

    mailbox = models.OneToOneField(
        "mailboxes.Mailbox", primary_key=True, on_delete=models.CASCADE, related_name="people_list"
    )
    people = models.JSONField(default=list)
    asked_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"people of mailbox {self.mailbox_id}"


def undo_seconds(member_id: int) -> int:
    """How long the member can take a message back."""
    found = WritingHabits.objects.filter(member=member_id).values_list("undo_seconds", flat=True).first()
    return UNDO_SECONDS if found is None else found
