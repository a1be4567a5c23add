"""Microsoft Entra ID as far as a mail client meets it: sign-in, consent, tokens and every way they fail."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..http import Handler, Request, Response, Route
from . import control, endpoint, metadata
from .errors import AuthError, OAuthError
from .records import CALLBACK_PATH, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from .service import entra
from .signin import SignIn
from .tokens import (
    Principal,
    authenticate,
    challenge,
    change_password,
    expire_access_tokens,
    fail_next_refresh,
    issue_token,
    revoke,
)

if TYPE_CHECKING:
    from ..world import World

_PAGES = (
    ("POST", "/{tenant}/oauth2/v2.0/token", endpoint.token),
    ("GET", "/{tenant}/v2.0/.well-known/openid-configuration", metadata.discovery),
    ("GET", "/{tenant}/discovery/v2.0/keys", metadata.keys),
    ("GET", "/oidc/userinfo", metadata.userinfo),
    ("POST", "/oidc/userinfo", metadata.userinfo),
    ("GET", "/sandbox/apps", control.list_apps),
    ("POST", "/sandbox/apps", control.put_app),
    ("POST", "/sandbox/tenants/{tenant}/policy", control.set_policy),
    ("POST", "/sandbox/tokens", control.make_token),
    ("POST", "/sandbox/mailboxes/{address}/refresh-failure", control.refresh_failure),
    ("POST", "/sandbox/mailboxes/{address}/claims-challenge", control.claims_challenge),
    ("POST", "/sandbox/mailboxes/{address}/revoke", control.revoke),
    ("POST", "/sandbox/mailboxes/{address}/change-password", control.change_password),
    ("POST", "/sandbox/mailboxes/{address}/expire-tokens", control.expire_tokens),
    ("POST", "/sandbox/mailboxes/{address}/account", control.account),
    ("POST", "/sandbox/mailboxes/{address}/withdraw-consent", control.withdraw_consent),
)


def routes(world: World) -> list[Route]:
    """Every route of Entra and of its control calls."""
    fixed = [Route(method, pattern, partial(handler, world)) for method, pattern, handler in _PAGES]
    every = [*SignIn(world).routes(), *fixed]
    return [Route(route.method, route.pattern, partial(_run, world, route.handler)) for route in every]


def _run(world: World, handler: Handler, request: Request, **params: str) -> Response:
    with world.operation():
        response = handler(request, **params)
    assert isinstance(response, Response)
    return response


__all__ = [
    "CALLBACK_PATH",
    "DEFAULT_CLIENT_ID",
    "DEFAULT_CLIENT_SECRET",
    "AuthError",
    "OAuthError",
    "Principal",
    "authenticate",
    "challenge",
    "change_password",
    "entra",
    "expire_access_tokens",
    "fail_next_refresh",
    "issue_token",
    "revoke",
    "routes",
]
