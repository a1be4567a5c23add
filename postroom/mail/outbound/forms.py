"""What an admin may type about the workspace's mail server, and about what a mailbox may send."""

import re
from typing import Any

from django import forms

from postroom.mail.ways import Allowance, MailServer

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[?[0-9a-fA-F:]+\]?")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9-]+(?:\.[a-z0-9-]+)+")


class ServerForm(forms.Form):
    host = forms.CharField(label="Server", max_length=253, help_text="For example smtp.example.com.")
    port = forms.IntegerField(label="Port", min_value=1, max_value=65_535, initial=465)
    security = forms.ChoiceField(label="Encryption", choices=MailServer.Security)
    username = forms.CharField(label="User name", max_length=320, required=False)
    password = forms.CharField(
        label="Password",
        max_length=1000,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Left empty, the one that is kept stays, as long as server and user name do.",
    )
    domains = forms.CharField(
        label="Domains it may send for",
        max_length=2000,
        required=False,
        help_text="Separated by commas. Their SPF and DKIM have to name this server, else mail lands in Junk.",
    )
    sender = forms.EmailField(
        label="From for every other address",
        max_length=320,
        required=False,
        help_text="Answers go to the mailbox all the same.",
    )
    steps_in = forms.BooleanField(label="Send through it when a mailbox has reached its limit", required=False)

    def clean_host(self) -> str:
        host = str(self.cleaned_data["host"]).strip()
        if not _HOST.fullmatch(host):
            raise forms.ValidationError("This is no name of a server.")
        return host.strip("[]").lower()

    def clean_domains(self) -> list[str]:
        words = [word.lstrip("@") for word in re.split(r"[\s,;]+", str(self.cleaned_data["domains"]).lower()) if word]
        if wrong := [word for word in words if not _DOMAIN.fullmatch(word)]:
            raise forms.ValidationError(f"{wrong[0][:80]} is no domain.")
        return list(dict.fromkeys(words))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors and not found.get("domains") and not found.get("sender"):
            self.add_error("domains", "Name the domains it may send for, or an address to send from.")
        if found.get("security") == MailServer.Security.NONE and found.get("username"):
            self.add_error("security", "A password is only sent over an encrypted connection.")
        return found


class AllowanceForm(forms.Form):
    route = forms.ChoiceField(choices=Allowance.Route)
    daily = forms.IntegerField(min_value=1, max_value=1_000_000, required=False)
