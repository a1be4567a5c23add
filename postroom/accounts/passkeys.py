"""Passkeys (WebAuthn), by django-allauth's mfa. What a browser sends is a stranger's: what is wrong is ``NoGood``."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any, TypeVar

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.db import transaction

from postroom.accounts.models import User

T = TypeVar("T")
LONGEST = 20_000  # characters of a credential
MOST = 20  # passkeys of one person


class NoGood(Exception):
    """The credential does not fit: not asked for by us, not known, or not readable."""


def possible(host: str) -> bool:
    """Browsers tie passkeys to a name; at a bare network address there are none."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return True
    return False


def creation_options(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey; the challenge waits in the session."""
    return dict(auth.begin_registration(user, passwordless=True))


def request_options(user: User | None = None) -> dict[str, Any]:
    """What the browser needs to use one: of this person, or (None) whichever it has for us."""
    return dict(auth.begin_authentication(user))


@transaction.atomic
def add(user: User, name: str, credential: str) -> Authenticator:
    """Keep a new passkey. Raises NoGood."""
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).count() >= MOST:
        raise NoGood("too many passkeys")
    told = _read(credential)
    binding = _checked(lambda: auth.complete_registration(told))
    if not binding.is_user_verified():
        raise NoGood("the device did not check who holds it")
    known = {"id", "rawId", "type", "response", "clientExtensionResults", "authenticatorAttachment"}
    row = auth.WebAuthn.add(user, name, {key: value for key, value in told.items() if key in known}).instance
    RecoveryCodes.activate(user)
    return row


def verify(user: User, credential: str) -> Authenticator:
    """The passkey of this person that answered our challenge. Raises NoGood."""
    told = _read(credential)
    return _checked(lambda: auth.complete_authentication(user, told))


def verify_anybody(credential: str) -> Authenticator:
    """The passkey that answered, and so its person. Raises NoGood."""
    told = _read(credential)
    user = _checked(lambda: auth.extract_user_from_response(told))
    return verify(user, credential)


def rename(row: Authenticator, name: str) -> None:
    """As its person calls it."""
    row.data["name"] = name
    row.save(update_fields=["data"])


def _read(credential: str) -> dict[str, Any]:
    try:
        told = json.loads(credential) if len(credential) <= LONGEST else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise NoGood("not a credential")
    return told


def _checked(ask: Callable[[], T]) -> T:
    """The library raises its own for what does not fit, and Python's for what it cannot even take apart."""
    try:
        return ask()
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError, IndexError) as problem:
        raise NoGood(type(problem).__name__) from None
