"""What the forms of all records share: a form knows its workspace, can be cut down to one field, and speaks to
commands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy

from postroom.records import addresses as typed
from postroom.records.commands import OWN
from postroom.records.custom_fields import values as own_fields
from postroom.records.custom_fields.models import CustomField, fields_of
from postroom.records.record import NAME_LIMIT, Record
from postroom.workspaces.models import Membership, Workspace


class MemberField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of the workspace's members."""

    def label_from_instance(self, obj: Membership) -> str:
        return obj.name


def company_field() -> forms.CharField:
    """A company by its name; the names there are are suggested while one types."""
    attributes = {
        "list": "company-names",
        "hx-get": reverse_lazy("records:company-names"),
        "hx-trigger": "input changed delay:120ms",
        "hx-target": "#company-names",
        "hx-swap": "innerHTML",
        "hx-sync": "this:replace",
    }
    return forms.CharField(
        label="Company",
        max_length=NAME_LIMIT,
        required=False,
        help_text="A new name makes a new company.",
        widget=forms.TextInput(attrs=attributes),
    )


class LinesField(forms.CharField):
    """Several short texts, separated by commas or one a line."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        return typed.unique(self.one(part) for part in typed.parts(super().clean(value) or ""))

    def one(self, part: str) -> str:
        """What becomes of one entry. Raises ValidationError when it is none."""
        return part


class AddressesField(LinesField):
    def one(self, part: str) -> str:
        return typed.address(part)


class DomainsField(LinesField):
    def one(self, part: str) -> str:
        return typed.domain(part)


class PhonesField(LinesField):
    def one(self, part: str) -> str:
        if len(part) > 60:
            raise ValidationError(f"“{part[:40]}…” is too long for a phone number.")
        return part


class RecordForm(forms.Form):
    """Fields carry the names of the command's parameters. `only` leaves one field, for editing in place, or some."""

    owner = MemberField(label="Owner", queryset=Membership.objects.none(), required=False, empty_label="Nobody")
    field_order: list[str] | None = None
    record_type: ClassVar[str] = ""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        workspace: Workspace,
        record: Record | None = None,
        only: str | Collection[str] = "",
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        start = {**(self.start(record) if record else {}), **(initial or {})}
        super().__init__(data, initial=start)
        self.workspace, self.record = workspace, record
        self._own = {one.form_name: one for one in self._own_fields()}
        for name, own in self._own.items():
            self.fields[name] = own_fields.form_field(own)
            if record is not None:
                self.initial[name] = own_fields.start(record, own)
        if only:
            names = (only,) if isinstance(only, str) else only
            self.fields = {name: self.fields[name] for name in names}
        self.set_choices()
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("autocomplete", "off")
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs.setdefault("rows", 2)
            if self.is_bound and name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"

    def _own_fields(self) -> list[CustomField]:
        return fields_of(self.workspace.pk, self.record_type) if self.record_type else []

    def start(self, record: Record) -> dict[str, Any]:
        """The values the form begins with when a record is edited."""
        return {name: getattr(record, name, None) for name in self.base_fields}

    def set_choices(self) -> None:
        """Fill the choices that depend on the workspace."""
        if "owner" in self.fields:
            members = Membership.objects.for_workspace(self.workspace).select_related("user").order_by("user__name")
            self.fields["owner"].queryset = members  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """What the command is called with."""
        own = {field.pk: self.cleaned_data[name] for name, field in self._own.items() if name in self.cleaned_data}
        plain = {name: value for name, value in self.cleaned_data.items() if name not in self._own}
        return {**plain, OWN: own} if own else plain

    def own(self) -> list[forms.BoundField]:
        """The workspace's own fields of this form."""
        return [self[name] for name in self._own if name in self.fields]

    def refuse(self, problem: ValidationError) -> None:
        """Show what the command objected to, at the field it is about."""
        errors = problem.message_dict if hasattr(problem, "error_dict") else {"": problem.messages}
        for name, messages in errors.items():
            for message in messages:
                self.add_error(name if name in self.fields else None, message)
