"""Signing in, in Chromium: with Microsoft, an authenticator app, a passkey (a virtual one), no script."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from postroom.accounts import microsoft
from postroom.accounts.models import Identity, User
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Workspace
from postroom_sandbox.testing import Sandbox, running_sandbox
from tests.journeys.conftest import PATIENCE, at_work, painted
from tests.proofs.together import microsoft as settings_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADELE, PASSWORD = "adele@northwind.example", "correct horse battery"
BEN = "ben@northwind.example"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        sandbox.user(ADELE, "Adele Vance")
        sandbox.user(BEN, "Ben Okafor")
        yield sandbox


@pytest.fixture
def product(sandbox: Sandbox, settings: Settings, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a running product, by name: passkeys are tied to one."""
    for name, value in settings_of(sandbox.url).items():
        setattr(settings, name, value)
    microsoft._provider.cache_clear()
    server: LiveServer = request.getfixturevalue("live_server")  # after the settings: its policy names the sandbox
    settings.POSTROOM_BASE_URL = settings.POSTROOM_PUBLIC_URL = server.url
    assert server.url.startswith("http://localhost:")
    yield server.url
    microsoft._provider.cache_clear()


@pytest.fixture
def northwind(transactional_db: None) -> Workspace:
    workspace = create_workspace("Northwind Traders")
    add_member(workspace, User.objects.create_user(ADELE, "Adele Vance", PASSWORD), role="Admin")
    return workspace


def opened(browser: Browser, product: str, **options: Any) -> Page:
    window = browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=product, reduced_motion="reduce", **options
    )
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    return page


def with_password(page: Page) -> None:
    page.goto("/sign-in/")
    page.get_by_label("Email").fill(ADELE)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.context.clear_cookies()


def no_barriers(page: Page) -> None:
    at_work(page)
    painted(page)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    assert not found.response["violations"], found.generate_report()


def test_an_admin_lets_an_organisation_in_and_its_people_come_by_microsoft(
    browser: Browser, product: str, northwind: Workspace, sandbox: Sandbox
) -> None:
    page = opened(browser, product)
    with_password(page)
    page.goto("/settings/sign-in/")
    page.get_by_label("Tenant ID").fill("northwind")
    page.get_by_role("button", name="Allow this organisation").click()
    expect(page.get_by_text("A tenant ID looks like")).to_be_visible()
    page.get_by_label("Tenant ID").fill(sandbox.user(ADELE).tenant_id.upper())
    page.get_by_label("Name").fill("Northwind Traders")
    page.get_by_label("People who are not members yet").select_option(label="become Member")
    page.get_by_role("button", name="Allow this organisation").click()
    expect(page.get_by_text("everybody there may join as Member")).to_be_visible()
    no_barriers(page)

    newcomer = opened(browser, product)
    newcomer.goto("/sign-in/?next=/settings/security/")
    newcomer.get_by_role("button", name="Sign in with Microsoft").click()
    newcomer.locator(f'button[name="account"][value="{BEN}"]').click()
    newcomer.get_by_role("button", name="Accept").click()
    expect(newcomer).to_have_url(f"{product}/settings/security/")
    expect(newcomer.get_by_text("This browser")).to_be_visible()
    assert Identity.objects.get().user.email == BEN

    stranger = opened(browser, product)  # Adele's address is known here, but the account is not hers yet
    stranger.goto("/sign-in/")
    stranger.get_by_role("button", name="Sign in with Microsoft").click()
    stranger.locator(f'button[name="account"][value="{ADELE}"]').click()
    stranger.get_by_role("button", name="Accept").click()
    expect(stranger.get_by_role("heading", name="has an account here already")).to_be_visible()
    no_barriers(stranger)
    for one in (page, newcomer, stranger):
        one.context.close()


def test_an_authenticator_app_is_set_up_and_asked_for(browser: Browser, product: str, northwind: Workspace) -> None:
    page = opened(browser, product)
    with_password(page)
    page.goto("/settings/security/")
    page.get_by_role("link", name="Set up an authenticator app").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    no_barriers(page)
    secret = page.locator(".authenticator-key").inner_text().replace(" ", "").replace("\n", "")
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator(".recovery-codes code").all_inner_texts()
    no_barriers(page)
    assert len(codes) == 10

    sign_out(page)
    with_password(page)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    no_barriers(page)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This code does not fit")).to_be_visible()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.goto("/settings/security/")
    expect(page.get_by_text("9 left")).to_be_visible()
    expect(page.get_by_text("Failed: password and code")).to_be_visible()
    no_barriers(page)
    page.context.close()


def test_a_passkey_is_made_and_signs_in_alone_and_as_second_step(
    browser: Browser, product: str, northwind: Workspace
) -> None:
    page = opened(browser, product)
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    virtual_authenticator(page)
    with_password(page)
    page.goto("/settings/security/passkeys/add/")
    no_barriers(page)
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Create passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/settings/security/")
    expect(page.get_by_label("Name of passkey My phone")).to_be_visible()
    page.get_by_label("Name of passkey My phone").fill("Old phone")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_label("Name of passkey Old phone")).to_be_visible()

    sign_out(page)
    page.goto("/sign-in/?next=/settings/security/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{product}/settings/security/")
    expect(page.locator(".lines").first.get_by_text("Passkey", exact=False)).to_be_visible()

    sign_out(page)
    with_password(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.goto("/settings/security/")
    at_work(page)
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("Passkey removed.")).to_be_visible()
    assert errors == []
    page.context.close()


def test_where_a_second_factor_is_required_a_password_leads_to_setting_one_up(
    browser: Browser, product: str, northwind: Workspace
) -> None:
    Workspace.objects.update(second_factor_required=True)
    page = opened(browser, product)
    with_password(page)
    expect(page.get_by_role("heading", name="asks for a second factor")).to_be_visible()
    no_barriers(page)
    page.get_by_role("link", name="Set up an authenticator app").click()
    secret = page.locator(".authenticator-key").inner_text().replace(" ", "").replace("\n", "")
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/settings/members/")
    expect(page.get_by_role("heading", name="Members and roles")).to_be_visible()
    page.context.close()


def test_without_scripts_a_password_and_a_code_are_enough(browser: Browser, product: str, northwind: Workspace) -> None:
    page = opened(browser, product, java_script_enabled=False)
    with_password(page)
    page.goto("/settings/security/authenticator/")
    secret = page.locator(".authenticator-key").inner_text().replace(" ", "").replace("\n", "")
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    code = page.locator(".recovery-codes code").first.inner_text()
    sign_out(page)
    page.goto("/sign-in/")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    with_password(page)
    page.get_by_label("Code").fill(code)
    with page.expect_navigation():
        page.get_by_role("button", name="Continue").click()
    page.goto("/settings/members/")
    expect(page.get_by_role("heading", name="Members and roles")).to_be_visible()
    page.context.close()


def code_of(secret: str) -> str:
    """What an app shows now."""
    counters = list(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, counters[len(counters) // 2]))


def virtual_authenticator(page: Page) -> None:
    """A device that says yes, with the finger of its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
