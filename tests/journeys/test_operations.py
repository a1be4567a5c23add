"""An admin whose mailboxes are in trouble: the bell, the alerts, the doctor, an error explained, the setup."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from postroom.accounts.models import User
from postroom.mailboxes import failures
from postroom.mailboxes.models import Mailbox
from postroom.operations import beats
from postroom.operations.alerts.evaluate import evaluate
from postroom.providers import errors
from postroom.workspaces.commands import add_member, create_workspace
from tests.journeys.conftest import PATIENCE, accessible

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADELE = "adele@northwind.example"


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, settings: Settings) -> Iterator[Page]:
    settings.POSTROOM_DEMO = True
    settings.POSTROOM_OPERATORS = [ADELE]
    settings.POSTROOM_BASE_URL = settings.POSTROOM_PUBLIC_URL = live_server.url
    member = add_member(
        create_workspace("Northwind"), User.objects.create_user(email=ADELE, name="Adele"), role="Admin"
    )
    mailbox = Mailbox.objects.create(
        workspace=member.workspace, owner=member, provider="microsoft", address="sales@northwind.example", state="live"
    )
    failures.mark_mailbox(mailbox, errors.ReauthNeeded("x", reason="revoked", code="AADSTS50173"))
    beats.Beat("worker", 8).write()
    evaluate()
    window = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto("/demo/sign-in?as=adele")
    yield page
    window.close()


def test_from_the_bell_to_what_has_to_be_done(page: Page) -> None:
    page.goto("/inbox/")
    page.locator(".rail-foot").get_by_role("link", name="Alerts").click()
    expect(page.get_by_text("sales@northwind.example needs a new sign-in", exact=True)).to_be_visible()
    accessible(page)

    page.get_by_role("link", name="Doctor").click()
    # Our own address is asked as Microsoft would ask it, while this page is open.
    expect(page.get_by_text(re.compile("echoes the validation|answers rightly"))).to_be_visible()
    page.get_by_label("Error of Microsoft’s").fill('{"error":"invalid_grant","error_codes":[50105]}')
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".explained-facts").get_by_text("Users and groups → Add user/group")).to_be_visible()
    page.get_by_text("Letter to your IT").click()
    expect(page.get_by_text("Application (client) ID:")).to_be_visible()
    accessible(page)

    page.get_by_role("link", name="Setup, step by step").click()
    expect(page.get_by_text("Next:")).to_be_visible()
    expect(page.locator("#step-push").get_by_text("Done")).to_have_count(0)  # no Graph to reach here
    accessible(page)


def test_the_operator_page_shows_the_living_and_no_address(page: Page) -> None:
    page.goto("/operations/")
    expect(page.get_by_text("Alive", exact=True)).to_be_visible()
    expect(page.get_by_text("AADSTS50173")).to_be_visible()
    assert "sales@northwind.example" not in page.locator("#figures").inner_text()
    accessible(page)
