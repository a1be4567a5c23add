"""The form of a company."""

from __future__ import annotations

from typing import Any

from django import forms

from postroom.records.forms import DomainsField, RecordForm
from postroom.records.models import Company
from postroom.records.record import NAME_LIMIT, Record


class CompanyForm(RecordForm):
    record_type = "company"
    name = forms.CharField(label="Name", max_length=NAME_LIMIT)
    domains = DomainsField(
        label="Domains", required=False, help_text="Mail from and to these appears here, as in contoso.com."
    )
    website = forms.CharField(label="Website", max_length=300, required=False)
    industry = forms.CharField(label="Industry", max_length=120, required=False)

    field_order = ["name", "domains", "website", "industry", "owner"]

    def start(self, record: Record) -> dict[str, Any]:
        assert isinstance(record, Company)
        return {**super().start(record), "domains": record.domain_list()}
