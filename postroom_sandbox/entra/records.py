"""What Entra remembers: applications, codes, refresh tokens, grants, sessions, and what was done to an account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

import msgspec

Audience = Literal[
    "AzureADandPersonalMicrosoftAccount", "AzureADMultipleOrgs", "AzureADMyOrg", "PersonalMicrosoftAccount"
]

DEFAULT_CLIENT_ID = "8f6c2b1e-4d7a-4c53-9e21-6b0d5a3f7c90"
DEFAULT_CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - public on purpose: it opens nothing but the sandbox
CALLBACK_PATH = "/mailboxes/connect/microsoft/callback"
SIGN_IN_PATH = "/sign-in/microsoft/callback"  # signing in at the product itself
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


class App(msgspec.Struct, kw_only=True):
    """An application registration. No secret = a public client. `secret_expires` is a Unix time.

    `loopback_paths`: any loopback URI with one of these paths is a redirect URI too, whatever its port.
    """

    client_id: str
    name: str
    secret: str | None = None
    secret_expires: float | None = None
    redirect_uris: list[str] = []
    loopback_paths: list[str] = []
    audience: Audience = "AzureADandPersonalMicrosoftAccount"
    tenant_id: str = ""
    scopes: list[str] = msgspec.field(default_factory=lambda: ["User.Read"])
    spa: bool = False
    implicit_id_token: bool = False
    require_pkce: bool = True
    disabled: bool = False

    def accepts(self, redirect_uri: str) -> bool:
        """Exact comparison with the registered URIs (graph.md 1.2), loopback ports aside."""
        if redirect_uri in self.redirect_uris:
            return True
        return is_loopback(redirect_uri) and self._loopback(urlsplit(redirect_uri))

    def _loopback(self, uri: object) -> bool:
        return getattr(uri, "path", "") in self.loopback_paths and getattr(uri, "scheme", "") in {"http", "https"}


class Code(msgspec.Struct, kw_only=True):
    """An authorization code: single use, ten minutes, bound to client, redirect URI, tenant segment and PKCE."""

    client_id: str
    user_id: str
    tenant: str
    redirect_uri: str
    scopes: list[str]
    created: float
    challenge: str = ""
    method: str = "plain"
    nonce: str = ""
    session: str = ""
    cp1: bool = False
    verified: bool = False
    used: bool = False


class RefreshToken(msgspec.Struct, kw_only=True):
    """A refresh token (kept under its hash). Used ones stay valid; each use makes a new one (graph.md 1.5)."""

    client_id: str
    user_id: str
    scopes: list[str]
    issued: float
    confidential: bool
    lifetime: float
    cp1: bool = False
    verified: bool = False  # comes of a sign-in that passed on the claims of a challenge


class Grant(msgspec.Struct):
    """The scopes a user, or an administrator for a whole tenant, has granted an application so far."""

    scopes: list[str]

    def with_more(self, names: Iterable[str]) -> Grant:
        return Grant(list(dict.fromkeys([*self.scopes, *names])))


class Session(msgspec.Struct):
    """A browser: who is signed in in it, last used first."""

    users: list[str] = []


class Failure(msgspec.Struct):
    """A refusal the next `times` refreshes get (0 = until it is taken back)."""

    code: int
    times: int = 1


class Account(msgspec.Struct, kw_only=True):
    """What has been done to an account. Times are Unix seconds; 0 = never.

    Access tokens issued up to `expired_at` count as expired. Refresh tokens issued up to `revoked_at` (all) or
    `password_at` (public clients' only) are revoked. Access tokens issued up to `challenged_at` get a claims challenge;
    with `challenge_refuses` so do later ones, until a sign-in passes the claims on.
    """

    expired_at: float = 0
    revoked_at: float = 0
    password_at: float = 0
    challenged_at: float = 0
    challenge_refuses: bool = False
    disabled: bool = False
    admin: bool = False
    failures: list[Failure] = []


class TenantPolicy(msgspec.Struct):
    """The consent policy a tenant was switched to.

    `guarded`: scopes that need an administrator on top of the policy's own. `withheld`: scopes that are consented to
    and yet missing from every token.
    """

    consent: Literal["legacy", "low", "managed", "none"]
    guarded: list[str] = []
    withheld: list[str] = []


class KeyRecord(msgspec.Struct):
    """The world's signing key, PEM."""

    pem: str
