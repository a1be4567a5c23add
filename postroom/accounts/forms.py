"""Sign-in and profile forms."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest

from postroom.accounts import limits
from postroom.accounts.models import User

if TYPE_CHECKING:
    ProfileBase = forms.ModelForm[User]
else:
    ProfileBase = forms.ModelForm

WRONG = "That address and password do not belong together."
TOO_MANY = "Too many attempts. Wait 15 minutes, or ask a workspace admin to reset your password."


class SignInForm(forms.Form):
    """Address and password, with guesses limited per address and per network address (AD5)."""

    email = forms.EmailField(
        label="Email", max_length=320, widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "email" not in data or "password" not in data:
            return data
        window = timedelta(seconds=settings.SIGN_IN_WINDOW_SECONDS)
        keys = [
            ("sign-in", data["email"].lower()),
            ("sign-in-from", self.request.META.get("REMOTE_ADDR", "")),
        ]
        # Counted before the password is looked at: parallel guesses cannot slip through together.
        if max(limits.hit(*key, window=window) for key in keys) > settings.SIGN_IN_LIMIT:
            raise forms.ValidationError(TOO_MANY, code="throttled")
        user = authenticate(self.request, username=data["email"], password=data["password"])
        if not isinstance(user, User):
            raise forms.ValidationError(WRONG, code="wrong")
        for key in keys:
            limits.forget(*key)
        self.user = user
        return data


class ProfileForm(ProfileBase):
    """What people say about themselves."""

    time_zone = forms.ChoiceField(choices=[(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())])

    class Meta:
        model = User
        fields = ["name", "time_zone"]
