"""Other people's OAuth clients sign in at the sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import msal
import pytest
import requests
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from ... import entra
from .browser import Browser
from .harness import serving, tiny_world

CALLBACK = "http://127.0.0.1:8000/mailboxes/connect/microsoft/callback"


@pytest.fixture
def origin() -> Iterator[str]:
    world = tiny_world(frozen=False)
    with serving(entra.routes(world)) as base:
        yield base


def test_authlib_does_code_with_pkce_and_the_id_token_verifies_with_the_published_keys(origin: str) -> None:
    config = httpx2.get(f"{origin}/common/v2.0/.well-known/openid-configuration").json()
    client = OAuth2Client(
        entra.DEFAULT_CLIENT_ID,
        entra.DEFAULT_CLIENT_SECRET,
        scope="openid profile email offline_access Mail.ReadWrite Mail.Send",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post",
    )
    verifier = "v" * 64
    url, state = client.create_authorization_url(
        config["authorization_endpoint"], code_verifier=verifier, nonce="n-1", prompt="select_account"
    )
    browser = Browser(origin).open(url).sign_in("adele@northwind.example")
    assert browser.heading == "Permissions requested"
    assert "Read, change and delete your mail" in browser.page
    browser.decide("accept")
    assert browser.answer["state"] == state

    token = client.fetch_token(config["token_endpoint"], authorization_response=browser.arrived, code_verifier=verifier)
    assert {"Mail.ReadWrite", "Mail.Send", "openid"} <= set(token["scope"].split())
    assert "offline_access" not in token["scope"]
    keys = KeySet.import_key_set(httpx2.get(config["jwks_uri"]).json())
    claims = jwt.decode(token["id_token"], keys).claims
    assert claims["nonce"] == "n-1" and claims["preferred_username"] == "adele@northwind.example"
    assert claims["iss"] == config["issuer"].replace("{tenantid}", claims["tid"])

    first = token["refresh_token"]
    again = client.refresh_token(config["token_endpoint"], refresh_token=first)
    assert again["refresh_token"] != first
    assert client.refresh_token(config["token_endpoint"], refresh_token=first)["access_token"]


class Answer:
    """What msal reads of a response, with the addresses as a proxy that ends TLS would have them."""

    def __init__(self, response: requests.Response) -> None:
        self.status_code, self.headers = response.status_code, response.headers
        self.text = response.text.replace("http://login.sandbox.example", "https://login.sandbox.example")


class PlainHttp:
    """msal insists on https: its requests go to the sandbox by the same path over http."""

    def __init__(self, origin: str) -> None:
        self._origin, self._session = origin, requests.Session()
        self._session.headers["Host"] = "login.sandbox.example"

    def _at(self, url: str) -> str:
        return self._origin + "/" + url.split("/", 3)[3]

    def get(self, url: str, **kwargs: object) -> Answer:
        return Answer(self._session.get(self._at(url), timeout=5))

    def post(self, url: str, **kwargs: object) -> Answer:
        return Answer(self._session.post(self._at(url), data=kwargs.get("data"), timeout=5))

    def close(self) -> None:
        self._session.close()


def test_msal_signs_in_finds_the_account_and_refreshes_silently(origin: str) -> None:
    app = msal.ConfidentialClientApplication(
        entra.DEFAULT_CLIENT_ID,
        client_credential=entra.DEFAULT_CLIENT_SECRET,
        authority="https://login.sandbox.example/organizations",
        instance_discovery=False,
        http_client=PlainHttp(origin),
    )
    flow = app.initiate_auth_code_flow(["Mail.Read"], redirect_uri=CALLBACK, login_hint="mara@northwind.example")
    url = origin + "/" + flow["auth_uri"].split("/", 3)[3]
    browser = Browser(origin).open(url).sign_in("mara@northwind.example").decide("accept")
    result = app.acquire_token_by_auth_code_flow(flow, browser.answer)
    assert "error" not in result, result
    assert result["id_token_claims"]["name"] == "Mara Lindqvist"
    account = app.get_accounts()[0]
    silent = app.acquire_token_silent(["Mail.Read"], account=account, force_refresh=True)
    assert silent and silent["access_token"] != result["access_token"]
