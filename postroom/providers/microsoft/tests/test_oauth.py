import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from postroom.lib import clock
from postroom.providers.contract import Grant
from postroom.providers.errors import AccessLost, ConnectRefused, OperatorFault, ReauthNeeded, Transient
from postroom.providers.microsoft.oauth import PERSONAL_TENANT, Entra
from postroom.providers.microsoft.settings import Settings, from_environment

TENANT = "11111111-2222-3333-4444-555555555555"
LOGIN = "https://login.example"
ENDPOINTS = {f"{name}_endpoint": f"{LOGIN}/common/oauth2/v2.0/{name}" for name in ("authorization", "token")}
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("k1", "k2"))


class FakeEntra:
    """Entra's documents, /token and Graph's /me as a transport. ``claims`` of the id_token can be changed."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {
            "aud": "our-app",
            "iss": f"{LOGIN}/{TENANT}/v2.0",
            "tid": TENANT,
            "oid": "oid-1",
            "sub": "sub-1",
            "nonce": "nonce-1",
            "preferred_username": "ana@northwind.example",
            "iat": int(NOW.timestamp()),
            "nbf": int(NOW.timestamp()),
            "exp": int((NOW + timedelta(hours=1)).timestamp()),
        }
        self.key = KEY
        self.published = [KEY]
        self.issuer = f"{LOGIN}/{{tenantid}}/v2.0"
        self.jwks_uri = f"{LOGIN}/common/discovery/v2.0/keys"
        self.alg = "RS256"
        self.answer: httpx2.Response | Exception | None = None
        self.me: list[httpx2.Response] = []
        self.forms: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.extra: dict[str, Any] = {}
        self.now = 0.0

    def entra(self, tenant: str = "common") -> Entra:
        settings = Settings(
            client_id="our-app",
            client_secret="hush",
            tenant=tenant,
            login_url=LOGIN,
            graph_url="https://graph.example/v1.0",
        )
        return Entra(settings, http=httpx2.Client(transport=httpx2.MockTransport(self)), monotonic=lambda: self.now)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        self.paths.append(path)
        if path.endswith("/openid-configuration"):
            return httpx2.Response(200, json={"issuer": self.issuer, "jwks_uri": self.jwks_uri, **ENDPOINTS})
        if path.endswith("/discovery/v2.0/keys"):
            return httpx2.Response(200, json={"keys": [key.as_dict(private=False) for key in self.published]})
        if path.endswith("/me"):
            proxies = ["SMTP:ana@northwind.example", "smtp:a.t@northwind.example", "X500:/o=x"]
            names = {"mail": "Ana@northwind.example", "userPrincipalName": "ana.t@northwind.example"}
            me = {"id": "oid-1", "displayName": "Ana Trujillo", "proxyAddresses": proxies, **names}
            return self.me.pop(0) if self.me else httpx2.Response(200, json=me)
        self.forms.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or httpx2.Response(200, json=self.token())

    def token(self) -> dict[str, Any]:
        id_token = jwt.encode({"alg": self.alg, "kid": self.key.kid}, self.claims, self.key, algorithms=[self.alg])
        token = {"token_type": "Bearer", "expires_in": 3599, "scope": "Mail.ReadWrite User.Read profile"}
        return {**token, "access_token": "access-1", "refresh_token": "refresh-2", "id_token": id_token, **self.extra}


@pytest.fixture
def fake() -> FakeEntra:
    return FakeEntra()


@pytest.fixture(autouse=True)
def _time() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def redeem(entra: Entra) -> Grant:
    return entra.redeem(code="code-1", redirect_uri="https://p.example/cb", verifier="v" * 43, nonce="nonce-1")


OLD = Grant(access_token="a", expires=NOW, refresh_token="refresh-1", scopes=frozenset({"Mail.Read"}))


def test_people_are_sent_to_entra_with_everything_that_binds_their_way_back(fake: FakeEntra) -> None:
    url = fake.entra().authorize_url(
        redirect_uri="https://p.example/cb", scopes=["openid", "Mail.Read"], state="s", nonce="n", verifier="v" * 43
    )
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{LOGIN}/common/oauth2/v2.0/authorize"
    assert query.pop("code_challenge") != "v" * 43
    assert json.loads(query.pop("claims")) == {"access_token": {"xms_cc": {"values": ["cp1"]}}}
    assert query == {
        "client_id": "our-app",
        "response_type": "code",
        "redirect_uri": "https://p.example/cb",
        "scope": "openid Mail.Read",
        "state": "s",
        "nonce": "n",
        "response_mode": "query",
        "prompt": "select_account",
        "code_challenge_method": "S256",
    }


def test_a_known_account_is_hinted_at_instead_of_picked_and_claims_are_passed_on(fake: FakeEntra) -> None:
    challenge = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    url = fake.entra().authorize_url(
        redirect_uri="u", scopes=["x"], state="s", nonce="n", verifier="v" * 43, login_hint="a@b.c", claims=challenge
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (query["login_hint"], "prompt" in query) == ("a@b.c", False)
    assert set(json.loads(query["claims"])["access_token"]) == {"acrs", "xms_cc"}


def test_an_administrator_consents_at_the_organisation_never_at_common(fake: FakeEntra) -> None:
    url = fake.entra().admin_consent_url(redirect_uri="https://p.example/cb", scopes=["Mail.Read"], state="s")
    assert url.startswith(f"{LOGIN}/organizations/v2.0/adminconsent?")
    assert (
        fake.entra()
        .admin_consent_url(redirect_uri="u", scopes=[], state="s", tenant=TENANT)
        .startswith(f"{LOGIN}/{TENANT}/")
    )


def test_a_code_becomes_a_grant_with_the_account_that_signed_in(fake: FakeEntra) -> None:
    grant = redeem(fake.entra())
    assert (grant.access_token, grant.refresh_token) == ("access-1", "refresh-2")
    assert grant.expires == NOW + timedelta(seconds=3599)
    assert grant.scopes == {"Mail.ReadWrite", "User.Read", "profile"}
    account = grant.account
    assert account is not None
    assert (account.key, account.tenant, account.kind) == (f"{TENANT}:oid-1", TENANT, "work")
    assert (account.address, account.name, account.aliases) == (
        "Ana@northwind.example",
        "Ana Trujillo",
        ("a.t@northwind.example",),
    )
    form = fake.forms[0]
    assert (form["client_secret"], form["code_verifier"], form["grant_type"]) == (
        "hush",
        "v" * 43,
        "authorization_code",
    )
    assert "access-1" not in repr(grant) + str(grant)


def test_a_personal_account_without_a_mail_property_is_named_by_its_sign_in_name(fake: FakeEntra) -> None:
    fake.claims |= {"tid": PERSONAL_TENANT, "iss": f"{LOGIN}/{PERSONAL_TENANT}/v2.0"}
    refused = httpx2.Response(403, json={"error": {"code": "Authorization_RequestDenied"}})
    fake.me = [refused, httpx2.Response(200, json={"id": "x", "userPrincipalName": "ana@outlook.example"})]
    account = redeem(fake.entra()).account
    assert account is not None
    assert (account.kind, account.address, account.aliases) == ("personal", "ana@outlook.example", ())


BAD_TOKENS: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "another"},
    "audience": {"aud": "another-app"},
    "issuer": {"iss": f"https://evil.example/{TENANT}/v2.0"},
    "issuer of another tenant": {"tid": "99999999-2222-3333-4444-555555555555"},
    "expired": {"exp": int((NOW - timedelta(minutes=6)).timestamp())},
    "from the future": {"nbf": int((NOW + timedelta(minutes=6)).timestamp())},
}


@pytest.mark.parametrize("claims", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_an_id_token_that_is_not_exactly_right_ends_the_connecting(fake: FakeEntra, claims: dict[str, Any]) -> None:
    fake.claims |= claims
    with pytest.raises(ConnectRefused) as caught:
        redeem(fake.entra())
    assert caught.value.reason == "invalid_answer"


def test_an_id_token_that_is_missing_forged_or_unsigned_ends_the_connecting(fake: FakeEntra) -> None:
    forged = RSAKey.generate_key(2048, {"kid": "k1"})
    unsigned = "eyJhbGciOiJub25lIn0." + jwt.encode({"alg": "RS256"}, fake.claims, KEY).split(".")[1] + "."
    for extra, key in (
        ({"id_token": None}, KEY),
        ({"id_token": "a.b.c"}, KEY),
        ({}, forged),
        ({"id_token": unsigned}, KEY),
    ):
        fake.extra, fake.key = extra, key
        with pytest.raises(ConnectRefused, match="id_token"):
            redeem(fake.entra())


def test_clocks_may_differ_by_a_few_minutes(fake: FakeEntra) -> None:
    fake.claims["nbf"] = fake.claims["iat"] = int((NOW + timedelta(minutes=4)).timestamp())
    assert redeem(fake.entra()).account


def test_keys_are_fetched_once_and_again_when_microsoft_rolls_them(fake: FakeEntra) -> None:
    entra = fake.entra()
    redeem(entra)
    redeem(entra)
    assert sum(path.endswith("/keys") for path in fake.paths) == 1
    fake.key, fake.published = OTHER_KEY, [KEY, OTHER_KEY]
    with pytest.raises(ConnectRefused):  # forged key ids must not make us ask all the time
        redeem(entra)
    fake.now = 61.0
    redeem(entra)
    assert sum(path.endswith("/keys") for path in fake.paths) == 2


def test_keys_are_never_fetched_from_a_foreign_host(fake: FakeEntra) -> None:
    fake.jwks_uri = "https://evil.example/discovery/v2.0/keys"
    with pytest.raises(ConnectRefused):
        redeem(fake.entra())
    assert not any(path.endswith("/keys") for path in fake.paths)


@pytest.mark.parametrize(
    ("tenant", "tid", "reason"),
    [
        ("organizations", PERSONAL_TENANT, "personal_not_allowed"),
        ("consumers", TENANT, "tenant_not_allowed"),
        ("99999999-2222-3333-4444-555555555555", TENANT, "tenant_not_allowed"),
        (TENANT.upper(), TENANT, None),
        ("northwind.example", TENANT, None),
    ],
)
def test_only_accounts_the_operator_allows_may_connect(
    fake: FakeEntra, tenant: str, tid: str, reason: str | None
) -> None:
    fake.claims |= {"tid": tid, "iss": f"{LOGIN}/{tid}/v2.0"}
    if reason is None:
        assert redeem(fake.entra(tenant)).account
        return
    with pytest.raises(ConnectRefused) as caught:
        redeem(fake.entra(tenant))
    assert caught.value.reason == reason


def test_refreshing_keeps_what_the_answer_leaves_out(fake: FakeEntra) -> None:
    fake.extra = {"refresh_token": None, "scope": None, "id_token": None}
    fresh = fake.entra().refresh(OLD)
    assert (fresh.access_token, fresh.refresh_token, fresh.scopes) == ("access-1", "refresh-1", {"Mail.Read"})
    assert "scope" not in fake.forms[0]
    fake.extra = {}
    assert fake.entra().refresh(OLD).refresh_token == "refresh-2"


def test_a_challenge_is_answered_at_the_token_endpoint(fake: FakeEntra) -> None:
    fake.entra().refresh(OLD, claims='{"access_token":{"nbf":{"value":"1"}}}')
    assert set(json.loads(fake.forms[0]["claims"])["access_token"]) == {"nbf", "xms_cc"}


def failing(status: int, error: str, number: int = 0, **more: Any) -> httpx2.Response:
    words = f"AADSTS{number}: ana@northwind.example did something"
    return httpx2.Response(status, json={"error": error, "error_description": words, "error_codes": [number], **more})


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        (failing(400, "invalid_grant", 700082), ReauthNeeded, "expired"),
        (failing(400, "invalid_grant", 50173), ReauthNeeded, "revoked"),
        (failing(400, "invalid_grant", 65001, suberror="consent_required"), ReauthNeeded, "consent"),
        (failing(400, "interaction_required", 50076, claims='{"x":1}'), ReauthNeeded, "mfa"),
        (failing(400, "invalid_grant", 50057), AccessLost, "disabled"),
        (failing(400, "invalid_grant", 53003), AccessLost, "policy"),
        (failing(401, "invalid_client", 7000222), OperatorFault, None),
        (failing(400, "invalid_grant", 123456), ReauthNeeded, "expired"),
        (failing(400, "invalid_grant", 50196), Transient, None),
        (failing(429, "temporarily_unavailable", 90055), Transient, None),
        (httpx2.Response(503, content=b"<html>"), Transient, None),
        (httpx2.Response(200, content=b"<html>"), Transient, None),
        (httpx2.ConnectError("down"), Transient, None),
    ],
)
def test_a_failed_refresh_says_whether_it_will_ever_work_again(
    fake: FakeEntra, answer: httpx2.Response | Exception, expected: type[Exception], reason: str | None
) -> None:
    fake.answer = answer
    with pytest.raises(expected) as caught:
        fake.entra().refresh(OLD)
    assert getattr(caught.value, "reason", None) == reason
    assert not any(word in str(caught.value) for word in ("ana@", "refresh-1", "hush"))


def test_what_conditional_access_asks_for_is_passed_on(fake: FakeEntra) -> None:
    fake.answer = failing(400, "interaction_required", 50076, claims='{"access_token":{"capolids":1}}')
    with pytest.raises(ReauthNeeded) as caught:
        fake.entra().refresh(OLD)
    assert caught.value.claims == '{"access_token":{"capolids":1}}'
    with pytest.raises(ConnectRefused) as refused:
        redeem(fake.entra())
    assert (refused.value.reason, refused.value.claims) == ("mfa", caught.value.claims)


def test_without_a_refresh_token_nothing_is_asked(fake: FakeEntra) -> None:
    with pytest.raises(ReauthNeeded):
        fake.entra().refresh(Grant(access_token="a", expires=NOW, refresh_token=None, scopes=frozenset()))
    assert not fake.forms


@pytest.mark.parametrize(
    ("params", "expected", "reason"),
    [
        ({"error": "access_denied", "error_description": "AADSTS65004: declined"}, ConnectRefused, "declined"),
        ({"error": "access_denied", "error_subcode": "cancel"}, ConnectRefused, "declined"),
        ({"error": "access_denied", "error_description": "AADSTS90094: admin"}, ConnectRefused, "admin_approval"),
        ({"error": "interaction_required", "error_description": "AADSTS50105: x"}, ConnectRefused, "not_assigned"),
        ({"error": "invalid_request", "error_description": "AADSTS50011: x"}, OperatorFault, None),
        ({"error": "temporarily_unavailable"}, Transient, None),
        ({"error": "server_error", "error_description": "AADSTS" + "9" * 50}, Transient, None),
        ({"error": "something_new"}, OperatorFault, None),
        ({}, OperatorFault, None),
    ],
)
def test_a_redirect_without_a_code_is_explained(
    fake: FakeEntra, params: dict[str, str], expected: type[Exception], reason: str | None
) -> None:
    error = fake.entra().refused(params)
    assert isinstance(error, expected)
    assert getattr(error, "reason", None) == reason


def test_settings_come_from_the_environment_and_hide_the_secret() -> None:
    default = from_environment({})
    assert (default.tenant, default.graph_url) == ("common", "https://graph.microsoft.com/v1.0")
    told = from_environment(
        {
            "MICROSOFT_CLIENT_ID": " id ",
            "MICROSOFT_CLIENT_SECRET": "hush",
            "MICROSOFT_LOGIN_URL": "http://127.0.0.1:8365/",
            "MICROSOFT_GRAPH_URL": "http://127.0.0.1:8365/v1.0/",
        }
    )
    assert (told.client_id, told.login_url, told.graph_url) == (
        "id",
        "http://127.0.0.1:8365",
        "http://127.0.0.1:8365/v1.0",
    )
    assert "hush" not in repr(told) + str(told)
