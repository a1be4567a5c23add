"""Sign-in and profile forms."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest

from postroom.accounts import limits, signing_in
from postroom.accounts.models import SignIn, User

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
            self._note_failure(data["email"])
            raise forms.ValidationError(WRONG, code="wrong")
        for key in keys:
            limits.forget(*key)
        self.user = user
        return data

    def _note_failure(self, email: str) -> None:
        """The person sees it among their recent sign-ins. What the page says is the same for an address nobody has."""
        known = User.objects.filter(email=email.strip().lower()).first()
        if known is not None:
            signing_in.failed(self.request, known, how=SignIn.How.PASSWORD)


class CodeForm(forms.Form):
    """Six digits of an authenticator app, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )


class PasswordForm(forms.Form):
    """A new password for who is signed in. ``set`` of somebody who has none yet."""

    new = forms.CharField(
        label="New password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="The same once more",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "new" in data and "again" in data:
            if data["new"] != data["again"]:
                self.add_error("again", "The two are not the same.")
            else:
                self._validate(data["new"])
        return data

    def _validate(self, password: str) -> None:
        try:
            validate_password(password, self.user)
        except forms.ValidationError as problem:
            self.add_error("new", problem)


class ProfileForm(ProfileBase):
    """What people say about themselves."""

    time_zone = forms.ChoiceField(choices=[(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())])

    class Meta:
        model = User
        fields = ["name", "time_zone"]
