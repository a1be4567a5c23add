"""Who read what (product.md AD2).

An entry names rows by their ids and nothing that is written in the mail. It points at nothing by foreign key: what was
read may be deleted, that it was read stays true. Entries are added and never changed; the database itself refuses it
(migration 0001). They go when their time is over (`log.prune`), or with their whole workspace (`log.forget_workspace`).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from postroom.lib.clock import now
from postroom.workspaces.models import WorkspaceQuerySet


class Access(models.Model):
    """One act of reading in one mailbox: a thread opened, a file saved, a mailbox dumped."""

    class What(models.TextChoices):
        """What was read."""

        THREAD = "thread", "Opened a conversation"
        BODY = "body", "Opened a message"
        ORIGINAL = "original", "Original of a message"
        ATTACHMENT = "attachment", "Attachment"
        SEARCH = "search", "Search with results"  # hits that left the product: command line, API
        DUMP = "dump", "Dump of a mailbox"
        EXPORT = "export", "Export"

    class How(models.TextChoices):
        """By which way."""

        SCREEN = "screen", "Screen"
        DOWNLOAD = "download", "Download"
        API = "api", "API"
        CLI = "cli", "Command line"

    at = models.DateTimeField(default=now)
    workspace = models.ForeignKey(
        "workspaces.Workspace", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    member_id = models.BigIntegerField(null=True)  # none: the operator's command line
    who = models.CharField(max_length=320)  # the member's address then, the operator's login name
    of_mailbox = models.BigIntegerField()  # not "mailbox": a search for what a deleted one left passes this by
    conversation_id = models.BigIntegerField(null=True)
    message_ids = ArrayField(models.BigIntegerField(), default=list)
    attachment_id = models.BigIntegerField(null=True)
    what = models.CharField(max_length=12, choices=What)
    how = models.CharField(max_length=10, choices=How)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=80, blank=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="access_newest"),
            models.Index(fields=["workspace", "of_mailbox", "-id"], name="access_mailbox"),
            models.Index(fields=["workspace", "member_id", "-id"], name="access_member"),
            BrinIndex(fields=["at"], name="access_at"),
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.what} {self.of_mailbox}"
