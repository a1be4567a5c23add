"""The steps of registering Postroom in Entra (product.md AD6), each with what to enter, what goes into .env, and the
checks that tell whether it is done. Nothing is stored here: settings come from the environment.
"""

# ruff: noqa: E501 -- sentences read better unbroken

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from postroom.operations.decoder.letter import App
from postroom.operations.decoder.remedies import ENTERPRISE, ENTRA, REGISTRATION
from postroom.operations.doctor.findings import HOOK, Finding, Installation, State


@dataclass(frozen=True)
class Copy:
    """Something to copy to Microsoft's page."""

    label: str
    value: str


@dataclass(frozen=True)
class Step:
    """One step. `checks` are the keys of findings; it is done when all of them are right."""

    key: str
    title: str
    text: str
    where: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    env: str = ""
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Walked:
    """A step with what the checks found. `state` is None while they are still asked."""

    step: Step
    findings: tuple[Finding, ...]
    state: State | None


def steps(here: Installation, app: App) -> tuple[Step, ...]:
    """All steps for this installation, in order."""
    return (
        Step(
            "address",
            "Decide the address",
            "Members and Microsoft reach Postroom there: https, with a certificate that everybody trusts. The proxy passes "
            "requests on to postroom serve.",
            env="POSTROOM_PUBLIC_URL=https://crm.example.com",
            checks=("public_url", "dns", "tls"),
        ),
        Step(
            "register",
            "Register the app",
            "Enter the name members shall see, choose who can connect, and add the redirect URI under the platform Web. Then "
            "copy the Application (client) ID from the overview.",
            where=(f"{ENTRA} → Identity → Applications → App registrations → New registration",),
            copies=(Copy("Name", "Postroom"), Copy("Redirect URI (Web)", here.redirect_uri)),
            env="MICROSOFT_CLIENT_ID=the Application (client) ID\nMICROSOFT_TENANT=common, organizations, or your tenant’s id",
            checks=("client_id", "entra", "redirect"),
        ),
        Step(
            "secret",
            "Make a client secret",
            "Copy its Value at once: it is shown a single time, and its ID is of no use. Note the day it ends too: Postroom "
            "warns before it, and Entra does not tell.",
            where=(f"{REGISTRATION} → Certificates & secrets → Client secrets → New client secret",),
            env="MICROSOFT_CLIENT_SECRET=the secret’s Value\nMICROSOFT_CLIENT_SECRET_EXPIRES=2027-05-31",
            checks=("client_secret", "secret_days"),
        ),
        Step(
            "permissions",
            "List the permissions",
            "Delegated ones of Microsoft Graph: Postroom acts as the member who signed in, never by itself. Each member is "
            "asked only for what they choose.",
            where=(f"{REGISTRATION} → API permissions → Add a permission → Microsoft Graph → Delegated permissions",),
            copies=(Copy("Permissions", " ".join(app.scopes)),),
            checks=("permissions",),
        ),
        Step(
            "consent",
            "Approve it for everybody",
            "Only where members may not consent by themselves. One click of an administrator, and nobody is asked any more.",
            where=(
                f"{REGISTRATION} → API permissions → Grant admin consent",
                f"{ENTERPRISE} → Users and groups (who may)",
            ),
        ),
        Step(
            "restart",
            "Restart both processes",
            "Settings are read when a process starts.",
            env="postroom serve\npostroom worker",
            checks=("workers", "credentials"),
        ),
        Step(
            "push",
            "Let notifications in",
            "Microsoft posts to this address from its own network: no sign-in page, no challenge, and the query string kept.",
            copies=(Copy("Notification address", f"{here.public_url or 'https://crm.example.com'}{HOOK}"),),
            checks=("webhook", "graph", "clock"),
        ),
    )


def walk(all_steps: Sequence[Step], found: Mapping[str, Sequence[Finding]] | None) -> list[Walked]:
    """Steps with their findings by key; without findings (None) none is judged yet."""
    return [_walked(step, found) for step in all_steps]


def _walked(step: Step, found: Mapping[str, Sequence[Finding]] | None) -> Walked:
    if found is None:
        return Walked(step, (), None)
    mine = tuple(finding for key in step.checks for finding in found.get(key, ()))
    told = [one.state for one in mine]
    if not told:
        return Walked(step, mine, State.NONE)
    worst = next((state for state in (State.FAIL, State.WARN, State.OK) if state in told), State.NONE)
    return Walked(step, mine, worst)
