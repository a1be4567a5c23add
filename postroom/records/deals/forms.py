"""The form of a deal."""

from __future__ import annotations

from typing import Any

from django import forms

from postroom.records.deals.commands import pipeline_of
from postroom.records.forms import LinesField, RecordForm, company_field
from postroom.records.models import Deal, Stage
from postroom.records.money import CURRENCIES
from postroom.records.record import NAME_LIMIT, Record


class DealForm(RecordForm):
    record_type = "deal"
    name = forms.CharField(label="Name", max_length=NAME_LIMIT)
    company = company_field()
    people = LinesField(label="Contacts", required=False, help_text="Their mail appears on the deal.")
    stage = forms.ModelChoiceField(label="Stage", queryset=Stage.objects.none(), empty_label=None)
    amount = forms.DecimalField(label="Amount", max_digits=14, decimal_places=2, min_value=0, required=False)
    currency = forms.ChoiceField(label="Currency", choices=[(one, one) for one in CURRENCIES])
    close_date = forms.DateField(
        label="Close date", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    field_order = ["name", "company", "people", "stage", "amount", "currency", "close_date", "owner"]

    def start(self, record: Record) -> dict[str, Any]:
        assert isinstance(record, Deal)
        people = [as_token(person.name, person.address) for person in record.people.all()]
        company = record.company.name if record.company else ""
        return {**super().start(record), "people": people, "company": company}

    def set_choices(self) -> None:
        super().set_choices()
        if "stage" in self.fields:
            stages = Stage.objects.filter(pipeline__workspace=self.workspace).order_by("pipeline__position", "position")
            if not stages:
                stages = pipeline_of(self.workspace).stages.all()
            self.fields["stage"].queryset = stages  # type: ignore[attr-defined]


def as_token(name: str, address: str) -> str:
    """A contact as the recipients field writes it; a comma in a name would end it."""
    plain = name.replace(",", " ").replace("<", "").replace(">", "")
    return f"{plain} <{address}>" if address and address != name else plain
