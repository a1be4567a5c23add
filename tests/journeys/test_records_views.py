"""A seller's tables: filters, columns, a saved view; a field changed in place and a deal moved, both taken back."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from postroom.mail.tests.conftest import member
from postroom.records.deals import commands as deals
from postroom.records.models import Deal, SavedView
from postroom.workspaces.models import Membership
from tests.journeys.conftest import PATIENCE, at_work, in_both_themes

__all__ = ["member"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, member: Membership, settings: Settings, live_server: LiveServer) -> Iterator[Page]:
    """Adele at the list of deals; two are hers, one is nobody's."""
    settings.POSTROOM_DEMO = True
    for name, amount, owner in (
        ("Contoso renewal", 84000, member),
        ("Osaka pilot", 38000, member),
        ("Bremen", 500, None),
    ):
        deals.create(
            member.workspace, by=member, name=name, amount=Decimal(amount), owner=owner, close_date=date(2026, 12, 9)
        )
    window = browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=live_server.url, reduced_motion="reduce"
    )
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto("/demo/sign-in?as=adele")
    page.goto("/deals/list/")
    yield page
    window.close()


def headings(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#list th").all_inner_texts()]


def undo(page: Page) -> None:
    """The newest toast's, by keyboard."""
    button = page.locator("[data-toast]").last.get_by_role("button", name="Undo")
    button.focus()
    page.keyboard.press("Enter")


def test_a_view_of_one_s_own_deals_and_changes_taken_back(page: Page, member: Membership) -> None:
    expect(page.get_by_text("3 deals")).to_be_visible()
    page.get_by_role("link", name="Filter", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("summary", has_text="Owner").click()
    in_both_themes(page)
    dialog.get_by_label("Me", exact=True).check()
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("2 deals")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Owner: Me"))).to_be_visible()

    page.get_by_role("link", name="Columns").click()
    dialog.get_by_label("Company", exact=True).uncheck()
    dialog.get_by_role("button", name="Amount further to the front").click()
    expect(dialog.locator(".column-line").nth(1)).to_contain_text("Amount")
    expect(dialog.get_by_label("Company", exact=True)).not_to_be_checked()
    in_both_themes(page)
    dialog.get_by_role("button", name="Show these").click()
    expect(page.locator("#list th").nth(1)).to_have_text("Amount")
    assert "Company" not in headings(page)

    page.get_by_role("link", name="Save view").click()
    in_both_themes(page)
    dialog.get_by_label("Name").fill("My deals")
    dialog.get_by_role("button", name="Save view").click()
    expect(page.locator(".chip-view[aria-current]")).to_contain_text("My deals")
    assert SavedView.objects.get(name="My deals").member == member
    page.goto("/deals/list/")
    page.get_by_role("link", name=re.compile("My deals")).click()
    expect(page.get_by_text("2 deals")).to_be_visible()
    in_both_themes(page)

    page.get_by_role("link", name="Contoso renewal").click()
    expect(page.get_by_role("heading", name="Contoso renewal")).to_be_visible()
    at_work(page)
    amount = page.locator("#field-amount")
    amount.get_by_role("button", name="Change amount").focus()
    page.keyboard.press("Enter")
    expect(amount.get_by_role("spinbutton")).to_be_focused()
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    expect(amount).to_contain_text("€12")
    expect(page.get_by_text("Amount changed.")).to_be_visible()
    undo(page)
    expect(amount).to_contain_text("€84,000")
    in_both_themes(page)
    assert Deal.objects.get(name="Contoso renewal").amount == 84000

    page.goto("/deals/")
    first, second = page.locator("[data-board-stage]").nth(0), page.locator("[data-board-stage]").nth(1)
    first.get_by_role("link", name="Osaka pilot").focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.get_by_text("Osaka pilot moved to Proposal.")).to_be_visible()
    expect(second.locator(".board-total")).to_have_text(re.compile("€38,000.*€11,400 weighted"))
    expect(second.get_by_role("link", name="Osaka pilot")).to_be_visible()
    undo(page)
    expect(first.get_by_role("link", name="Osaka pilot")).to_be_visible()
    expect(second.locator(".board-note")).to_be_visible()
    in_both_themes(page)
    assert Deal.objects.get(name="Osaka pilot").stage.name == "Qualified"

    page.get_by_role("link", name="Forecast").click()
    expect(page.get_by_role("heading", name="By month of expected close")).to_be_visible()
    in_both_themes(page)
