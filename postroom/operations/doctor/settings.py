"""Checks of what is in the environment and on this machine. No network, no database, no Django."""

from __future__ import annotations

import shutil
import tempfile
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from postroom.lib.clock import now
from postroom.lib.crypto import BadKey, Keyring
from postroom.operations.decoder.remedies import REGISTRATION
from postroom.operations.doctor.findings import (
    Check,
    Finding,
    Installation,
    State,
    by_days,
    fail,
    is_loopback,
    none,
    ok,
    warn,
)

LITTLE_SPACE = 2 * 1024**3
GENERATE = "Generate both with `postroom doctor --generate-keys` and put them into .env."
REGISTER = "Register an app in Entra (docs/microsoft-setup.md) and set it."
SECRETS = f"{REGISTRATION} → Certificates & secrets → Client secrets"


def encryption_keys(here: Installation) -> Iterator[Finding]:
    try:
        Keyring(here.keys)
    except BadKey as problem:
        yield fail("keys", "Encryption keys", str(problem), GENERATE)
        return
    yield ok("keys", "Encryption keys", f"{len(here.keys)} (the first seals, all open)")


def registration(here: Installation) -> Iterator[Finding]:
    for name, there in (("MICROSOFT_CLIENT_ID", bool(here.client_id)), ("MICROSOFT_CLIENT_SECRET", here.has_secret)):
        key = name.lower().removeprefix("microsoft_")
        yield ok(key, name, "set") if there else fail(key, name, "not set", REGISTER, f"{REGISTRATION} → Overview")


def secret_days(here: Installation) -> Iterator[Finding]:
    """The client secret's end (product.md AD1: 30, 7 and 1 days before)."""
    key, what = "secret_days", "Client secret's end"
    if not here.has_secret:
        yield none(key, what, "no secret")
    elif here.secret_ends is None:
        if here.is_sandbox:
            yield none(key, what, "the sandbox's secret has no end")
            return
        mend = "Set MICROSOFT_CLIENT_SECRET_EXPIRES to the day Entra shows, so that Postroom warns before it ends."
        yield warn(key, what, "not known", mend, f"{SECRETS} → column Expires")
    else:
        days = (here.secret_ends - now().date()).days
        state = by_days(days)
        left = "over" if days < 0 else "in 1 day" if days == 1 else f"in {days} days"
        found = f"{here.secret_ends}, {left}"
        mend = "" if state is State.OK else "Make a new secret, set both settings, restart. Nobody signs in again."
        yield Finding(key, what, state, found, mend, (f"{SECRETS} → New client secret",) if mend else ())


def redirect_form(here: Installation) -> Iterator[Finding]:
    """What Entra would not even let us register."""
    url, key, what = here.public_url, "public_url", "Public URL"
    if not url:
        mend = "Set POSTROOM_PUBLIC_URL to the address members open; without it mail is polled."
        yield warn(key, what, "not set", mend)
        return
    host = url.split("//", 1)[-1].split("/")[0]
    if url != url.lower():
        mend = "Entra compares redirect URIs by case: write the host in lower case, and the path as registered."
        yield warn(key, what, f"{url} has capital letters", mend)
    elif not url.startswith("https://") and not is_loopback(host.rsplit(":", 1)[0].strip("[]")):
        yield fail(
            key, what, f"{url} is not https", "Entra accepts http only for this machine: put a TLS proxy in front."
        )
    else:
        yield ok(key, what, f"{url}; redirect URI {here.redirect_uri}")


def storage(here: Installation) -> Iterator[Finding]:
    """Attachments and the embedded database are written here."""
    key, what, place = "storage", "Storage", here.home
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=_files(place)) as probe:
            probe.write(b"postroom")
        free = shutil.disk_usage(place).free
    except OSError as problem:
        yield fail(
            key, what, f"{place} cannot be written ({problem.strerror})", "Give the process's user that directory."
        )
        return
    found = f"{place} is writable, {free / 1024**3:.1f} GB free"
    yield ok(key, what, found) if free > LITTLE_SPACE else warn(key, what, found, "Make room, or move POSTROOM_HOME.")


def _files(place: Path) -> Path:
    files = place / "files"
    return files if files.is_dir() else place


def time_zones(here: Installation) -> Iterator[Finding]:
    """Times are shown in members' zones."""
    count = len(zoneinfo.available_timezones())
    if count > 300:
        yield ok("time_zones", "Time zones", f"{count} known")
    else:
        yield fail(
            "time_zones", "Time zones", f"only {count} known", "Install the system's tzdata.", "apt install tzdata"
        )


CHECKS: tuple[Check, ...] = (encryption_keys, registration, secret_days, redirect_form, storage, time_zones)
