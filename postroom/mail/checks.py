"""Rows behind "this mailbox has everything" (product.md SY15): what was compared, what left, what a person must decide.

FolderCheck  one folder compared with the provider: counts, ids, what was repaired
Sighting     an id that the listing of a comparison under way has named; gone when the comparison ends
Churn        how many messages left a folder in an hour, for the brake's sliding window
Brake        a stop before an unusual change, with what would happen and what was decided
Kept         a message that stays as it is here, whatever the provider says
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.lib.clock import now


class FolderCheck(models.Model):
    """The last comparison of a folder. ``theirs`` and ``ours`` count messages; the sums below are of the last
    comparison of ids, which ended at ``checked_at``. ``cursor`` and ``found`` are of the one under way."""

    folder = models.OneToOneField("mail.Folder", primary_key=True, on_delete=models.CASCADE, related_name="compared")
    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="folder_checks")
    theirs = models.IntegerField(null=True)
    ours = models.IntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    missing = models.IntegerField(default=0)  # the provider had them, we had not
    extra = models.IntegerField(default=0)  # we had them here, the provider had not
    wrong = models.IntegerField(default=0)  # read, flag, categories or place were not the provider's
    repaired = models.IntegerField(default=0)  # of all three
    unread = models.IntegerField(default=0)  # missing ones that cannot be taken over (quarantine)
    not_mail = models.IntegerField(default=0)  # the provider counts them, its listing does not have them
    checked_at = models.DateTimeField(null=True)
    since = models.DateTimeField(default=now)
    wanted = models.BooleanField(default=False)  # its ids shall be compared
    cursor = models.TextField(blank=True)
    found = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"comparison of folder {self.folder_id}"


class Sighting(models.Model):
    pk = models.CompositePrimaryKey("folder_id", "remote_id")
    folder = models.ForeignKey("mail.Folder", on_delete=models.CASCADE, db_index=False, related_name="+")
    remote_id = models.TextField(db_collation="C")


class Churn(models.Model):
    """``what`` is a ``breaker.What``; ``at`` the beginning of the hour."""

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, db_index=False, related_name="+")
    folder = models.TextField(db_collation="C")  # the provider's id: the folder may be gone by now
    what = models.CharField(max_length=8)
    at = models.DateTimeField()
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "at", "folder", "what"], name="churn_once")]


class Brake(models.Model):
    """``figures``: [{"folder": name, "role", "what", "count", "total"}, …]; ``ids``: exactly whom it is about."""

    class State(models.TextChoices):
        ASKING = "asking", "Waiting for a decision"
        ALLOWED = "allowed", "Allowed, once"
        KEPT = "kept", "Kept what is here"

    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="brakes")
    state = models.CharField(max_length=8, choices=State, default=State.ASKING)
    figures = models.JSONField(default=list)
    ids = ArrayField(models.TextField(), default=list)
    at = models.DateTimeField(default=now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["mailbox", "-at"], name="brake_latest")]

    def __str__(self) -> str:
        return f"brake of mailbox {self.mailbox_id}"


class Kept(models.Model):
    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, db_index=False, related_name="+")
    remote_id = models.TextField(db_collation="C")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "remote_id"], name="kept_once")]
