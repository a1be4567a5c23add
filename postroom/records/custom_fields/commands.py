"""What happens to custom fields, named as administrators would say it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from postroom.records import addresses as typed
from postroom.records.models import CustomField
from postroom.records.record import BY_KEY
from postroom.records.text import clean
from postroom.workspaces.models import Workspace

MOST = 60  # of one record type


def add(workspace: Workspace, record_type: str, *, label: str, kind: str, choices: str = "") -> CustomField:
    """A new field, last in order. Raises ValidationError, keyed by field."""
    every = CustomField.objects.for_workspace(workspace).filter(record_type=record_type)
    if every.count() >= MOST:
        raise ValidationError(f"A record type may have {MOST} fields of its own.")
    last = every.aggregate(last=Max("position"))["last"]
    return CustomField.objects.create(
        workspace=workspace,
        record_type=record_type,
        label=_label(label),
        kind=kind,
        choices=_choices(kind, choices),
        position=0 if last is None else last + 1,
    )


def change(field: CustomField, *, label: str, choices: str = "") -> CustomField:
    """Another name, other choices. What was chosen before stays on its records. Raises ValidationError."""
    field.label, field.choices = _label(label), _choices(field.kind, choices)
    field.save(update_fields=["label", "choices"])
    return field


@transaction.atomic
def move(field: CustomField, *, up: bool) -> None:
    """One place up or down among the fields of its type."""
    fields = list(CustomField.objects.for_workspace(field.workspace_id).filter(record_type=field.record_type))
    at = fields.index(field)
    to = at - 1 if up else at + 1
    if 0 <= to < len(fields):
        fields.insert(to, fields.pop(at))
        for position, one in enumerate(fields):
            one.position = position
        CustomField.objects.bulk_update(fields, ["position"])


def count_values(field: CustomField) -> int:
    """On how many records the field has a value."""
    records = BY_KEY[field.record_type].of(field.workspace_id)
    return int(records.filter(custom__has_key=str(field.pk)).count())


@transaction.atomic
def delete(field: CustomField) -> None:
    """The field and its values, on every record."""
    key = str(field.pk)
    for record in BY_KEY[field.record_type].of(field.workspace_id).filter(custom__has_key=key).iterator(chunk_size=500):
        record.custom.pop(key)
        record.save(update_fields=["custom"])
    field.delete()


def _label(label: str) -> str:
    if not (found := clean(label)[:80]):
        raise ValidationError({"label": "Give the field a name."})
    return found


def _choices(kind: str, text: str) -> list[str]:
    if kind != CustomField.Kind.CHOICE:
        return []
    found = typed.unique(typed.parts(text))
    if len(found) < 2:
        raise ValidationError({"choices": "Give at least two choices."})
    if any(len(one) > 120 for one in found):
        raise ValidationError({"choices": "A choice may have 120 characters."})
    return found
