"""The workspace's own fields as columns of tables: shown, sorted and narrowed like any other."""

from __future__ import annotations

from typing import Any

from django.db.models import DecimalField, F, Func, TextField, Value
from django.db.models.functions import Cast, NullIf

from postroom.records import filters
from postroom.records.custom_fields.models import CustomField, fields_of
from postroom.records.tables import Column, Kind

YES_NO = (("true", "Yes"), ("false", "No"))


def columns(workspace_id: int, record_type: str) -> tuple[Column, ...]:
    """A column for each own field of a record type, in order; one query."""
    return tuple(_column(field) for field in fields_of(workspace_id, record_type))


def _column(field: CustomField) -> Column:
    value = _value(field)
    kind: Kind = "number" if field.kind == CustomField.Kind.NUMBER else "text"
    return Column(
        field.form_name,
        field.label,
        text=lambda record: field.shown(record.custom.get(str(field.pk))),
        by=value,
        kind=kind,
        number=kind == "number",
        usual=False,
        room="is-extra",
        filter=_filter(field, value),
        edit=field.form_name,
    )


def _value(field: CustomField) -> Any:
    """The field's value as text. (A plain key transform would take its number for a place in a list.)"""
    return NullIf(
        Func(F("custom"), Value(str(field.pk)), function="jsonb_extract_path_text", output_field=TextField()),
        Value("", output_field=TextField()),
    )


def _filter(field: CustomField, value: Any) -> filters.Filter:
    match field.kind:
        case CustomField.Kind.CHOICE:
            return filters.Choice(value, filters.fixed((one, one) for one in field.choices), empty="Not set")
        case CustomField.Kind.YES_NO:
            return filters.Choice(value, filters.fixed(YES_NO), empty="Not set")
        case CustomField.Kind.NUMBER:
            return filters.Amount(Cast(value, DecimalField(max_digits=60, decimal_places=20)))
        case CustomField.Kind.DATE:
            return filters.Day(value, plain=True)
    return filters.Contains(value)
