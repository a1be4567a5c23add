"""What happens to notes, named as members would say it."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from postroom.lib.clock import now
from postroom.records.models import Note
from postroom.records.record import Record, about
from postroom.workspaces.models import Membership

LONGEST = 20_000


def write(record: Record, text: str, *, by: Membership) -> Note:
    """A note on a record. Raises ValidationError when there is nothing in it, or too much."""
    at = now()
    kept = _checked(text)
    return Note.objects.create(
        workspace_id=record.workspace_id, author=by, text=kept, created_at=at, updated_at=at, **about(record)
    )


def rewrite(note: Note, text: str) -> Note:
    """Another text for a note. Raises ValidationError as `write` does."""
    note.text, note.updated_at = _checked(text), now()
    note.save(update_fields=["text", "updated_at"])
    return note


def _checked(text: str) -> str:
    kept = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not kept:
        raise ValidationError({"text": "Write something first."})
    if len(kept) > LONGEST:
        raise ValidationError({"text": f"A note may have {LONGEST:,} characters; this one has {len(kept):,}."})
    return kept
