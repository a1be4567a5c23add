"""Rows behind the ways mail goes out (product.md SE8, SE9, SE11): what a mailbox may send, and what else may carry it.

MailServer   a workspace's own mail server, for mailboxes that have reached their limit, or always use it
Allowance    what a mailbox may send in a day, and since when it may send no more
DeadAddress  an address that mail cannot reach: it came back for good
Returned     what its author has to be told about a message that was sent from here: mostly what came back about it
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceQuerySet


class MailServer(models.Model):
    class Security(models.TextChoices):
        TLS = "tls", "TLS from the start (port 465)"
        STARTTLS = "starttls", "STARTTLS (port 587)"
        NONE = "none", "None, inside your own network only"

    workspace = models.OneToOneField("workspaces.Workspace", on_delete=models.CASCADE, related_name="mail_server")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=465)
    security = models.CharField(max_length=10, choices=Security, default=Security.TLS)
    username = models.CharField(max_length=320, blank=True)
    sealed_password = models.BinaryField(default=b"")  # lib.crypto, associated data (workspace, "mail server")
    domains = ArrayField(
        models.CharField(max_length=253), default=list, blank=True
    )  # it may send as addresses of these
    sender = models.CharField(max_length=320, blank=True)  # From for every other mailbox; answers go to the mailbox
    steps_in = models.BooleanField(default=False)  # it sends for mailboxes that have reached their limit
    failure = models.CharField(max_length=40, blank=True)  # our word for why it did not work last time
    tested_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(default=now)

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.host


class Allowance(models.Model):
    class Route(models.TextChoices):
        OWN = "own", "Through its provider"
        SERVER = "server", "Always through the workspace’s mail server"

    mailbox = models.OneToOneField(
        "mailboxes.Mailbox", primary_key=True, on_delete=models.CASCADE, related_name="allowance"
    )
    route = models.CharField(max_length=6, choices=Route, default=Route.OWN)
    daily = models.PositiveIntegerField(null=True)  # recipients in 24 hours; null: what the provider is known to allow
    reached_at = models.DateTimeField(null=True)  # when the provider last refused for this reason
    until = models.DateTimeField(null=True)
    said = models.CharField(max_length=80, blank=True)  # the provider's word

    def __str__(self) -> str:
        return f"allowance of mailbox {self.mailbox_id}"


class DeadAddress(models.Model):
    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, db_index=False, related_name="+")
    address = models.TextField()  # lower-cased
    status = models.CharField(max_length=12, blank=True)  # 5.1.1
    why = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "address"], name="dead_address_once")]

    def __str__(self) -> str:
        return f"dead address {self.pk}"


class Returned(models.Model):
    """What became of a sent message: one recipient's failed, is delayed, or they are away; or the address it went out
    under is another than was asked for."""

    class What(models.TextChoices):
        FAILED = "failed", "Not delivered"
        DELAYED = "delayed", "Delayed"
        DELIVERED = "delivered", "Delivered"
        AWAY = "away", "Answered automatically"
        SENT_AS = "sent_as", "Went out under another address"

    # By name rather than by row: a message is deleted in bulk, and a colleague's copy of it is the same message.
    workspace = models.ForeignKey("workspaces.Workspace", on_delete=models.CASCADE, db_index=False, related_name="+")
    internet_message_id = models.TextField(db_collation="C")
    address = models.TextField()  # lower-cased
    what = models.CharField(max_length=10, choices=What)
    status = models.CharField(max_length=12, blank=True)
    why = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "internet_message_id", "address"], name="returned_once")
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.pk}"
