"""What the authorize endpoint asks, shows and sends back (graph.md 1.2, 1.3, 1.7, 1.9)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from ... import entra
from ...company.people import NORTHWIND, WOODGROVE
from ..records import TenantPolicy
from .browser import Browser
from .harness import serving, tiny_world

CALLBACK = "http://127.0.0.1:8000/mailboxes/connect/microsoft/callback"
VERIFIER = "w" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ADELE = "adele@northwind.example"


@pytest.fixture
def world() -> Any:
    return tiny_world()


@pytest.fixture
def origin(world: Any) -> Iterator[str]:
    with serving(entra.routes(world)) as base:
        yield base


@pytest.fixture
def browser(origin: str) -> Browser:
    return Browser(origin)


def authorize(tenant: str = "common", **changes: str | None) -> str:
    asked = {
        "client_id": entra.DEFAULT_CLIENT_ID,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid offline_access Mail.Read",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return f"/{tenant}/oauth2/v2.0/authorize?" + urlencode(
        {key: value for key, value in asked.items() if value is not None}
    )


def redeem(origin: str, code: str, tenant: str = "common", **changes: str | None) -> dict[str, Any]:
    asked = {
        "grant_type": "authorization_code",
        "client_id": entra.DEFAULT_CLIENT_ID,
        "client_secret": entra.DEFAULT_CLIENT_SECRET,
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    } | changes
    fields = {key: value for key, value in asked.items() if value is not None}
    answer: dict[str, Any] = httpx2.post(f"{origin}/{tenant}/oauth2/v2.0/token", data=fields).json()
    return answer


def granted(browser: Browser, address: str = ADELE, **changes: str | None) -> str:
    browser.open(authorize(**changes)).sign_in(address)
    if browser.heading == "Permissions requested":
        browser.decide("accept")
    return str(browser.answer["code"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "nobody"}, 700016),
        ({"redirect_uri": CALLBACK + "/"}, 50011),
        ({"redirect_uri": "https://evil.example/mailboxes/connect/microsoft/callback"}, 50011),
        ({"redirect_uri": None}, 900971),
    ],
)
def test_a_wrong_client_or_redirect_uri_ends_on_a_page_and_never_redirects(
    browser: Browser, changes: dict[str, str | None], code: int
) -> None:
    browser.open(authorize(**changes))
    assert browser.status == 400 and f"AADSTS{code}" in browser.page and not browser.arrived


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "Mail.Everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "Mail.Read https://vault.example/x"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"prompt": "login consent"}, "invalid_request"),
    ],
)
def test_a_bad_request_goes_back_to_the_application_with_its_state(
    browser: Browser, changes: dict[str, str | None], error: str
) -> None:
    answer = browser.open(authorize(**changes)).answer
    assert (answer["error"], answer["state"]) == (error, "s")


def test_consent_is_asked_once_and_more_scopes_ask_only_for_themselves(browser: Browser) -> None:
    granted(browser)
    assert "code" in browser.open(authorize()).answer
    browser.arrived = ""
    browser.open(authorize(scope="openid Mail.Read Contacts.Read"))
    assert browser.heading == "Permissions requested"
    assert "Contacts.Read" in browser.page and "Mail.Read<" not in browser.page


def test_declining_goes_back_with_access_denied_and_the_subcode(browser: Browser) -> None:
    answer = browser.open(authorize()).sign_in(ADELE).decide("cancel").answer
    assert (answer["error"], answer["error_subcode"]) == ("access_denied", "cancel")
    assert "AADSTS65004" in answer["error_description"]


def test_the_token_carries_earlier_grants_too(origin: str, browser: Browser) -> None:
    granted(browser, scope="openid Contacts.Read")
    token = redeem(origin, granted(browser, scope="openid offline_access Mail.Read", prompt="login"))
    assert set(token["scope"].split()) == {"Contacts.Read", "Mail.Read", "openid"}


def test_no_refresh_token_without_offline_access_and_no_id_token_without_openid(origin: str, browser: Browser) -> None:
    token = redeem(origin, granted(browser, scope="Mail.Read"))
    assert "refresh_token" not in token and "id_token" not in token


def test_a_code_works_once_for_ten_minutes_with_its_verifier_and_tenant(
    world: Any, origin: str, browser: Browser
) -> None:
    code = granted(browser)
    assert redeem(origin, code, code_verifier="x" * 50)["error_codes"] == [501481]
    assert redeem(origin, code, "organizations")["error_codes"] == [700005]
    assert redeem(origin, code, redirect_uri=CALLBACK + "?x")["error"] == "invalid_grant"
    assert redeem(origin, code)["token_type"] == "Bearer"
    assert redeem(origin, code)["error_codes"] == [54005]
    late = granted(browser, prompt="login")
    world.clock.advance(601)
    assert redeem(origin, late)["error_codes"] == [70008]


def test_the_secret_is_checked_and_can_expire(world: Any, origin: str, browser: Browser) -> None:
    code = granted(browser)
    assert redeem(origin, code, client_secret="wrong")["error_codes"] == [7000215]
    assert redeem(origin, code, client_secret=None)["error_codes"] == [7000218]
    app = {"client_id": entra.DEFAULT_CLIENT_ID, "secret_expires": world.clock.timestamp()}
    assert httpx2.post(f"{origin}/sandbox/apps", json=app).status_code == 200
    assert redeem(origin, code)["error_codes"] == [7000222]
    wrong = httpx2.post(
        f"{origin}/common/oauth2/v2.0/token",
        data={"grant_type": "refresh_token", "refresh_token": "x"},
        auth=(entra.DEFAULT_CLIENT_ID, "no"),
    )
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


def test_prompt_none_succeeds_silently_or_says_what_is_missing(browser: Browser) -> None:
    assert browser.open(authorize(prompt="none")).answer["error"] == "login_required"
    granted(browser)
    assert "code" in browser.open(authorize(prompt="none")).answer
    assert browser.open(authorize(prompt="none", scope="Tasks.Read")).answer["error"] == "interaction_required"


def test_select_account_and_several_sessions_show_the_picker(browser: Browser) -> None:
    granted(browser)
    assert browser.open(authorize(prompt="select_account")).heading == "Pick an account"
    assert "Continue as Adele Varga" in browser.page
    granted(browser, "mara@northwind.example", prompt="login")
    assert browser.open(authorize()).heading == "Pick an account"
    browser.arrived = ""
    assert "code" in browser.open(authorize(login_hint=ADELE)).answer


def test_prompt_login_and_consent_ask_again(browser: Browser) -> None:
    granted(browser)
    assert browser.open(authorize(prompt="login")).heading == "Sign in"
    assert browser.open(authorize(prompt="consent")).heading == "Permissions requested"
    browser.arrived = ""
    assert "code" in browser.decide("accept").answer


def test_response_modes_fragment_and_form_post(browser: Browser) -> None:
    granted(browser)
    assert "#code=" in browser.open(authorize(response_mode="fragment")).arrived
    page = browser.open(authorize(response_mode="form_post")).page
    assert f'action="{CALLBACK}"' in page and 'name="code"' in page and 'name="state"' in page


@pytest.mark.parametrize(
    ("tenant", "address", "code"),
    [
        ("organizations", "sam.porter@outlook.example", 500208),
        ("consumers", ADELE, 50020),
        ("woodgrove.example", ADELE, 50020),
        ("common", "nobody@northwind.example", 50034),
        ("common", "support@northwind.example", 50057),
    ],
)
def test_accounts_that_do_not_fit_the_tenant_stay_on_the_page(
    browser: Browser, tenant: str, address: str, code: int
) -> None:
    browser.open(authorize(tenant)).sign_in(address)
    assert f"AADSTS{code}" in browser.page and not browser.arrived


def test_a_single_tenant_application_refuses_common(origin: str, browser: Browser) -> None:
    app = {"client_id": entra.DEFAULT_CLIENT_ID, "audience": "AzureADMyOrg", "tenant_id": NORTHWIND.id}
    httpx2.post(f"{origin}/sandbox/apps", json=app)
    assert "AADSTS50194" in browser.open(authorize()).page
    assert browser.open(authorize("northwind.example")).heading == "Sign in"


def test_a_member_who_may_not_consent_goes_back_with_nothing(browser: Browser) -> None:
    browser.open(authorize()).sign_in("lars@woodgrove.example")
    assert browser.heading == "Need admin approval"
    answer = browser.decide("return").answer
    assert (answer["error"], answer["error_subcode"]) == ("access_denied", "cancel")
    assert "AADSTS" not in answer["error_description"]


def test_an_administrator_can_be_fetched_to_consent_for_everybody(origin: str, browser: Browser) -> None:
    browser.open(authorize()).sign_in("lars@woodgrove.example").decide("admin")
    browser.sign_in("edith@woodgrove.example").decide("accept", organisation="1")
    assert "code" in browser.answer
    assert "code" in Browser(origin).open(authorize()).sign_in("lars@woodgrove.example").answer


@pytest.mark.parametrize(
    ("policy", "scope", "blocked"),
    [
        ("legacy", "Mail.Read", False),
        ("legacy", "User.Read.All", True),
        ("managed", "Mail.Read", True),
        ("managed", "Mail.Send", False),
        ("low", "User.Read", False),
        ("low", "Mail.Send", True),
        ("none", "User.Read", True),
    ],
)
def test_the_consent_policy_decides_which_scopes_members_may_grant(
    world: Any, browser: Browser, policy: Any, scope: str, blocked: bool
) -> None:
    entra.entra(world).policies.put(NORTHWIND.id, TenantPolicy(policy))
    browser.open(authorize(scope=scope)).sign_in(ADELE)
    assert browser.heading == ("Need admin approval" if blocked else "Permissions requested")


def test_personal_accounts_consent_for_themselves_and_get_no_work_scopes(origin: str, browser: Browser) -> None:
    code = granted(browser, "sam.porter@outlook.example", scope="openid profile Mail.Read Mail.Read.Shared")
    token = redeem(origin, code)
    assert token["scope"].split() == ["Mail.Read", "openid", "profile"]


def admin_url(tenant: str, **changes: str) -> str:
    asked = {"client_id": entra.DEFAULT_CLIENT_ID, "redirect_uri": CALLBACK, "scope": "Sites.Read.All", "state": "a"}
    return f"/{tenant}/v2.0/adminconsent?" + urlencode(asked | changes)


def test_admin_consent_grants_for_the_organisation(origin: str, browser: Browser) -> None:
    browser.open(admin_url("organizations")).sign_in("lars@woodgrove.example")
    assert "AADSTS90093" in browser.page
    answer = browser.sign_in("edith@woodgrove.example").decide("accept").answer
    assert (answer["admin_consent"], answer["tenant"], answer["state"]) == ("True", WOODGROVE.id, "a")
    assert "Sites.Read.All" in answer["scope"]
    other = Browser(origin).open(authorize(scope="Sites.Read.All")).sign_in("lars@woodgrove.example")
    assert "code" in other.answer


def test_declined_admin_consent_still_says_true_beside_the_error(browser: Browser) -> None:
    answer = browser.open(admin_url("organizations")).sign_in("edith@woodgrove.example").decide("cancel").answer
    assert (answer["admin_consent"], answer["error"]) == ("True", "consent_required")
    assert browser.open(admin_url("common")).status == 400


def test_logout_ends_the_session_and_returns_only_to_registered_addresses(browser: Browser) -> None:
    granted(browser)
    out = "/common/oauth2/v2.0/logout?" + urlencode({"post_logout_redirect_uri": "https://evil.example/"})
    assert browser.open(out).heading == "You are signed out"
    assert browser.open(authorize()).heading == "Sign in"
    back = "/common/oauth2/v2.0/logout?" + urlencode({"post_logout_redirect_uri": CALLBACK, "state": "b"})
    assert browser.open(back).arrived == CALLBACK + "?state=b"


def test_an_unknown_flow_says_that_it_has_expired(origin: str) -> None:
    page = httpx2.post(f"{origin}/common/signin", data={"flow": "gone", "account": ADELE})
    assert page.status_code == 400 and "AADSTS50089" in page.text
