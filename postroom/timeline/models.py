"""Links: which conversation belongs to which record (product.md CR2, CR3).

A link hangs on the conversation's own identity, not on a mailbox's rows, so it survives moves, resyncs, reconnects and
a change of provider. One made or removed by hand stays as the member left it: matching never touches it again.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from postroom.lib.clock import now
from postroom.records.record import POINTERS, About, exactly_one, pointer_indexes
from postroom.timeline.sharing.models import MailboxSharing, NeverLog, NoContact, Origin, Policy, ThreadSharing
from postroom.timeline.team.models import Assignment, Comment, Notice, Presence, Snooze, Wishes

__all__ = [
    "Assignment",
    "Comment",
    "Link",
    "MailboxSharing",
    "NeverLog",
    "NoContact",
    "Notice",
    "Origin",
    "Policy",
    "Presence",
    "Reach",
    "Snooze",
    "ThreadSharing",
    "Wishes",
]


class Link(About):
    class How(models.TextChoices):
        AUTO = "auto", "By address"
        MANUAL = "manual", "By hand"

    conversation = models.ForeignKey(
        "mail.Conversation", on_delete=models.CASCADE, related_name="links", db_index=False
    )
    how = models.CharField(max_length=6, choices=How, default=How.AUTO)
    by = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    removed_at = models.DateTimeField(null=True)  # set: unlinked by hand, and so it stays
    last_at = models.DateTimeField()  # the conversation's newest mail: a record's threads are read in this order
    created_at = models.DateTimeField(default=now)
    changed_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            exactly_one("link_one_record"),
            models.UniqueConstraint(fields=["conversation", *POINTERS], name="link_once", nulls_distinct=False),
        ]
        indexes = [
            *pointer_indexes("link", "-last_at", "-conversation"),
            *(  # which records of a type had mail last
                models.Index(
                    fields=["workspace", "-last_at"], condition=Q(**{f"{one}__isnull": False}), name=f"link_new_{one}"
                )
                for one in POINTERS
            ),
        ]

    def __str__(self) -> str:
        return f"conversation {self.conversation_id} and {self.record}"


class Reach(About):
    """How far back a record's mail is linked: all of it newer than `until`, all there is where `until` is empty.

    Older mail, and that of records without a row here, is found by address whenever it is looked at.
    """

    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            exactly_one("reach_one_record"),
            models.UniqueConstraint(fields=POINTERS, name="reach_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.record}: {self.until or 'everything'}"
