"""Users, and the counters that slow down guessing."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from postroom.lib.clock import now


class UserManager(BaseUserManager["User"]):
    """Looks people up by address, in any case."""

    def create_user(self, email: str, name: str = "", password: str | None = None, **fields: Any) -> User:
        """A new person; without a password they can sign in by other means only."""
        user = self.model(email=email.strip().lower(), name=name, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who signs in. What they may do is a matter of their membership in a workspace."""

    email = models.EmailField("email address", max_length=320, unique=True)
    name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)  # runs the installation: operator page, doctor
    created_at = models.DateTimeField(default=now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def first_name(self) -> str:
        """What to call them in a sentence."""
        return (self.name or self.email).split("@")[0].split(" ")[0]


class Identity(models.Model):
    """An account at an identity provider that is a person's here: bound once by somebody entitled to, never by address.

    ``tenant`` and ``subject`` (Microsoft: tid and oid) never change and are never given to somebody else; addresses do
    and are (graph.md 1.10).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    provider = models.CharField(max_length=20, default="microsoft")
    tenant = models.CharField(max_length=64)
    subject = models.CharField(max_length=64)
    address = models.CharField(max_length=320, blank=True)  # what the provider called it then: for display only
    bound_at = models.DateTimeField(default=now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "tenant", "subject"], name="identity_once")]

    def __str__(self) -> str:
        return self.address or self.subject


class SignIn(models.Model):
    """An attempt to sign in to a person's account; while its session lives, a line of the session list (AD5)."""

    class How(models.TextChoices):
        """By what."""

        PASSWORD = "password", "Password"
        PASSWORD_AND_CODE = "password+code", "Password and code"
        PASSWORD_AND_RECOVERY = "password+recovery", "Password and recovery code"
        PASSWORD_AND_PASSKEY = "password+passkey", "Password and passkey"
        PASSKEY = "passkey", "Passkey"
        MICROSOFT = "microsoft", "Microsoft"
        DEMO = "demo", "Demo"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    at = models.DateTimeField(default=now)
    how = models.CharField(max_length=20, choices=How)
    succeeded = models.BooleanField(default=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=80, blank=True)
    session_key = models.CharField(max_length=40, blank=True)  # as django_session has it
    seen_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-at"], name="sign_in_newest"),
            models.Index(fields=["at"], name="sign_in_age"),
        ]

    def __str__(self) -> str:
        return f"{self.how} {self.at:%Y-%m-%d}"


class Throttle(models.Model):
    """How often something happened in the current window; `key` is a digest, so that no address is kept."""

    key = models.CharField(max_length=64, primary_key=True)
    window_started_at = models.DateTimeField()
    hits = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["window_started_at"], name="throttle_window")]
