"""Tokens: made, refreshed, revoked, checked (graph.md 1.4-1.6, 1.10, 1.12)."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..http import Headers, Request
from ..users import PERSONAL, User
from .errors import GRAPH_APP, AuthError, OAuthError, answers_challenge, claims_request
from .jwt import b64url
from .records import DEFAULT_CLIENT_ID, Account, App, RefreshToken
from .scopes import OPENID, echo, for_account, parse
from .service import Entra, entra

if TYPE_CHECKING:
    from ..world import World

REFRESH_LIFETIME = 90 * 86400.0
SPA_LIFETIME = 86400.0
CAE_MINUTES = 24 * 60
_CACHE_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a bearer token speaks for, and what it may do."""

    user: User
    scopes: frozenset[str]
    client_id: str
    issued: float
    expires: float
    cp1: bool
    token_id: str
    verified: bool = False

    def may(self, *names: str) -> bool:
        """Whether the token carries at least one of the scopes."""
        return not self.scopes.isdisjoint(names)


@dataclass(frozen=True, slots=True)
class Wish:
    """A token answer to be made: for whom, for which application, with what in it."""

    user: User
    app: App
    asked: tuple[str, ...]
    base_url: str
    minutes: int = 75
    nonce: str = ""
    session: str = ""
    cp1: bool = False
    client_info: bool = False
    refresh: bool = True
    verified: bool = False


def token_response(world: World, wish: Wish) -> dict[str, Any]:
    """The JSON of a successful token answer. Makes and keeps the refresh token when `offline_access` was asked."""
    service = entra(world)
    now = service.now()
    granted = service.granted(wish.user, wish.app.client_id)
    personal = wish.user.kind == PERSONAL
    carried = wish.asked if personal else tuple(dict.fromkeys([*wish.asked, *granted]))
    withheld = service.withheld(wish.user)
    carried = tuple(name for name in carried if (name in granted or name in OPENID) and name not in withheld)
    seconds = (CAE_MINUTES if wish.cp1 else wish.minutes) * 60
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": echo(carried),
        "expires_in": seconds - 1,
        "ext_expires_in": seconds - 1,
        "access_token": _access_token(service, wish, carried, now, seconds),
    }
    if wish.refresh and "offline_access" in wish.asked:
        answer["refresh_token"] = _new_refresh(service, wish, now)
    if "openid" in wish.asked:
        answer["id_token"] = id_token(service, wish, now)
    if wish.client_info:
        info = json.dumps({"uid": wish.user.id, "utid": wish.user.tenant_id})
        answer["client_info"] = b64url(info.encode())
    return answer


def subject(user: User, client_id: str) -> str:
    """The `sub` claim: pairwise, stable for one user and application."""
    return b64url(hashlib.sha256(f"{user.id}:{client_id}".encode()).digest())


def id_token(service: Entra, wish: Wish, now: float) -> str:
    """A signed OpenID Connect id_token (graph.md 1.10)."""
    user = wish.user
    claims: dict[str, Any] = {
        "aud": wish.app.client_id,
        "iss": f"{wish.base_url}/{user.tenant_id}/v2.0",
        "iat": int(now),
        "nbf": int(now),
        "exp": int(now) + 3600,
        "sub": subject(user, wish.app.client_id),
        "tid": user.tenant_id,
        "uti": secrets.token_urlsafe(16),
        "rh": "0." + secrets.token_urlsafe(24),
        "ver": "2.0",
    }
    if wish.session:
        claims["sid"] = session_state(wish.session)
    if "profile" in wish.asked:
        claims |= {"oid": user.id, "name": user.name, "preferred_username": user.address}
    if "email" in wish.asked:
        claims["email"] = user.address
    if wish.nonce:
        claims["nonce"] = wish.nonce
    return service.key.sign(claims)


def session_state(session: str) -> str:
    """The public name of a browser session."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, session))


def _access_token(service: Entra, wish: Wish, scopes: Iterable[str], now: float, seconds: int) -> str:
    claims: dict[str, Any] = {
        "aud": GRAPH_APP,
        "iss": f"https://sts.windows.net/{wish.user.tenant_id}/",
        "iat": int(now),
        "nbf": int(now),
        "exp": int(now) + seconds,
        "appid": wish.app.client_id,
        "oid": wish.user.id,
        "scp": echo(scopes),
        "tid": wish.user.tenant_id,
        "sbx_time": now,
        "uti": secrets.token_urlsafe(12),
        "ver": "1.0",
    }
    if wish.cp1:
        claims["xms_cc"] = ["cp1"]
    if wish.verified:
        claims["sbx_verified"] = True
    return service.key.sign(claims)


def _new_refresh(service: Entra, wish: Wish, now: float) -> str:
    token = "1.AX" + secrets.token_urlsafe(64)
    record = RefreshToken(
        client_id=wish.app.client_id,
        user_id=wish.user.id,
        scopes=list(wish.asked),
        issued=now,
        confidential=wish.app.secret is not None,
        lifetime=SPA_LIFETIME if wish.app.spa else REFRESH_LIFETIME,
        cp1=wish.cp1,
        verified=wish.verified,
    )
    service.refresh_tokens.put(_hash(token), record)
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def refresh(
    world: World, app: App, token: str, *, scope: str = "", claims: str = "", base_url: str, client_info: bool = False
) -> dict[str, Any]:
    """The answer to `grant_type=refresh_token`. Raises OAuthError for every way it can fail (graph.md 1.5, 1.8)."""
    service = entra(world)
    record = service.refresh_tokens.get(_hash(token))
    if record is None or record.client_id != app.client_id:
        raise OAuthError(70000)
    user = world.users.get(record.user_id)
    if user is None:
        raise OAuthError(50034)
    _check_refresh(service, record, user, claims)
    asked = parse(scope, default=record.scopes) if scope else tuple(record.scopes)
    asked = for_account(asked, personal=user.kind == PERSONAL)
    missing = service.missing(user, app.client_id, (name for name in asked if name not in OPENID))
    if missing:
        raise OAuthError(65001, f"Not consented: {' '.join(missing)}.")
    keep = asked if "offline_access" in asked else (*asked, "offline_access")
    verified = record.verified or answers_challenge(claims)
    wish = Wish(user, app, keep, base_url, cp1=record.cp1, client_info=client_info, verified=verified)
    return token_response(world, wish)


def _check_refresh(service: Entra, record: RefreshToken, user: User, claims: str) -> None:
    account = service.account(user.id)
    if failure := service.next_failure(user.id):
        raise OAuthError(failure)
    if account.disabled:
        raise OAuthError(50057)
    revoked = account.revoked_at if record.confidential else max(account.revoked_at, account.password_at)
    if record.issued <= revoked:
        raise OAuthError(50173)
    if service.now() > record.issued + record.lifetime:
        raise OAuthError(700084 if record.lifetime == SPA_LIFETIME else 700082)
    if account.challenge_refuses and not (record.verified and record.issued > account.challenged_at):
        raise OAuthError(50076, error="interaction_required")
    if record.issued <= account.challenged_at and not answers_challenge(claims):
        raise OAuthError(50076, error="interaction_required")


def issue_token(
    world: World, user: User, scopes: Iterable[str], minutes: int = 75, *, base_url: str = ""
) -> dict[str, Any]:
    """A token answer without a sign-in, for SDK tests (`POST /sandbox/tokens`). Grants the scopes first."""
    service = entra(world)
    app = service.apps.get(DEFAULT_CLIENT_ID)
    assert app is not None
    names = for_account(parse(" ".join(scopes)), personal=user.kind == PERSONAL)
    service.grant(f"user:{user.id}", app.client_id, names)
    return token_response(world, Wish(user, app, names, base_url, minutes=minutes))


# -- what happens to tokens


def expire_access_tokens(world: World, user: User) -> None:
    """All access tokens handed out so far count as expired; refresh tokens still work."""
    service = entra(world)
    service.change(user.id, expired_at=service.now())


def revoke(world: World, user: User) -> None:
    """Revoke sessions: every refresh token ends (50173), access tokens too, subscriptions are removed."""
    service = entra(world)
    service.change(user.id, revoked_at=service.now(), expired_at=service.now())
    _tell(service, user)


def change_password(world: World, user: User) -> None:
    """Public clients' refresh tokens end, confidential ones survive (graph.md 1.5); subscriptions are removed."""
    service = entra(world)
    service.change(user.id, password_at=service.now())
    _tell(service, user)


def _tell(service: Entra, user: User) -> None:
    for callback in service.on_password_or_revoke:
        callback(user.id)


def fail_next_refresh(world: World, user: User, code: int, times: int = 1) -> None:
    """The user's next `times` refreshes answer with this AADSTS number (0 = until cleared with code 0).

    Raises ValueError for a number the table of graph.md 1.8 does not have.
    """
    service = entra(world)
    if code == 0:
        service.change(user.id, failures=[])
        return
    try:
        OAuthError(code)
    except KeyError:
        raise ValueError(f"AADSTS{code} is not in the table of refusals") from None
    service.fail(user.id, code, times)


def challenge(world: World, user: User, *, refuse: bool = False) -> None:
    """Conditional access changes: access tokens so far get a claims challenge (graph.md 1.12).

    A refresh that passes the claims on succeeds, unless `refuse`: then the user must sign in again, and that sign-in
    must pass them on; the tokens of one that does not are challenged like the old ones.
    """
    service = entra(world)
    service.change(user.id, challenged_at=service.now(), challenge_refuses=refuse)


# -- the resource side


def authenticate(world: World, request: Request) -> Principal:
    """Who sent the request. Raises AuthError (401 InvalidAuthenticationToken, or 401/403 with a claims challenge)."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token:
        raise _unauthorized("Access token is empty.")
    principal = _cache(world).get(token) or _decode(world, token)
    service = entra(world)
    account = service.accounts.get(principal.user.id)
    now = service.now()
    if now >= principal.expires or (account and principal.issued <= account.expired_at):
        raise _unauthorized("Lifetime validation failed, the token is expired.")
    if account:
        _check_account(principal, account)
    return principal


def _check_account(principal: Principal, account: Account) -> None:
    if account.disabled:
        raise _unauthorized("The account of the token is disabled.")
    if principal.issued > account.challenged_at and (principal.verified or not account.challenge_refuses):
        return
    if not principal.cp1:
        raise AuthError(403, "insufficient_claims", "Access was blocked by a policy that asks for more claims.")
    claims = b64encode(claims_request().encode()).decode()
    header = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        f'client_id="{GRAPH_APP}", error="insufficient_claims", claims="{claims}"'
    )
    message = "Continuous access evaluation resulted in challenge."
    raise AuthError(401, "InvalidAuthenticationToken", message, [("WWW-Authenticate", header)])


def _cache(world: World) -> dict[str, Principal]:
    service = entra(world)
    cache: dict[str, Principal] = service.__dict__.setdefault("principals", {})
    return cache


def _decode(world: World, token: str) -> Principal:
    try:
        claims = entra(world).key.verify(token)
        user = world.users.get(claims["oid"])
        if claims["aud"] != GRAPH_APP or user is None:
            raise ValueError("another audience")
    except (ValueError, KeyError):
        raise _unauthorized("CompactToken parsing failed or the audience is invalid.") from None
    principal = Principal(
        user=user,
        scopes=frozenset(claims["scp"].split()),
        client_id=claims["appid"],
        issued=claims["sbx_time"],
        expires=claims["exp"],
        cp1="cp1" in claims.get("xms_cc", ()),
        token_id=claims["uti"],
        verified=bool(claims.get("sbx_verified")),
    )
    cache = _cache(world)
    if len(cache) >= _CACHE_LIMIT:
        cache.clear()
    cache[token] = principal
    return principal


def _unauthorized(message: str) -> AuthError:
    headers: Headers = [
        (
            "WWW-Authenticate",
            'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            f'client_id="{GRAPH_APP}"',
        )
    ]
    return AuthError(401, "InvalidAuthenticationToken", message, headers)
