"""Rows of working together. Each hangs on the conversation, none on a mailbox's rows."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceOwned

COMMENT_LIMIT = 10_000  # characters


class Assignment(WorkspaceOwned):
    """Who sees to a conversation; none: nobody does yet."""

    conversation = models.OneToOneField("mail.Conversation", on_delete=models.CASCADE, related_name="assignment")
    to = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="assignments")
    by = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"conversation {self.conversation_id} to {self.to_id}"


class Comment(WorkspaceOwned):
    """What colleagues say to each other beside a mail. Never leaves Postroom."""

    conversation = models.ForeignKey(
        "mail.Conversation", on_delete=models.CASCADE, related_name="comments", db_index=False
    )
    author = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField(max_length=COMMENT_LIMIT)
    mentions = models.ManyToManyField("workspaces.Membership", related_name="mentioned_in")
    created_at = models.DateTimeField(default=now)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)  # goes for good after an hour: so long Undo brings it back

    class Meta:
        indexes = [models.Index(fields=["conversation", "created_at"], name="comment_of_conversation")]

    def __str__(self) -> str:
        return self.text[:60]


class Snooze(WorkspaceOwned):
    """A conversation a member does not want to see until a moment. Asleep until then; awake it stands in their Inbox
    as if it had come at that moment."""

    member = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="snoozes")
    conversation = models.ForeignKey("mail.Conversation", on_delete=models.CASCADE, related_name="snoozes")
    until = models.DateTimeField()
    unless_answered = models.BooleanField(default=False)  # a mail of somebody else wakes it before
    writes = models.CharField(max_length=320, blank=True)  # the next mail of this person wakes it before, too
    made_at = models.DateTimeField(default=now)
    woke_at = models.DateTimeField(null=True)
    answered = models.BooleanField(default=False)  # woken by an answer
    seen_at = models.DateTimeField(null=True)  # opened since it woke

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "conversation"], name="snooze_once")]
        indexes = [models.Index(fields=["until"], condition=Q(woke_at=None), name="snooze_asleep")]

    def __str__(self) -> str:
        return f"conversation {self.conversation_id} until {self.until}"


class Presence(WorkspaceOwned):
    """A member had a conversation open a moment ago; means nothing when it is older than ``presence.FRESH``."""

    member = models.ForeignKey("workspaces.Membership", on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey("mail.Conversation", on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "conversation"], name="presence_once")]

    def __str__(self) -> str:
        return f"{self.member_id} at {self.conversation_id}"


class Notice(WorkspaceOwned):
    """What a member is told of."""

    class Kind(models.TextChoices):
        MENTION = "mention", "Somebody mentions me"
        ASSIGNED = "assigned", "Something is assigned to me"
        COMMENT = "comment", "Somebody comments on what I follow"
        WOKE = "woke", "A snooze ends"

    member = models.ForeignKey(
        "workspaces.Membership", on_delete=models.CASCADE, related_name="notices", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind)
    conversation = models.ForeignKey("mail.Conversation", on_delete=models.CASCADE, related_name="+")
    comment = models.ForeignKey(Comment, null=True, on_delete=models.CASCADE, related_name="notices")
    by = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["member", "-at", "-id"], name="notice_newest"),
            models.Index(fields=["member"], condition=Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.member_id}"


class Wishes(WorkspaceOwned):
    """The kinds of notices a member does not want; without a row they get all."""

    member = models.OneToOneField("workspaces.Membership", on_delete=models.CASCADE, related_name="+")
    off = ArrayField(models.CharField(max_length=8), default=list)

    def __str__(self) -> str:
        return f"{self.member_id} without {', '.join(self.off) or 'nothing'}"
