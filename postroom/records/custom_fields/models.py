"""Custom fields: what a workspace keeps about its records besides what every workspace does."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from postroom.records.text import clean
from postroom.workspaces.models import WorkspaceOwned

LONGEST = 2_000


class CustomField(WorkspaceOwned):
    """A field of one record type. Its values lie in ``Record.custom`` under the field's id, as JSON has them."""

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        CHOICE = "choice", "Choice"
        YES_NO = "yes_no", "Yes or no"
        LINK = "link", "Link"

    record_type = models.CharField(max_length=20)
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "record_type", "label"], name="custom_field_label_once")
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def form_name(self) -> str:
        """Its name in forms and addresses."""
        return f"own-{self.pk}"

    def clean_value(self, value: Any) -> Any:
        """What is stored for what was typed; None where nothing was. Raises ValidationError."""
        typed = clean(str(value)) if value is not None else ""
        if typed == "":
            return None
        if len(typed) > LONGEST:
            raise ValidationError(f"{self.label}: at most {LONGEST:,} characters.")
        return _CLEAN[self.kind](self, typed)

    def shown(self, value: Any) -> str:
        """A stored value as screens and history tell it."""
        if value is None or value == "":
            return ""
        if self.kind == self.Kind.YES_NO:
            return "Yes" if value else "No"
        if self.kind == self.Kind.DATE:
            day = date.fromisoformat(value)
            return f"{day.day} {day:%b %Y}"
        return str(value)


def _number(field: CustomField, typed: str) -> str:
    try:
        found = Decimal(typed.replace(" ", ""))
    except InvalidOperation:
        raise ValidationError(f"{field.label}: “{typed[:40]}” is not a number.") from None
    if not found.is_finite() or abs(found.adjusted()) > 20:
        raise ValidationError(f"{field.label}: “{typed[:40]}” is not a number.")
    return str(found)


def _date(field: CustomField, typed: str) -> str:
    try:
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        raise ValidationError(f"{field.label}: write a date as 2026-11-21.") from None


def _choice(field: CustomField, typed: str) -> str:
    if typed not in field.choices:
        raise ValidationError(f"{field.label}: “{typed[:40]}” is none of {', '.join(field.choices)}.")
    return typed


def _link(field: CustomField, typed: str) -> str:
    if not typed.startswith(("https://", "http://")):
        raise ValidationError(f"{field.label}: an address that begins with https://.")
    return typed


_CLEAN: dict[str, Any] = {
    CustomField.Kind.TEXT: lambda field, typed: typed,
    CustomField.Kind.NUMBER: _number,
    CustomField.Kind.DATE: _date,
    CustomField.Kind.CHOICE: _choice,
    CustomField.Kind.YES_NO: lambda field, typed: typed.lower() in {"yes", "true", "on", "1"},
    CustomField.Kind.LINK: _link,
}


def fields_of(workspace_id: int, record_type: str) -> list[CustomField]:
    """The custom fields of a record type, in order."""
    return list(CustomField.objects.for_workspace(workspace_id).filter(record_type=record_type))
