"""Notes: what a member wrote down about a record. Plain text."""

from __future__ import annotations

from django.db import models

from postroom.lib.clock import now
from postroom.records.record import About, exactly_one, pointer_indexes


class Note(About):
    author = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [exactly_one("note_one_record")]
        indexes = pointer_indexes("note", "-created_at", "-id")

    def __str__(self) -> str:
        return self.text[:60]
