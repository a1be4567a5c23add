"""Values of custom fields: set, shown in the side column, typed into forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import ValidationError
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from postroom.records.custom_fields.models import LONGEST, CustomField, fields_of
from postroom.records.history import Change
from postroom.records.record import Record
from postroom.workspaces.models import WorkspaceQuerySet

if TYPE_CHECKING:
    from postroom.records.screens import Field


def assign(record: Record, values: Mapping[int, Any]) -> list[Change]:
    """Set values of own fields, by field id; fields of other types are left out. Answers what differs.

    Raises ValidationError, keyed by the form's field.
    """
    changes: list[Change] = []
    for field in fields_of(record.workspace_id, record.key):
        if field.pk not in values:
            continue
        try:
            value = field.clean_value(values[field.pk])
        except ValidationError as problem:
            raise ValidationError({field.form_name: problem.messages}) from None
        before = record.custom.get(str(field.pk))
        if before != value:
            kept = {key: old for key, old in record.custom.items() if key != str(field.pk)}
            record.custom = kept if value is None else {**kept, str(field.pk): value}
            changes.append(Change(field=field.label, old=field.shown(before), new=field.shown(value)))
    return changes


def with_fields(records: WorkspaceQuerySet[Any], record_type: str) -> WorkspaceQuerySet[Any]:
    """Records that bring the own fields of their type along."""
    fields = CustomField.objects.filter(workspace=OuterRef("workspace"), record_type=record_type)
    told = JSONObject(id="id", label="label", kind="kind", choices="choices", position="position")
    return records.annotate(own_fields=ArraySubquery(fields.values(told=told)))


def lines(workspace_id: int, record_type: str, record: Record | None = None) -> list[Field]:
    """The own fields of a record type as lines of its page's side column; those the record brought along."""
    brought = getattr(record, "own_fields", None)
    fields = fields_of(workspace_id, record_type) if brought is None else [CustomField(**one) for one in brought]
    return [_line(field) for field in fields]


def _line(field: CustomField) -> Field:
    from postroom.records.screens import Field, Shown  # forms know own fields, and screens know forms

    def show(record: Record) -> Sequence[Shown]:
        value = record.custom.get(str(field.pk))
        shown = field.shown(value)
        href = shown if field.kind == CustomField.Kind.LINK else ""
        return [Shown(shown, href=href)] if shown else []

    return Field(field.label, show, field.form_name, f"Add {field.label}")


def form_field(field: CustomField) -> forms.Field:
    """What the field is typed into."""
    common: dict[str, Any] = {"label": field.label, "required": False}
    Kind = CustomField.Kind
    match field.kind:
        case Kind.DATE:
            widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            return forms.CharField(widget=widget, **common)
        case Kind.CHOICE:
            return forms.ChoiceField(choices=[("", "–"), *((one, one) for one in field.choices)], **common)
        case Kind.YES_NO:
            return forms.ChoiceField(choices=[("", "–"), ("yes", "Yes"), ("no", "No")], **common)
        case Kind.LINK:
            return forms.CharField(widget=forms.URLInput(), max_length=LONGEST, **common)
        case Kind.NUMBER:
            return forms.CharField(widget=forms.TextInput(attrs={"inputmode": "decimal"}), max_length=60, **common)
    return forms.CharField(max_length=LONGEST, **common)


def start(record: Record, field: CustomField) -> Any:
    """The value a form begins with."""
    value = record.custom.get(str(field.pk))
    return ("yes" if value else "no") if field.kind == CustomField.Kind.YES_NO and value is not None else value
