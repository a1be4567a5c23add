"""Sign in with Microsoft (product.md CN4): who somebody is, by the word of a tenant that a workspace allows.

Apart from connecting a mailbox: its own redirect URI, only `openid profile email`, no token is kept.

Who it is, is decided by (tid, oid) alone, bound to a person here once: through an invitation, by a workspace's rule for
its tenant, or by the signed-in person. **Never by an e-mail address.** The `email` and `preferred_username` of an
id_token are what the tenant's administrator, or the owner of a personal account, typed: anybody can set up a tenant,
give an account there the address of your director, and would be let in as the director (the "nOAuth" attack). So an
address that is known here is a reason to refuse, not to match.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse

from postroom.accounts import keys
from postroom.accounts.models import Identity, User
from postroom.accounts.policy import Arrival, policy
from postroom.lib.clock import now
from postroom.lib.crypto import CannotOpen
from postroom.lib.openid import Provider, Refused

NAME = "microsoft"
TRIPS, PLACE = "microsoft_trips", ("microsoft sign-in",)
MOST_TRIPS = 4  # tabs that may be on their way at once
LIFE = timedelta(minutes=10)
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"


class NotSignedIn(Exception):
    """``reason`` is a key of ``REASONS``; ``tenant`` helps an admin to allow it."""

    def __init__(self, reason: str, tenant: str = "") -> None:
        super().__init__(reason)
        self.reason, self.tenant = reason, tenant


@dataclass(frozen=True)
class Trip:
    """A way to Microsoft and back. Sealed in the session: a dump of the database has no verifier in it."""

    state: str
    nonce: str
    verifier: str
    at: float
    next: str = ""
    invitation: str = ""
    link: int = 0  # the signed-in person who wants their account bound to them


# What people read when it did not work: (what happened, what to do).
REASONS: Mapping[str, tuple[str, str]] = {
    "cancelled": ("You did not sign in at Microsoft.", "Try again, or use your password."),
    "declined": (
        "Your organisation did not let you sign in to Postroom.",
        "Ask the administrator of your Microsoft 365 to approve Postroom (openid, profile, email).",
    ),
    "expired": (
        "This sign-in took too long, or was begun in another window.",
        "Begin again. If it happens every time, allow cookies for this site.",
    ),
    "invalid": ("Microsoft's answer could not be trusted.", "Begin again. If it stays, tell who runs this Postroom."),
    "code": ("Microsoft did not confirm the sign-in.", "Begin again."),
    "setup": (
        "Postroom's registration at Microsoft is not in order.",
        "Tell who runs this Postroom: the client secret or the redirect URI needs mending (postroom doctor).",
    ),
    "unreachable": ("Microsoft cannot be reached just now.", "Try again in a minute, or use your password."),
    "tenant": (
        "Your organisation may not sign in here with Microsoft.",
        "An admin of the workspace can allow it in Settings, under Sign-in.",
    ),
    "unknown": (
        "This Microsoft account belongs to nobody here yet.",
        "Ask an admin for an invitation. If you have a password here, sign in with it and link your Microsoft account "
        "in Settings, under Security.",
    ),
    "address_taken": (
        "Somebody with this address has an account here already.",
        "If that is you: sign in with your password, then link your Microsoft account in Settings, under Security.",
    ),
    "inactive": ("Your account here is deactivated.", "Ask an admin of the workspace."),
    "linked_elsewhere": (
        "This Microsoft account is linked to somebody else here.",
        "Choose another Microsoft account, or unlink it there first.",
    ),
}


def available() -> bool:
    """Is Postroom registered at Microsoft at all?"""
    return bool(settings.MICROSOFT_CLIENT_ID)


def callback_url() -> str:
    """The redirect URI to register, beside the one for mailboxes."""
    return settings.POSTROOM_BASE_URL + reverse("accounts:microsoft-callback")


def begin(request: HttpRequest, *, next: str, invitation: str = "", link: User | None = None) -> str:
    """The address of Microsoft's page. Raises NotSignedIn."""
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (32, 32, 48))
    trip = Trip(state, nonce, verifier, now().timestamp(), next, invitation, link.pk if link else 0)
    boxes = request.session.get(TRIPS, [])[-(MOST_TRIPS - 1) :]
    request.session[TRIPS] = [*boxes, keys.seal_text(json.dumps(asdict(trip)), PLACE)]
    try:
        return provider().authorize_url(
            redirect_uri=callback_url(), state=state, nonce=nonce, verifier=verifier, prompt="select_account"
        )
    except Refused as problem:
        raise NotSignedIn(problem.reason) from None


def arrive(request: HttpRequest, answer: Mapping[str, str]) -> tuple[Trip, Arrival]:
    """Who came back, after every check. A trip is good for one answer. Raises NotSignedIn."""
    trip = _take_trip(request, answer.get("state", ""))
    if answer.get("error"):
        raise NotSignedIn("cancelled" if answer.get("error_subcode") == "cancel" else _declined(answer["error"]))
    try:
        claims = provider().redeem(
            code=answer.get("code", ""), redirect_uri=callback_url(), nonce=trip.nonce, verifier=trip.verifier
        )
    except Refused as problem:
        raise NotSignedIn(problem.reason) from None
    tenant, subject = str(claims.get("tid", "")), str(claims.get("oid", ""))
    if not tenant or not subject or len(tenant) > 64 or len(subject) > 64:
        raise NotSignedIn("invalid")
    address = str(claims.get("preferred_username") or claims.get("email") or "")[:320]
    name = str(claims.get("name") or "")[:200]
    return trip, Arrival(provider=NAME, tenant=tenant.lower(), subject=subject, address=address, name=name)


def person(arrival: Arrival, invitation: str) -> User:
    """Whose account this is here. Raises NotSignedIn."""
    identity = _identity(arrival)
    if identity is None:
        user = _admitted(arrival, invitation)
    else:
        user = identity.user
        if not user.is_active:
            raise NotSignedIn("inactive")
        if invitation:
            policy().accept_known(user, arrival, invitation)
        if not policy().tenant_allowed(user, arrival.tenant):
            raise NotSignedIn("tenant", arrival.tenant)
    Identity.objects.filter(user=user, tenant=arrival.tenant, subject=arrival.subject).update(
        used_at=now(), address=arrival.address
    )
    return user


def link(user: User, arrival: Arrival) -> Identity:
    """Bind an account to the person who is signed in and has just signed in there. Raises NotSignedIn."""
    known = _identity(arrival)
    if known is not None and known.user_id != user.pk:
        raise NotSignedIn("linked_elsewhere")
    if not policy().tenant_allowed(user, arrival.tenant):
        raise NotSignedIn("tenant", arrival.tenant)
    return known or _bind(user, arrival)


@cache
def _provider(login_url: str, tenant: str, client_id: str, client_secret: str) -> Provider:
    return Provider(f"{login_url}/{tenant}/v2.0", client_id=client_id, client_secret=client_secret)


def provider() -> Provider:
    """Microsoft, as the settings say. Personal accounts are of no tenant that could be allowed: they are not asked."""
    tenant = "organizations" if settings.MICROSOFT_TENANT == "common" else settings.MICROSOFT_TENANT
    client = (settings.MICROSOFT_CLIENT_ID, settings.MICROSOFT_CLIENT_SECRET)
    return _provider(settings.MICROSOFT_LOGIN_URL.rstrip("/"), tenant, *client)


def _take_trip(request: HttpRequest, state: str) -> Trip:
    found, left = None, []
    for box in request.session.get(TRIPS, []):
        try:
            trip = Trip(**json.loads(keys.open_text(box, PLACE)))
        except CannotOpen:
            continue
        if secrets.compare_digest(trip.state.encode(), state.encode()):
            found = trip
        else:
            left.append(box)
    if TRIPS in request.session:
        request.session[TRIPS] = left
    if found is None or now().timestamp() - found.at > LIFE.total_seconds():
        raise NotSignedIn("expired")
    return found


def _declined(error: str) -> str:
    return "declined" if error in ("access_denied", "consent_required", "interaction_required") else "invalid"


def _identity(arrival: Arrival) -> Identity | None:
    rows = Identity.objects.select_related("user")
    return rows.filter(provider=arrival.provider, tenant=arrival.tenant, subject=arrival.subject).first()


@transaction.atomic
def _admitted(arrival: Arrival, invitation: str) -> User:
    """Bound for the first time: by an invitation, or by a workspace's rule for the whole tenant."""
    if not policy().tenant_known(arrival.tenant):
        raise NotSignedIn("tenant", arrival.tenant)
    user = policy().admit(arrival, invitation)
    if user is None:
        taken = bool(arrival.address) and User.objects.filter(email=arrival.address.lower()).exists()
        raise NotSignedIn("address_taken" if taken else "unknown", arrival.tenant)
    _bind(user, arrival)
    return user


def _bind(user: User, arrival: Arrival) -> Identity:
    try:
        with transaction.atomic():
            return Identity.objects.create(
                user=user,
                provider=arrival.provider,
                tenant=arrival.tenant,
                subject=arrival.subject,
                address=arrival.address,
            )
    except IntegrityError:  # two windows at once
        raise NotSignedIn("linked_elsewhere") from None
