"""Second factors: an authenticator app (TOTP), passkeys, recovery codes. Kept and checked by django-allauth's mfa;
guesses and used codes are counted in the database here, because its own counters live in one process's memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from postroom.accounts import keys, limits
from postroom.accounts.models import User
from postroom.lib.clock import now
from postroom.lib.crypto import CannotOpen

PLACE = ("second factor",)
PENDING = "pending_authenticator"  # in the session, sealed
REAL = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
SEALED = ("secret", "seed")  # what of an authenticator's data is sealed
REPLAY = timedelta(minutes=2)  # longer than a code is valid


class TooMany(Exception):
    """Too many wrong codes; the right one does not help until the window is over."""


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's questions to us."""

    def encrypt(self, text: str) -> str:
        """AD1: nothing that opens an account lies open in the database."""
        return keys.seal_text(text, PLACE)

    def decrypt(self, encrypted_text: str) -> str:
        return keys.open_text(encrypted_text, PLACE)

    def get_totp_issuer(self) -> str:
        return "Postroom"

    def _get_site_name(self) -> str:
        return "Postroom"


@dataclass(frozen=True)
class Factors:
    """What a person has set up."""

    totp: Authenticator | None
    passkeys: list[Authenticator]
    codes_left: int

    @property
    def any(self) -> bool:
        return bool(self.totp or self.passkeys)


def of(user: User) -> Factors:
    """Everything a person has set up, for their own screen."""
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    by_type: dict[str, list[Authenticator]] = {}
    for row in rows:
        by_type.setdefault(row.type, []).append(row)
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES, [])
    return Factors(
        totp=next(iter(by_type.get(Authenticator.Type.TOTP, [])), None),
        passkeys=by_type.get(Authenticator.Type.WEBAUTHN, []),
        codes_left=len(RecoveryCodes(codes[0]).get_unused_codes()) if codes else 0,
    )


def has(user: User) -> bool:
    """Is there a second factor? (Recovery codes alone are none.)"""
    return bool(Authenticator.objects.filter(user=user, type__in=REAL).exists())


def check(user: User, code: str) -> str:
    """The type of authenticator a code belongs to, "" for none. A code counts once. Raises TooMany."""
    _count_guess(user)
    found = _matching(user, "".join(code.split()))
    if found is None:
        return ""
    forget_guesses(user)
    used(found)
    return str(found.type)


def guessed_too_often(user: User) -> bool:
    """One guess more (of a password in a session, say). True when there were too many in this window."""
    try:
        _count_guess(user)
    except TooMany:
        return True
    return False


def forget_guesses(user: User) -> None:
    """The right one was among them."""
    limits.forget("second-factor", str(user.pk))


def _count_guess(user: User) -> None:
    window = timedelta(seconds=settings.SIGN_IN_WINDOW_SECONDS)
    if limits.hit("second-factor", str(user.pk), window=window) > settings.SIGN_IN_LIMIT:
        raise TooMany


def _matching(user: User, code: str) -> Authenticator | None:
    rows = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN).order_by("-type")
    return next((row for row in rows if _holds(row, code)), None)


def _holds(row: Authenticator, code: str) -> bool:
    if row.type == Authenticator.Type.RECOVERY_CODES:
        return bool(RecoveryCodes(row).validate_code(code))
    if not totp.validate_totp_code(Adapter().decrypt(row.data["secret"]), code):
        return False
    return limits.hit("totp", str(row.pk), code, window=REPLAY) == 1


# -- the authenticator app


def pending_secret(request: HttpRequest, user: User, *, fresh: bool = False) -> str:
    """The secret a person is about to set up: kept sealed in their session until a first code proves it arrived."""
    place = ("pending authenticator", str(user.pk))
    box = request.session.get(PENDING, "")
    if box and not fresh:
        try:
            return keys.open_text(box, place)
        except CannotOpen:
            pass  # the keys changed meanwhile, or another person's session: start again
    secret = str(totp.generate_totp_secret())
    request.session[PENDING] = keys.seal_text(secret, place)
    return secret


def proves(secret: str, code: str, user: User) -> bool:
    """Does a first code come from this secret? Raises TooMany."""
    _count_guess(user)
    right = bool(totp.validate_totp_code(secret, "".join(code.split())))
    if right:
        forget_guesses(user)
    return right


@transaction.atomic
def set_up(user: User, secret: str) -> None:
    """The authenticator app counts from now on, in place of an earlier one; with it come recovery codes."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
    totp.TOTP.activate(user, secret)
    RecoveryCodes.activate(user)


def qr_code(user: User, secret: str) -> tuple[str, str]:
    """(the address for the app, its picture as SVG)."""
    url = Adapter().build_totp_url(user, secret)
    return url, Adapter().build_totp_svg(url)


# -- recovery codes, removing, rotation


def recovery_codes(user: User, *, renew: bool = False) -> list[str]:
    """Those not used yet; ``renew`` makes all others worthless. Empty for who has no second factor."""
    if not has(user):
        return []
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if renew:
            Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
        return list(RecoveryCodes.activate(user).get_unused_codes())


@transaction.atomic
def remove(user: User, **which: Any) -> int:
    """Take authenticators away; recovery codes go with the last of the others. Returns how many were removed."""
    gone = Authenticator.objects.filter(user=user, type__in=REAL, **which).delete()[0]
    if not has(user):
        Authenticator.objects.filter(user=user).delete()
    return int(gone)


def reset(user: User) -> int:
    """For who lost everything: an admin or the command line takes all factors away. Returns how many there were."""
    return int(Authenticator.objects.filter(user=user).delete()[0])


def reseal(batch: int = 200) -> int:
    """Bring every secret under the newest key (AD1). Returns how many were; may be interrupted and repeated.

    Raises ``CannotOpen`` when a key that is still needed is no longer configured.
    """
    done, last = 0, 0
    while True:
        found = list(Authenticator.objects.filter(pk__gt=last).order_by("pk")[:batch])
        done += sum(_resealed(row.pk) for row in found if _old(row))
        if not found:
            return done
        last = found[-1].pk


def _old(row: Authenticator) -> dict[str, str]:
    """What of it is sealed with an older key."""
    return {name: row.data[name] for name in SEALED if name in row.data and not keys.is_current(row.data[name])}


@transaction.atomic
def _resealed(pk: int) -> bool:
    row = Authenticator.objects.select_for_update().filter(pk=pk).first()
    old = _old(row) if row else {}
    if row is not None and old:
        row.data |= {name: keys.seal_text(keys.open_text(box, PLACE), PLACE) for name, box in old.items()}
        row.save(update_fields=["data"])
    return bool(old)


def used(row: Authenticator) -> None:
    """A passkey was used."""
    row.last_used_at = now()
    row.save(update_fields=["last_used_at"])
