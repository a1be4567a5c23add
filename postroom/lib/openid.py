"""Signing people in at an OpenID provider: where to send them, what to make of the code they come back with.

Authorization code with PKCE, a nonce and every check of the id_token (graph.md 1.1, 1.2, 1.4, 1.10). No access token is
kept: who it is, is all that is wanted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from postroom.lib import clock, http

SCOPE = "openid profile email"
LEEWAY = 300  # seconds our clock and the provider's may differ
KEYS_FOR = 24 * 3600.0  # seconds signing keys are kept
KEYS_AGAIN = 60.0  # seconds between looks for a key we do not know, so that forged tokens cause no storm
MOST_BYTES = 1_000_000


class Refused(Exception):
    """Nobody was signed in. ``reason`` is a word: ``invalid`` (an answer that does not hold), ``code`` (the code was
    not taken), ``setup`` (our own registration), ``unreachable``."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class NotAcceptable(Exception):
    """An id_token that does not hold, or documents of its provider's on a foreign host."""


class Unreadable(NotAcceptable):
    """The provider's documents cannot be read, so nothing can be said of the token."""


class Discovery(Struct):
    """What a provider says about itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Answer(Struct):
    id_token: str = ""
    access_token: str = ""
    error: str = ""


class IdTokens:
    """The checks of every id_token that is for one registration at one provider. Thread-safe; keeps its public keys.

    ``base`` is where the provider's documents lie: ``https://login.microsoftonline.com/organizations/v2.0``. An issuer
    may hold ``{tenantid}``, which stands for the tenant of the token. ``fetch`` gets a document and raises errors of
    the caller's own, which pass through here.
    """

    def __init__(
        self,
        base: str,
        *,
        client_id: str,
        fetch: Callable[[str], bytes],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base, self._client_id, self._fetch, self._monotonic = base.rstrip("/"), client_id, fetch, monotonic
        self._lock = threading.Lock()
        self._known: tuple[float, Discovery, KeySet] | None = None

    def discovery(self) -> Discovery:
        """Raises NotAcceptable."""
        return self._documents(KEYS_FOR)[0]

    def checked(self, id_token: str, *, access_token: str, nonce: str) -> Mapping[str, Any]:
        """The claims, after signature, audience, issuer with its tenant, times and nonce (graph.md 1.10). Raises
        NotAcceptable."""
        try:
            discovery, token = self._verified(id_token)
            issuer = discovery.issuer.replace("{tenantid}", str(token.claims.get("tid", "")))
            options = {
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": self._client_id},
                "nonce": {"essential": True, "value": nonce},
            }
            known = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
            claims = CodeIDToken(token.claims, token.header, options, known)
            claims.validate(now=int(clock.now().timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError) as error:
            raise NotAcceptable(f"the id_token is not acceptable: {type(error).__name__}") from None
        return dict(claims)

    def _verified(self, id_token: str) -> tuple[Discovery, jwt.Token]:
        discovery, keys = self._documents(KEYS_FOR)
        try:
            return discovery, jwt.decode(id_token, keys, algorithms=["RS256"])
        except InvalidKeyIdError:  # the provider has rolled its keys
            discovery, keys = self._documents(KEYS_AGAIN)
            return discovery, jwt.decode(id_token, keys, algorithms=["RS256"])

    def _documents(self, max_age: float) -> tuple[Discovery, KeySet]:
        with self._lock:
            moment = self._monotonic()
            if self._known is None or moment - self._known[0] > max_age:
                self._known = (moment, *self._fetched())
            return self._known[1], self._known[2]

    def _fetched(self) -> tuple[Discovery, KeySet]:
        try:
            document = self._fetch(f"{self._base}/.well-known/openid-configuration")
            discovery = msgspec.json.decode(document, type=Discovery)
            if urlsplit(discovery.jwks_uri)[:2] != urlsplit(self._base)[:2]:
                raise NotAcceptable("the provider's keys are said to lie on a foreign host")
            return discovery, KeySet.import_key_set(msgspec.json.decode(self._fetch(discovery.jwks_uri)))
        except (msgspec.DecodeError, JoseError, ValueError):
            raise Unreadable("the provider's documents cannot be read") from None


class Provider:
    """One registration at one provider (``base`` as for ``IdTokens``). Thread-safe."""

    def __init__(
        self,
        base: str,
        *,
        client_id: str,
        client_secret: str,
        client: httpx2.Client | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client_id, self._secret = client_id, client_secret
        local = urlsplit(base).hostname in ("127.0.0.1", "::1", "localhost")
        self._http = client or http.client(connections=8, read_seconds=20, trust_env=not local)
        self._tokens = IdTokens(base, client_id=client_id, fetch=self._public, monotonic=monotonic)

    def authorize_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str, **more: str) -> str:
        """The page to send the browser to. Raises Refused."""
        given = {
            "client_id": self._client_id,
            "response_type": "code",
            "response_mode": "query",
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        asked = {**given, **{name: value for name, value in more.items() if value}}
        return f"{self._discovery().authorization_endpoint}?{urlencode(asked)}"

    def redeem(self, *, code: str, redirect_uri: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """The verified claims of who signed in. Raises Refused."""
        told = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "client_secret": self._secret,
            "redirect_uri": redirect_uri,
            "code": code,
            "code_verifier": verifier,
        }
        answer = self._ask("POST", self._discovery().token_endpoint, data=told)
        try:
            found = msgspec.json.decode(answer.content, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Refused("unreachable", "an answer that cannot be read") from None
        if answer.status_code >= 500:
            raise Refused("unreachable", f"the provider answered {answer.status_code}")
        if found.error or answer.status_code != 200:
            ours = found.error in ("invalid_client", "unauthorized_client")
            raise Refused("setup" if ours else "code", "the provider did not take the code")
        with _refusing():
            return self._tokens.checked(found.id_token, access_token=found.access_token, nonce=nonce)

    def _discovery(self) -> Discovery:
        with _refusing():
            return self._tokens.discovery()

    def _public(self, url: str) -> bytes:
        answer = self._ask("GET", url)
        if answer.status_code != 200:
            raise Refused("unreachable", f"the provider answered {answer.status_code}")
        return answer.content

    def _ask(self, method: str, url: str, **options: Any) -> httpx2.Response:
        try:
            return http.fetch(self._http, method, url, max_bytes=MOST_BYTES, max_seconds=30, **options)
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise Refused("unreachable", f"the provider cannot be reached: {type(error).__name__}") from None


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        raise Refused("unreachable", str(error)) from None
    except NotAcceptable as error:
        raise Refused("invalid", str(error)) from None
