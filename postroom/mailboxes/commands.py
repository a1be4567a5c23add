"""Mailboxes without a browser: what `postroom mailbox …` calls (contracts/interfaces.md)."""

import base64
import ipaddress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
from django.conf import settings
from django.db import transaction

from postroom.lib import http
from postroom.lib.clock import now
from postroom.mailboxes import features, hooks, lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Account, Grant
from postroom.workspaces.models import Membership, Permission

PROVIDER = "microsoft"
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"  # graph.md 1.10


class CommandRefused(Exception):
    """The command can't do that; the text is one line that says why and what to do."""


def find(address: str) -> Mailbox:
    """The mailbox of an address, the oldest one if several workspaces have it. Raises ``CommandRefused``."""
    found = Mailbox.objects.filter(address=lifecycle.normal(address)).order_by("pk").first()
    if found is None:
        raise CommandRefused(f"there is no mailbox {address}; `postroom mailbox list` shows those there are")
    return found


def list_mailboxes() -> list[dict[str, Any]]:
    """One row per mailbox: address, workspace, health, messages, state, last sync (ISO 8601)."""
    rows = Mailbox.objects.select_related("workspace").order_by("address", "pk")
    return [
        {
            "address": one.address,
            "workspace": one.workspace.name,
            "state": one.state,
            "health": one.health,
            "failure": one.failure_detail or one.failure,
            "folders": (known := hooks.card(one)).get("folders", 0),
            "messages": known.get("messages", 0),
            "last_sync": one.last_success_at.isoformat() if one.last_success_at else None,
        }
        for one in rows
    ]


def connect_sandbox(address: str, since: str = "90d") -> Mailbox:
    """Connect a mailbox of the local sandbox without a browser; ``since`` is a value of ``Mailbox.History``.

    Repeating it renews the grant and, where wider, the history. Raises ``CommandRefused``.
    """
    if since not in Mailbox.History.values:
        raise CommandRefused(f"--since must be one of {', '.join(Mailbox.History.values)}, not {since}")
    grant = _sandbox_grant(lifecycle.normal(address))
    with transaction.atomic():
        mailbox = _connected(_member_for(address), grant)
        lifecycle.choose_history(mailbox, Mailbox.History(since))
    return mailbox


def disconnect(address: str, *, delete: bool = False) -> None:
    """As the button does. Raises ``CommandRefused``."""
    lifecycle.disconnect(find(address), delete=delete)


def _connected(member: Membership, grant: Grant) -> Mailbox:
    try:
        return lifecycle.connect(member, PROVIDER, grant)
    except lifecycle.AlreadyConnected as known:
        if known.mailbox is None or known.mailbox.connection is None:
            raise CommandRefused(str(known)) from None
        lifecycle.reconnect(known.mailbox.connection, grant)
        return known.mailbox


def _member_for(address: str) -> Membership:
    """Who shall own it: the member with that address, otherwise the first admin there is."""
    members = Membership.objects.select_related("user", "role", "workspace").order_by("pk")
    own = members.filter(user__email__iexact=lifecycle.normal(address)).first()
    if own is not None:
        return own
    admin = next((one for one in members if one.may(Permission.MANAGE_WORKSPACE)), None)
    if admin is None:
        raise CommandRefused("there is no workspace yet: run `postroom demo` first")
    return admin


def _sandbox_grant(address: str) -> Grant:
    """A grant from the sandbox's control call, which hands one out to whoever asks."""
    origin = settings.MICROSOFT_LOGIN_URL
    if not _loopback(origin):
        raise CommandRefused("--sandbox works only with a sandbox on this machine: MICROSOFT_LOGIN_URL is another host")
    scopes = features.scopes(PROVIDER, [one.name for one in features.offered(PROVIDER)])
    with http.client(trust_env=False) as client:
        try:
            answer = client.post(f"{origin}/sandbox/tokens", json={"user": address, "scopes": scopes})
        except httpx2.HTTPError as problem:
            raise CommandRefused(f"the sandbox at {origin} does not answer ({type(problem).__name__})") from None
    if answer.status_code != 200:
        raise CommandRefused(f"the sandbox has no grant for {address} (status {answer.status_code})")
    return _grant(answer.content, address)


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Token(msgspec.Struct):
    access_token: str
    id_token: str
    refresh_token: str
    expires_in: int
    scope: str


class _Claims(msgspec.Struct):
    tid: str
    oid: str
    name: str = ""
    preferred_username: str = ""


def _grant(body: bytes, address: str) -> Grant:
    """The token answer as a grant. The account's key is the one a sign-in would give (graph.md 1.10)."""
    try:
        token = msgspec.json.decode(body, type=_Token)
        payload = token.id_token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
    except (msgspec.MsgspecError, IndexError, ValueError):
        raise CommandRefused("the sandbox answered with something that is no token") from None
    return Grant(
        access_token=token.access_token,
        expires=now() + timedelta(seconds=token.expires_in),
        refresh_token=token.refresh_token,
        scopes=frozenset(token.scope.split()),
        account=Account(
            key=f"{claims.tid}:{claims.oid}",
            tenant=claims.tid,
            address=claims.preferred_username or address,
            name=claims.name or address,
            kind="personal" if claims.tid == PERSONAL_TENANT else "work",
        ),
    )
