"""The form of a candidate."""

from __future__ import annotations

from typing import Any

from django import forms

from postroom.records import addresses as typed
from postroom.records.forms import RecordForm
from postroom.records.models import Candidate, Job
from postroom.records.record import NAME_LIMIT, Record


class CandidateForm(RecordForm):
    record_type = "candidate"
    name = forms.CharField(label="Name", max_length=NAME_LIMIT)
    address = forms.CharField(label="Email", max_length=400, required=False)
    job = forms.CharField(
        label="Job",
        max_length=200,
        required=False,
        help_text="A new title makes a new job.",
        widget=forms.TextInput(attrs={"list": "job-titles"}),
    )
    headline = forms.CharField(label="Headline", max_length=200, required=False)
    location = forms.CharField(label="Location", max_length=120, required=False)
    source = forms.CharField(label="Source", max_length=120, required=False)

    field_order = ["name", "address", "job", "headline", "location", "source", "owner"]

    def start(self, record: Record) -> dict[str, Any]:
        assert isinstance(record, Candidate)
        job = record.job.title if record.job else ""
        return {**super().start(record), "address": record.address, "job": job}

    def clean_address(self) -> str:
        text: str = self.cleaned_data["address"]
        return typed.address(text) if text.strip() else ""

    def job_titles(self) -> list[str]:
        """What is looked for now, for the field's list."""
        return list(Job.objects.for_workspace(self.workspace).filter(open=True).values_list("title", flat=True)[:200])
