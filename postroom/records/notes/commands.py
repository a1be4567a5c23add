"""What happens to notes, named as members would say it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from postroom.lib.clock import now
from postroom.records import news
from postroom.records.models import Note
from postroom.records.record import Record, about
from postroom.workspaces.models import Membership

LONGEST = 20_000


@transaction.atomic
def write(record: Record, text: str, *, by: Membership) -> Note:
    """A note on a record. Raises ValidationError when there is nothing in it, or too much."""
    at = now()
    kept = _checked(text)
    news.changed(record)
    return Note.objects.create(
        workspace_id=record.workspace_id, author=by, text=kept, created_at=at, updated_at=at, **about(record)
    )


@transaction.atomic
def rewrite(note: Note, text: str) -> Note:
    """Another text for a note. Raises ValidationError as `write` does."""
    note.text, note.updated_at = _checked(text), now()
    note.save(update_fields=["text", "updated_at"])
    news.changed_about(note)
    return note


@transaction.atomic
def delete(note: Note) -> None:
    news.changed_about(note)
    note.delete()


def _checked(text: str) -> str:
    kept = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not kept:
        raise ValidationError({"text": "Write something first."})
    if len(kept) > LONGEST:
        raise ValidationError({"text": f"A note may have {LONGEST:,} characters; this one has {len(kept):,}."})
    return kept
