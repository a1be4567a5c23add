"""/token: codes and refresh tokens become tokens (graph.md 1.4, 1.5)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from ..http import Request, Response, json_response
from .errors import OAuthError, error_response
from .jwt import b64url
from .records import App, Code
from .scopes import OPENID, parse
from .service import Entra, entra
from .tokens import Wish, refresh, token_response

if TYPE_CHECKING:
    from ..world import World

CODE_LIFETIME = 600.0


def token(world: World, request: Request, tenant: str) -> Response:
    """The token endpoint: 200 with tokens, or Entra's error document."""
    service = entra(world)
    fields = request.form()
    try:
        answer = _answer(service, request, tenant, fields)
    except OAuthError as error:
        correlation = request.headers.get("client-request-id", "")
        return error_response(error, now=world.clock.now(), correlation=correlation)
    return json_response(answer, headers=[("Cache-Control", "no-store"), ("Pragma", "no-cache")])


def _answer(service: Entra, request: Request, tenant: str, fields: dict[str, str]) -> dict[str, Any]:
    segment = service.tenant_segment(tenant)
    if segment is None:
        raise OAuthError(700016, f"There is no organisation '{tenant}'.")
    app = _client(service, request, fields)
    service.check_audience(app, segment)
    kind = fields.get("grant_type", "")
    info = fields.get("client_info") == "1"
    if kind == "authorization_code":
        return _redeem(service, request, app, segment, fields, info)
    if kind == "refresh_token":
        if not fields.get("refresh_token"):
            raise OAuthError(900144, "'refresh_token' is missing.")
        return refresh(
            service.world,
            app,
            fields["refresh_token"],
            scope=fields.get("scope", ""),
            claims=fields.get("claims", ""),
            base_url=request.base_url,
            client_info=info,
        )
    raise OAuthError(70003, f"'{kind}' was asked for.")


def _client(service: Entra, request: Request, fields: dict[str, str]) -> App:
    """The application, its secret checked. Raises OAuthError 700016, 7000215, 7000218, 7000222, 700025."""
    client_id, secret = _credentials(request, fields)
    if not client_id:
        raise OAuthError(900144, "'client_id' is missing.")
    app = service.apps.get(client_id)
    if app is None:
        raise OAuthError(700016, f"'{client_id}' was asked for.")
    if app.secret is None:
        if secret is not None:
            raise OAuthError(700025)
        if app.spa and "origin" not in request.headers:
            raise OAuthError(9002332, "A single-page app must redeem from its own origin.", error="invalid_request")
        return app
    if secret is None:
        raise OAuthError(7000218)
    if not hmac.compare_digest(secret.encode(), app.secret.encode()):
        raise OAuthError(7000215)
    if app.secret_expires is not None and service.now() >= app.secret_expires:
        raise OAuthError(7000222)
    return app


def _credentials(request: Request, fields: dict[str, str]) -> tuple[str, str | None]:
    """(client id, secret or None) from the body or from HTTP Basic."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, secret = b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError(70002) from None
        return unquote_plus(name), unquote_plus(secret)
    return fields.get("client_id", ""), fields.get("client_secret")


def _redeem(
    service: Entra, request: Request, app: App, segment: str, fields: dict[str, str], client_info: bool
) -> dict[str, Any]:
    code = service.codes.get(fields.get("code", ""))
    if code is None or code.client_id != app.client_id:
        raise OAuthError(70000, "The code is not known.")
    _check_code(service, code, segment, fields)
    code.used = True
    service.codes.put(fields["code"], code)
    user = service.world.users.get(code.user_id)
    if user is None:
        raise OAuthError(50034)
    asked = parse(fields["scope"], default=code.scopes) if fields.get("scope") else tuple(code.scopes)
    missing = service.missing(user, app.client_id, (name for name in asked if name not in OPENID))
    if missing:
        raise OAuthError(65001, f"Not consented: {' '.join(missing)}.", error="consent_required")
    names = tuple(dict.fromkeys([*asked, *(name for name in code.scopes if name in OPENID)]))
    wish = Wish(
        user=user,
        app=app,
        asked=names,
        base_url=request.base_url,
        nonce=code.nonce,
        session=code.session,
        cp1=code.cp1 or '"cp1"' in fields.get("claims", ""),
        client_info=client_info,
        verified=code.verified,
    )
    return token_response(service.world, wish)


def _check_code(service: Entra, code: Code, segment: str, fields: dict[str, str]) -> None:
    if code.used:
        raise OAuthError(54005)
    if service.now() > code.created + CODE_LIFETIME:
        raise OAuthError(70008)
    if code.tenant != segment:
        raise OAuthError(700005)
    if code.redirect_uri != fields.get("redirect_uri", ""):
        raise OAuthError(50011, "It must be the one the code was asked for with.", error="invalid_grant")
    if code.challenge and not _proves(code, fields.get("code_verifier", "")):
        raise OAuthError(501481)


def _proves(code: Code, verifier: str) -> bool:
    """Whether the verifier belongs to the code's challenge (RFC 7636)."""
    if not 43 <= len(verifier) <= 128:
        return False
    proof = b64url(hashlib.sha256(verifier.encode()).digest()) if code.method == "S256" else verifier
    return hmac.compare_digest(proof.encode(), code.challenge.encode())
