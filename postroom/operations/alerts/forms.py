"""How a workspace wants to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms

from postroom.operations.alerts.outgoing import NotDelivered, check_url
from postroom.operations.models import AlertSettings

HOURS = [(hour, f"{hour:02}:00") for hour in range(25)]


if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[AlertSettings]
else:
    _ModelForm = forms.ModelForm  # takes no type at run time


class AlertSettingsForm(_ModelForm):
    """Hours, working time, mail, webhook."""

    work_from = forms.TypedChoiceField(label="Working day from", choices=HOURS[:24], coerce=int)
    work_to = forms.TypedChoiceField(label="to", choices=HOURS[1:], coerce=int)
    time_zone = forms.ChoiceField(
        label="Time zone", choices=lambda: [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]
    )
    silent_hours = forms.IntegerField(label="Working hours without a sync", min_value=1, max_value=72)
    silent_any_hours = forms.IntegerField(label="Hours without a sync, at any time", min_value=1, max_value=24 * 14)

    class Meta:
        model = AlertSettings
        fields = ["silent_hours", "silent_any_hours", "work_from", "work_to", "time_zone", "by_mail", "webhook_url"]
        labels = {"by_mail": "Mail to the mailbox’s owner and the admins", "webhook_url": "Webhook"}

    def clean_webhook_url(self) -> str:
        url = str(self.cleaned_data.get("webhook_url") or "").strip()
        if url:
            try:
                check_url(url)
            except NotDelivered as problem:
                raise forms.ValidationError(f"This cannot be used: {problem}.") from None
        return url

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "work_from" in data and "work_to" in data and data["work_from"] >= data["work_to"]:
            self.add_error("work_to", "The day must end after it begins.")
        return data
