"""Connect, decline, admin approval, reconnect, disconnect: a member in Chromium, the product, a sandbox Microsoft."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from postroom.accounts.models import User
from postroom.mailboxes import departure, grants
from postroom.mailboxes.models import Connection, Mailbox
from postroom.providers import errors, registry
from postroom.workspaces.commands import add_member, create_workspace
from postroom_sandbox.entra import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from postroom_sandbox.testing import Sandbox, running_sandbox
from tests.journeys.conftest import PATIENCE, accessible, at_work
from tests.journeys.test_days_by_keyboard import put_the_pointer_away, skip, walk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/settings/integrations/outlook/"
ADELE = "adele@northwind.example"
NO_MAILBOX = "This account has no mailbox we can reach"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        sandbox.user(ADELE, "Adele Vance")
        sandbox.user("ben@northwind.example", "Ben Okafor")
        sandbox.user("nina@northwind.example", "Nina Nobox", kind="no-licence")
        yield sandbox


@pytest.fixture
def product(
    sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of a running product that takes the sandbox for Microsoft."""
    given = {"CLIENT_ID": DEFAULT_CLIENT_ID, "CLIENT_SECRET": DEFAULT_CLIENT_SECRET, "TENANT": "common"}
    for name, value in {**given, "LOGIN_URL": sandbox.url, "GRAPH_URL": sandbox.url}.items():
        monkeypatch.setenv(f"MICROSOFT_{name}", value)
        setattr(settings, f"MICROSOFT_{name}", value)
    registry.connector.cache_clear()
    settings.POSTROOM_DEMO = True
    server: LiveServer = request.getfixturevalue("live_server")  # after the settings: its policy names the sandbox
    settings.POSTROOM_BASE_URL = settings.POSTROOM_PUBLIC_URL = server.url
    yield server.url
    registry.connector.cache_clear()


@pytest.fixture
def page(browser: Browser, product: str) -> Iterator[Page]:
    """Adele, signed in. She is an admin; nothing is connected yet."""
    northwind = create_workspace("Northwind Traders")
    add_member(northwind, User.objects.create_user(ADELE, "Adele Vance"), role="Admin")
    window = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=product, reduced_motion="reduce")
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto("/demo/sign-in?as=adele")
    yield page
    window.close()


def to_the_provider(page: Page) -> None:
    """From Settings over the provider choice and the review screen to the sandbox's account picker."""
    page.goto(LIST)
    page.get_by_role("link", name=re.compile("Connect a mailbox|Add another account")).click()
    page.get_by_role("link", name=re.compile("Outlook")).first.click()
    expect(page.get_by_text("Mail.ReadWrite", exact=True)).to_be_visible()
    page.get_by_role("button", name="Continue to Microsoft").click()


def sign_in_as(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(name)).first.click()


def connect(page: Page) -> Mailbox:
    to_the_provider(page)
    sign_in_as(page, "Adele Vance")
    accept_all(page)
    at_work(page)
    return Mailbox.objects.get()


def accept_all(page: Page) -> None:
    """Every consent page on the way back; consent given by an earlier test of this module still counts."""
    accept, back = page.get_by_role("button", name="Accept"), page.get_by_role("heading", name="Outlook", exact=True)
    for _ in range(8):
        expect(accept.or_(back)).to_be_visible()
        if back.is_visible():
            return
        with page.expect_navigation():
            accept.click()
    raise AssertionError("the consent pages never end")


def control(sandbox: Sandbox, path: str, body: dict[str, Any] | None = None) -> None:
    answer = httpx2.post(f"{sandbox.url}/sandbox/{path}", json=body or {}, trust_env=False)
    assert answer.status_code < 300, answer.text


def test_connect_and_choose_the_history(page: Page) -> None:
    page.goto(LIST)
    accessible(page)
    mailbox = connect(page)
    expect(page).to_have_url(re.compile(f"{LIST}#mailbox-{mailbox.pk}$"))
    card = page.locator(f"#mailbox-{mailbox.pk}")
    expect(card.get_by_role("heading", name=ADELE)).to_be_visible()
    expect(card.get_by_text("How much of the past shall Postroom pull?")).to_be_visible()
    accessible(page)
    card.get_by_text("30 days").click()
    card.get_by_role("button", name="Pull history").click()
    expect(page.locator(".toast").filter(has_text="Pulling the last 30 days")).to_be_visible()
    expect(card.get_by_text("How much of the past")).to_have_count(0)
    mailbox.refresh_from_db()
    assert (mailbox.history, mailbox.state) == ("30d", "live")
    assert "Mail.ReadWrite" in mailbox.connection.scopes


def test_connect_by_keyboard_alone(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    put_the_pointer_away(page, monkeypatch)
    page.goto(LIST)
    skip(page)
    outlook = page.get_by_role("link", name=re.compile("Outlook"))
    on = page.get_by_role("button", name="Continue to Microsoft")
    account = page.get_by_role("button", name=re.compile("Adele Vance")).first
    for one in (page.get_by_role("link", name=re.compile("Connect a mailbox")).first, outlook.last, on, account):
        walk(page, one, at_most=10)
        page.keyboard.press("Enter")
    accept, question = page.get_by_role("button", name="Accept"), page.get_by_text("How much of the past shall")
    expect(accept.or_(question)).to_be_visible()
    while not question.is_visible():
        walk(page, accept, at_most=10)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(accept.or_(question)).to_be_visible()
    walk(page, page.locator("input[name=history]:checked"), at_most=20)
    walk(page, page.get_by_role("radio", name=re.compile("30 days")), at_most=6, key="ArrowDown")
    walk(page, page.get_by_role("button", name="Pull history"), at_most=2)
    page.keyboard.press("Enter")
    expect(page.locator(".toast").filter(has_text="Pulling the last 30 days")).to_be_visible()
    assert Mailbox.objects.get().history == "30d"
    assert page.evaluate("sessionStorage.getItem('pointed')") is None


def test_decline(page: Page, sandbox: Sandbox) -> None:
    control(sandbox, f"mailboxes/{ADELE}/withdraw-consent")
    to_the_provider(page)
    sign_in_as(page, "Adele Vance")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="You did not allow access")).to_be_visible()
    expect(page.get_by_text(re.compile("AADSTS65004"))).to_be_visible()
    accessible(page)
    assert Mailbox.objects.count() == 0
    page.get_by_role("link", name="Connect again").click()
    expect(page.get_by_role("heading", name="What Postroom asks for")).to_be_visible()


def test_admin_approval(page: Page, sandbox: Sandbox, browser: Browser) -> None:
    control(sandbox, f"mailboxes/{ADELE}/withdraw-consent")
    control(sandbox, "tenants/northwind.example/policy", {"consent": "none"})
    try:
        to_the_provider(page)
        sign_in_as(page, "Adele Vance")
        expect(page.get_by_role("heading", name="Need admin approval")).to_be_visible()
        page.get_by_role("button", name="Return without granting").click()
        link = page.get_by_label("Link for your administrator").input_value()
        assert link.startswith(f"{sandbox.url}/organizations/v2.0/adminconsent?")
        accessible(page)
    finally:
        control(sandbox, "tenants/northwind.example/policy", {"consent": "legacy"})


def test_the_ladder_one_guarded_permission_stops_nothing_and_an_administrator_opens_it(
    page: Page, sandbox: Sandbox, browser: Browser
) -> None:
    control(sandbox, f"mailboxes/{ADELE}/withdraw-consent")
    control(sandbox, "mailboxes/ben@northwind.example/account", {"admin": True})
    guarded = {"consent": "legacy", "guarded": ["MailboxSettings.ReadWrite"]}
    control(sandbox, "tenants/northwind.example/policy", guarded)
    try:
        to_the_provider(page)
        sign_in_as(page, "Adele Vance")
        for _ in range(2):  # mail, then sending
            with page.expect_navigation():
                page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("heading", name="Need admin approval")).to_be_visible()
        page.get_by_role("button", name="Return without granting").click()
        page.get_by_role("button", name="Accept").click()  # what comes after it: whom one works with
        line = page.locator(".allowed-line").filter(has_text="Category colours")
        expect(line).to_contain_text("off: permission not granted")
        assert "Mail.Send" in Mailbox.objects.get().connection.scopes
        accessible(page)
        line.get_by_role("button", name=re.compile("Ask your admin")).click()
        link = page.get_by_label("Link for your administrator").input_value()
        page.get_by_text("A mail to send it with").click()
        accessible(page)
        approve(browser, link)
        page.goto(LIST)
        expect(page.get_by_text("Your organisation approved Category colours.")).to_be_visible()
        accessible(page)
        page.get_by_role("button", name="Allow it now").click()
        expect(page.get_by_role("heading", name="Outlook", exact=True)).to_be_visible()
        expect(page.locator(".allowed-line").filter(has_text="Category colours")).not_to_contain_text("off:")
    finally:
        control(sandbox, "tenants/northwind.example/policy", {"consent": "legacy"})


def approve(browser: Browser, link: str) -> None:
    """Ben of IT, in a browser of his own, without an account here."""
    window = browser.new_context()
    theirs = window.new_page()
    theirs.goto(link)
    sign_in_as(theirs, "Ben Okafor")
    theirs.get_by_role("button", name="Accept").click()
    expect(theirs.get_by_role("heading", name="Thank you")).to_be_visible()
    accessible(theirs)
    window.close()


def test_a_policy_asks_for_another_check(page: Page, sandbox: Sandbox) -> None:
    mailbox = connect(page)
    control(sandbox, f"mailboxes/{ADELE}/claims-challenge", {"refuse": True})
    assert mailbox.connection is not None
    with pytest.raises(errors.ReauthNeeded):
        rejected = grants.open_grant(mailbox.connection).access_token
        grants.Tokens(mailbox.connection.pk)(rejected=rejected)
    try:
        page.goto("/settings/profile/")
        banner = page.locator("#trouble")
        expect(banner).to_contain_text(f"Sync failed: {ADELE}")
        accessible(page)
        with page.expect_navigation():
            banner.get_by_role("button", name="Sign in again").click()
        expect(page.get_by_role("heading", name=re.compile("Verify your identity|Sign in|Pick"))).to_be_visible()
        if page.get_by_role("heading", name="Verify your identity").count() == 0:
            sign_in_as(page, "Adele Vance|Sign in")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("is connected again")).to_be_visible()
        expect(page.locator("#trouble .banner")).to_have_count(0)
    finally:
        control(sandbox, f"mailboxes/{ADELE}/claims-challenge", {"clear": True})


def test_settings_of_a_mailbox_in_both_directions(page: Page) -> None:
    mailbox = connect(page)
    page.goto(f"/mailboxes/{mailbox.pk}/")
    accessible(page)
    page.get_by_label("Purpose").select_option("sales")
    page.get_by_label("When I write").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()
    page.goto(f"/mailboxes/{mailbox.pk}/")
    expect(page.get_by_label("When I write")).to_be_checked()
    page.get_by_label("One-way").check()
    page.get_by_role("button", name="Change direction").click()
    card = page.locator(f"#mailbox-{mailbox.pk}")
    expect(card.get_by_text("One-way")).to_be_visible()
    expect(card.get_by_text("How much of the past")).to_have_count(0)
    page.goto(f"/mailboxes/{mailbox.pk}/hand-over/")
    accessible(page)


def test_an_account_without_a_mailbox(page: Page) -> None:
    to_the_provider(page)
    page.get_by_label("Email address").first.fill("nina@northwind.example")
    page.get_by_role("button", name="Sign in", exact=True).first.click()
    accept, refused = page.get_by_role("button", name="Accept"), page.get_by_role("heading", name=NO_MAILBOX)
    expect(accept.or_(refused)).to_be_visible()  # an approval for the whole organisation spares the question
    if accept.is_visible():
        accept.click()
    expect(refused).to_be_visible()
    accessible(page)
    assert Mailbox.objects.count() == Connection.objects.count() == 0


def test_reconnect_after_access_was_revoked(page: Page, sandbox: Sandbox) -> None:
    mailbox = connect(page)
    control(sandbox, f"mailboxes/{ADELE}/revoke")
    rejected = grants.open_grant(mailbox.connection).access_token
    with pytest.raises(errors.ReauthNeeded):
        grants.Tokens(mailbox.connection.pk)(rejected=rejected)
    page.goto(LIST)
    card = page.locator(f"#mailbox-{mailbox.pk}")
    expect(card.get_by_role("alert")).to_contain_text("AADSTS50173")
    accessible(page)
    with page.expect_navigation():
        card.get_by_role("button", name="Reconnect").click()
    expect(page.get_by_role("heading", name=re.compile("Outlook|Pick an account|Sign in"))).to_be_visible()
    if sandbox.url in page.url:
        sign_in_as(page, "Adele Vance|Sign in")
    accept_all(page)
    expect(page.get_by_text("is connected again")).to_be_visible()
    expect(page.locator(f"#mailbox-{mailbox.pk}").get_by_role("alert")).to_have_count(0)
    assert grants.Tokens(mailbox.connection.pk)() != rejected
    assert Mailbox.objects.get().pk == mailbox.pk


def test_disconnect_and_keep_then_delete(page: Page) -> None:
    mailbox = connect(page)
    card = page.locator(f"#mailbox-{mailbox.pk}")
    card.get_by_role("link", name="Disconnect").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Keep the synced mail")).to_be_visible()
    accessible(page)
    dialog.get_by_role("button", name="Disconnect").click()
    expect(card.get_by_text("Its synced mail is kept and can be read.")).to_be_visible()
    assert Connection.objects.count() == 0
    card.get_by_role("link", name="Delete mail").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_text("to confirm that its synced mail")).to_be_visible()
    dialog.get_by_label(re.compile("Type")).fill(ADELE)
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No mailbox yet")).to_be_visible()
    departure.finish(mailbox.pk)  # what a worker does
    assert Mailbox.objects.count() == 0
