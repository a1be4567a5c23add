"""The form of a contact."""

from __future__ import annotations

from typing import Any

from django import forms

from postroom.records.forms import AddressesField, PhonesField, RecordForm, company_field
from postroom.records.models import Person
from postroom.records.record import Record


class PersonForm(RecordForm):
    record_type = "contact"
    first_name = forms.CharField(label="First name", max_length=150, required=False)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    addresses = AddressesField(
        label="Email", required=False, help_text="Several with commas; the first is the main one."
    )
    phones = PhonesField(label="Phone", required=False)
    job_title = forms.CharField(label="Job title", max_length=200, required=False)
    company = company_field()

    field_order = ["first_name", "last_name", "addresses", "phones", "job_title", "company", "owner"]

    def start(self, record: Record) -> dict[str, Any]:
        assert isinstance(record, Person)
        company = record.company.name if record.company else ""
        return {**super().start(record), "addresses": record.address_list(), "company": company}
