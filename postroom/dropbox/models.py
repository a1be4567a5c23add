"""Drop boxes, who may write to them, and what was dropped there."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceOwned


class DropBox(WorkspaceOwned):
    """A member's drop box. Without a token nobody can write to it: it was never opened, or was closed.

    ``mailbox`` holds what was filed. It is a mailbox nobody signs in to, so levels of privacy, search and records treat
    its mail as any other's.
    """

    member = models.OneToOneField("workspaces.Membership", on_delete=models.CASCADE, related_name="drop_box")
    mailbox = models.OneToOneField("mailboxes.Mailbox", null=True, on_delete=models.SET_NULL, related_name="drop_box")
    token_key = models.BinaryField(max_length=32, null=True, unique=True)  # what the token is found by; never itself
    sealed_token = models.BinaryField(default=b"")  # lib.crypto, associated data (member, "drop box")
    made_at = models.DateTimeField(null=True)  # when the address of now was made
    used_at = models.DateTimeField(null=True)  # when mail last reached it
    leaked_at = models.DateTimeField(null=True)  # when the address was first seen in To or Cc, where others read it
    # Since the box was opened. ``turned_away``: refused while it was being sent, which leaves no mail here.
    filed = models.PositiveIntegerField(default=0)
    turned_away = models.PositiveIntegerField(default=0)
    automatic = models.PositiveIntegerField(default=0)
    loops = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"drop box {self.pk}"


class Sender(WorkspaceOwned):
    """A further address of a member's. Mail from it is taken like mail from their own mailboxes, and is filed when it
    proves to come from there, as all mail must. ``proved_at``: when it first did."""

    box = models.ForeignKey(DropBox, on_delete=models.CASCADE, related_name="senders")
    address = models.CharField(max_length=320)  # lower-cased
    proved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["box", "address"], name="drop_sender_once")]

    def __str__(self) -> str:
        return f"sender {self.pk}"


class Dropped(WorkspaceOwned):
    """A mail that was taken: as it came, with the envelope it came in. Written before it was acknowledged."""

    class State(models.TextChoices):
        NEW = "new", "Taken"
        FILED = "filed", "Filed"
        HELD = "held", "Waiting for somebody"
        DOUBLE = "double", "Here already"
        AUTOMATIC = "automatic", "Automatic mail"
        LOOP = "loop", "Loop"
        DISCARDED = "discarded", "Discarded"

    box = models.ForeignKey(DropBox, on_delete=models.CASCADE, related_name="dropped")
    raw = models.ForeignKey("files.Blob", null=True, on_delete=models.SET_NULL, related_name="+")
    size = models.BigIntegerField()
    sender = models.CharField(max_length=320)  # MAIL FROM
    about = models.CharField(max_length=40, blank=True)  # the plus part of the address it was sent to
    peer = models.CharField(max_length=64, blank=True)  # the network address it came from, as far as it is known
    helo = models.CharField(max_length=255, blank=True)
    via = models.CharField(max_length=8)  # lmtp | smtp
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    reason = models.CharField(max_length=300, blank=True)  # why it waits, or was not filed
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=now)
    same = models.BinaryField(max_length=16, null=True)  # what is equal in two deliveries of one mail
    way = models.CharField(max_length=10, blank=True)  # how it was understood: ``forwards.Way``
    verdicts = models.JSONField(default=dict)  # what SPF, DKIM and DMARC said
    subject = models.CharField(max_length=300, blank=True)
    author = models.CharField(max_length=320, blank=True)
    message = models.ForeignKey("mail.Message", null=True, on_delete=models.SET_NULL, related_name="+")
    taken_at = models.DateTimeField(default=now)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["box", "same"], name="dropped_once", condition=Q(same__isnull=False))
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="new"), name="dropped_due"),
            models.Index(fields=["box", "-taken_at"], name="dropped_latest"),
        ]

    def __str__(self) -> str:
        return f"dropped mail {self.pk}"

    @property
    def verdict(self) -> str:
        """The verdicts as one line, e.g. "SPF pass, DKIM fail, DMARC fail"."""
        told: dict[str, Any] = self.verdicts
        return ", ".join(f"{name.upper()} {told[name]}" for name in ("spf", "dkim", "dmarc") if told.get(name))
