"""Signing in at Microsoft Entra: authorization code with PKCE, the id_token's checks, refresh. Source: graph.md 1.

Authlib makes the requests of the protocol; ``lib.openid`` checks the id_token.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import msgspec
from authlib.integrations.httpx_client import OAuth2ClientAuth, OAuthError
from authlib.oauth2.client import OAuth2Client
from msgspec import Struct

from postroom.lib import clock
from postroom.lib.openid import IdTokens, NotAcceptable
from postroom.providers.budget import budget_of
from postroom.providers.contract import Account, Grant, Urgency
from postroom.providers.errors import ConnectRefused, ProviderError, ReauthNeeded, Transient, Unsupported
from postroom.providers.microsoft.client import Graph, path_of, pool
from postroom.providers.microsoft.entra_codes import fault
from postroom.providers.microsoft.faults import broken
from postroom.providers.microsoft.settings import Settings

PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
CAE = {"access_token": {"xms_cc": {"values": ["cp1"]}}}  # "we can answer claims challenges" (graph.md 1.12)


class _Failure(Struct):
    """The body of a refusal at /token (graph.md 1.4)."""

    error: str = ""
    suberror: str = ""
    error_codes: list[int] = []
    claims: str = ""
    trace_id: str = ""


class _Me(Struct, rename="camel"):
    id: str
    display_name: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None
    proxy_addresses: list[str] | None = None


class _Client(OAuth2Client):  # type: ignore[misc]
    """Authlib's protocol over our connection pool. Light and made per call, because it carries a token."""

    client_auth_class = OAuth2ClientAuth
    oauth_error_class = OAuthError


class Entra:
    """``contract.Authority`` for Microsoft. Thread-safe; holds settings and Entra's public keys."""

    def __init__(
        self,
        settings: Settings,
        *,
        http: httpx2.Client | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._http = http or pool("{0.scheme}://{0.netloc}".format(urlsplit(settings.login_url)))
        self._graph_http = http
        self._id_tokens = IdTokens(
            self._url("v2.0"), client_id=settings.client_id, fetch=self._fetch, monotonic=monotonic
        )

    # Where people go

    def authorize_url(
        self,
        *,
        redirect_uri: str,
        scopes: Sequence[str],
        state: str,
        nonce: str,
        verifier: str,
        prompt: str = "select_account",
        login_hint: str = "",
        claims: str = "",
    ) -> str:
        """Entra's page. With ``login_hint`` the picker is left out: Entra takes one or the other (graph.md 1.2)."""
        if login_hint and prompt == "select_account":
            prompt = ""
        extra = {"prompt": prompt, "login_hint": login_hint, "claims": _claims(claims)}
        url, _ = self._client(redirect_uri=redirect_uri, code_challenge_method="S256").create_authorization_url(
            self._url("oauth2/v2.0/authorize"),
            state=state,
            code_verifier=verifier,
            scope=" ".join(scopes),
            nonce=nonce,
            response_mode="query",
            **{name: value for name, value in extra.items() if value},
        )
        return str(url)

    def admin_consent_url(self, *, redirect_uri: str, scopes: Sequence[str], state: str, tenant: str = "") -> str:
        """Where an administrator consents for everybody. ``common`` is not allowed there (graph.md 1.1), and personal
        accounts have no administrator (1.13)."""
        if self._settings.tenant == "consumers" or tenant == PERSONAL_TENANT:
            raise Unsupported("personal accounts have no administrator")
        tenant = tenant or ("organizations" if self._settings.tenant == "common" else self._settings.tenant)
        query = {
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
        }
        return f"{self._settings.login_url}/{tenant}/v2.0/adminconsent?{urlencode(query)}"

    def refused(self, params: Mapping[str, str]) -> ProviderError:
        """Entra's redirect came back without a code. ``access_denied`` may also mean that an administrator has to
        approve: Entra does not tell which (graph.md 1.3), so pages for ``declined`` should explain both.
        """
        description = params.get("error_description", "")
        number = description.removeprefix("AADSTS").split(":")[0]
        return fault(
            error=params.get("error", ""),
            suberror=params.get("suberror", ""),
            numbers=(int(number),) if number.isdecimal() and len(number) < 10 else (),
            claims=params.get("claims", ""),
            connecting=True,
        )

    # Tokens

    def redeem(self, *, code: str, redirect_uri: str, verifier: str, nonce: str) -> Grant:
        token = self._token(
            connecting=True,
            grant_type="authorization_code",
            code=code,
            redirect_uri=redirect_uri,
            code_verifier=verifier,
            claims=_claims(""),
        )
        claims = self._checked(str(token.get("id_token", "")), str(token.get("access_token", "")), nonce)
        return self._grant(token, account=self._account(claims, str(token["access_token"])))

    def refresh(self, grant: Grant, *, claims: str = "") -> Grant:
        """The scopes stay those of the grant: ``scope`` is left out (graph.md 1.5). The newest refresh token wins."""
        if not grant.refresh_token:
            raise ReauthNeeded("there is no refresh token", reason="expired")
        token = self._token(
            connecting=False, grant_type="refresh_token", refresh_token=grant.refresh_token, claims=_claims(claims)
        )
        return self._grant(token, account=grant.account, before=grant)

    def _token(self, *, connecting: bool, grant_type: str, **fields: str) -> dict[str, Any]:
        client = self._client()

        def check(response: httpx2.Response) -> httpx2.Response:
            if response.status_code >= 400:
                raise _refusal(response, connecting=connecting)
            return response

        client.register_compliance_hook("access_token_response", check)
        try:
            return dict(client.fetch_token(self._url("oauth2/v2.0/token"), grant_type=grant_type, **fields))
        except OAuthError as error:  # an error in an answer of status 200
            raise fault(error=str(error.error), connecting=connecting) from None
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise broken(error, safe=True) from None
        except ValueError:
            raise Transient("Entra's answer cannot be read", code="Unreadable") from None

    def _grant(self, token: Mapping[str, Any], *, account: Account | None, before: Grant | None = None) -> Grant:
        scopes = frozenset(str(token.get("scope") or "").split()) or (before.scopes if before else frozenset())
        return Grant(
            access_token=str(token["access_token"]),
            expires=clock.now() + timedelta(seconds=float(token.get("expires_in") or 3600)),
            refresh_token=str(token.get("refresh_token") or "") or (before.refresh_token if before else None),
            scopes=scopes,
            account=account,
        )

    # Who signed in

    def _checked(self, id_token: str, access_token: str, nonce: str) -> Mapping[str, Any]:
        """The id_token's claims, once they hold and the tenant is one that may come in (graph.md 1.10)."""
        try:
            claims = self._id_tokens.checked(id_token, access_token=access_token, nonce=nonce)
        except NotAcceptable as error:
            raise ConnectRefused(str(error), reason="invalid_answer") from None
        self._check_tenant(str(claims.get("tid", "")))
        return claims

    def _check_tenant(self, tenant: str) -> None:
        wanted = self._settings.tenant
        personal = tenant == PERSONAL_TENANT
        if not tenant or (wanted == "organizations" and personal):
            raise ConnectRefused("personal accounts are not allowed here", reason="personal_not_allowed")
        if (wanted == "consumers" and not personal) or (wanted.count("-") == 4 and wanted.lower() != tenant.lower()):
            raise ConnectRefused("accounts of this organisation are not allowed here", reason="tenant_not_allowed")

    def _fetch(self, url: str) -> bytes:
        """A public document of Entra's."""
        try:
            response = self._http.get(url)
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise broken(error, safe=True) from None
        if response.status_code != 200:
            raise Transient(f"Entra answered {response.status_code} for its public keys", status=response.status_code)
        return response.content

    def _account(self, claims: Mapping[str, Any], access_token: str) -> Account:
        """Who it is: the key from the id_token, names and addresses from /me (never the other way round)."""
        tenant, key = str(claims["tid"]), f"{claims['tid']}:{claims.get('oid') or claims['sub']}"
        me = self._me(key, access_token)
        address = me.mail or me.user_principal_name or str(claims.get("preferred_username") or "")
        others = [one[5:] for one in me.proxy_addresses or () if one[:5].lower() == "smtp:"]
        return Account(
            key=key,
            tenant=tenant,
            address=address,
            name=me.display_name or str(claims.get("name") or address),
            kind="personal" if tenant == PERSONAL_TENANT else "work",
            aliases=tuple(one for one in others if one.lower() != address.lower()),
        )

    def _me(self, key: str, access_token: str) -> _Me:
        graph = Graph(
            url=self._settings.graph_url,
            token=lambda rejected=None, claims=None: access_token,
            budget=budget_of(key),
            http=self._graph_http,
        )
        fields = "id,displayName,mail,userPrincipalName"
        try:
            path = f"/me{path_of(select=fields + ',proxyAddresses')}"
            return graph.get(path, _Me, urgency=Urgency.USER)
        except Transient:
            raise
        except ProviderError:  # aliases are not told everywhere (graph.md 13)
            return graph.get(f"/me{path_of(select=fields)}", _Me, urgency=Urgency.USER)

    # Small things

    def _client(self, **options: Any) -> _Client:
        settings = self._settings
        return _Client(
            session=self._http,
            client_id=settings.client_id,
            client_secret=settings.client_secret or None,
            token_endpoint_auth_method="client_secret_post" if settings.client_secret else "none",
            **options,
        )

    def _url(self, rest: str) -> str:
        return f"{self._settings.login_url}/{self._settings.tenant}/{rest}"


def _refusal(response: httpx2.Response, *, connecting: bool) -> ProviderError:
    try:
        said = msgspec.json.decode(response.content, type=_Failure)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = _Failure()
    return fault(
        error=said.error,
        suberror=said.suberror,
        numbers=tuple(said.error_codes),
        claims=said.claims,
        connecting=connecting,
        status=response.status_code,
        trace=said.trace_id,
    )


def _claims(challenge: str) -> str:
    """``challenge`` (JSON, "" for none) together with our statement that we can answer challenges."""
    try:
        asked = msgspec.json.decode(challenge.encode(), type=dict[str, Any]) if challenge else {}
    except msgspec.DecodeError:
        asked = {}
    access = asked.get("access_token")
    merged = {**(access if isinstance(access, dict) else {}), **CAE["access_token"]}
    return msgspec.json.encode({**asked, "access_token": merged}).decode()
