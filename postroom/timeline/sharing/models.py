"""What is shown of mail on records: the levels of a workspace, a mailbox and a thread, and what is never logged.

The workspace says what counts where an owner decided nothing, and the most anybody may show. Within that the owner of
a mailbox decides for all of it, and for single threads.
"""

from __future__ import annotations

from django.db import models

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceOwned


class Level(models.IntegerChoices):
    """How much members who may not use the mailbox see of its mail on records."""

    NOTHING = 0, "Nothing"
    METADATA = 1, "Who and when"
    SUBJECT = 2, "Subject"
    EVERYTHING = 3, "Everything"


class Rule(models.TextChoices):
    """Who in mail becomes a contact by itself (product.md CR4)."""

    OFF = "off", "Nobody"
    WRITTEN = "written", "People I write to"
    EVERYONE = "everyone", "Everyone"


class Policy(models.Model):
    """The workspace's part. Without a row nothing is shown unless an owner decides to, and no contacts are made."""

    workspace = models.OneToOneField("workspaces.Workspace", on_delete=models.CASCADE, related_name="+")
    given = models.SmallIntegerField(choices=Level, default=Level.NOTHING)  # where an owner decided nothing
    most = models.SmallIntegerField(choices=Level, default=Level.EVERYTHING)
    contacts = models.CharField(max_length=8, choices=Rule, default=Rule.OFF)
    only_records = models.BooleanField(default=False, db_default=False)  # of other mail nothing but a number is kept
    sealed_key = models.BinaryField(default=b"", db_default=b"")  # of the digests in ``mail.Known`` (sharing.digests)

    def __str__(self) -> str:
        return f"policy of workspace {self.workspace_id}"


class MailboxSharing(models.Model):
    """What the owner of a mailbox decided for all of it; null and empty: as the workspace does."""

    mailbox = models.OneToOneField("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="+")
    level = models.SmallIntegerField(choices=Level, null=True)
    contacts = models.CharField(max_length=8, choices=Rule, blank=True)
    only_records = models.BooleanField(default=False, db_default=False)  # also where the workspace keeps everything

    def __str__(self) -> str:
        return f"sharing of mailbox {self.mailbox_id}"


class ThreadSharing(models.Model):
    """What the owner decided for one thread. It hangs on the conversation, so a resync or a reconnect leaves it."""

    conversation = models.ForeignKey(
        "mail.Conversation", on_delete=models.CASCADE, related_name="sharing", db_index=False
    )
    mailbox = models.ForeignKey("mailboxes.Mailbox", on_delete=models.CASCADE, related_name="+")
    level = models.SmallIntegerField(choices=Level)
    by = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "mailbox"], name="thread_sharing_once")]

    def __str__(self) -> str:
        return f"conversation {self.conversation_id} in mailbox {self.mailbox_id}: {self.get_level_display()}"


class NeverLog(WorkspaceOwned):
    """An address or domain whose mail is on no record and makes no contact: everybody's (no mailbox), or a mailbox's.

    `what` is lower-case; without an @ it is a domain, and stands for those below it, too.
    """

    mailbox = models.ForeignKey("mailboxes.Mailbox", null=True, on_delete=models.CASCADE, related_name="+")
    what = models.CharField(max_length=320)
    by = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "what", "mailbox"], nulls_distinct=False, name="never_log_once"
            )
        ]

    def __str__(self) -> str:
        return self.what


class NoContact(WorkspaceOwned):
    """An address of which mail makes no contact again: a member took one away."""

    address = models.CharField(max_length=320)
    by = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "address"], name="no_contact_once")]

    def __str__(self) -> str:
        return self.address


class Origin(models.Model):
    """The conversation a contact was made from; the mailbox stands on the contact itself."""

    person = models.OneToOneField("records.Person", on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey("mail.Conversation", on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"contact {self.person_id} from conversation {self.conversation_id}"
