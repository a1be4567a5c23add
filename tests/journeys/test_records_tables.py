"""Tables one works in: cells changed by keyboard and mouse, and what a colleague does shows in them at once."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django import Settings

from postroom.accounts.models import User
from postroom.mail.tests.conftest import member
from postroom.records import commands
from postroom.records.deals import commands as deals
from postroom.records.models import Deal
from postroom.records.notes import commands as notes
from postroom.workspaces.models import Membership
from tests.journeys.conftest import PATIENCE, accessible
from tests.journeys.test_together import served

__all__ = ["member", "served"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def some(member: Membership) -> dict[str, Deal]:
    """Three deals of Adele's, with amounts."""
    names = {"Bremen": 500, "Contoso renewal": 84000, "Osaka pilot": 38000}
    return {
        name: deals.create(member.workspace, by=member, name=name, amount=Decimal(amount))
        for name, amount in names.items()
    }


@pytest.fixture
def ben(member: Membership) -> Membership:
    user = User.objects.create_user(email="ben@northwind.example", password="long-enough-word", name="Ben Okafor")
    return Membership.objects.create(workspace=member.workspace, user=user, role=member.role)


@pytest.fixture
def at(browser: Browser, served: str, settings: Settings, member: Membership) -> Iterator[Callable[..., Page]]:
    """Adele's window at an address, with its live events."""
    settings.POSTROOM_DEMO = True
    window = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=served, reduced_motion="reduce")
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"/demo/sign-in?as={member.address}")

    def opened(address: str, *, width: int = 1440) -> Page:
        page.set_viewport_size({"width": width, "height": 900})
        with page.expect_response("**/events"):
            page.goto(address)
        return page

    yield opened
    window.close()


def cell(page: Page, deal: str, column: str) -> Locator:
    return page.locator("#rows tr", has_text=deal).locator(f"[data-cell={column}]")


def test_cells_are_changed_by_keyboard_and_taken_back(at: Callable[..., Page], some: dict[str, Deal]) -> None:
    page = at("/deals/list/")
    page.locator("#rows").get_by_role("link", name="Bremen").focus()
    page.keyboard.press("ArrowRight")
    expect(cell(page, "Bremen", "company")).to_be_focused()
    page.keyboard.press("F2")
    expect(page.get_by_label("Company of Bremen")).to_be_focused()
    page.keyboard.type("Fabrikam")
    page.keyboard.press("Tab")  # saves, and goes on to the stage
    expect(page.get_by_label("Stage of Bremen")).to_be_focused()
    expect(cell(page, "Bremen", "company")).to_have_text("Fabrikam")
    accessible(page)
    page.keyboard.press("Tab")  # nothing was changed: straight on to the amount
    expect(page.get_by_label("Amount of Bremen")).to_be_focused()
    page.keyboard.type("9999999999999999")
    page.keyboard.press("Enter")
    expect(cell(page, "Bremen", "amount").get_by_role("alert")).to_be_visible()
    accessible(page)
    page.get_by_label("Amount of Bremen").fill("750")
    page.keyboard.press("Enter")
    expect(cell(page, "Bremen", "amount")).to_be_focused()
    expect(cell(page, "Bremen", "amount")).to_have_text("€750")
    page.keyboard.press("ArrowDown")
    expect(cell(page, "Contoso renewal", "amount")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Amount of Contoso renewal").fill("1")
    page.keyboard.press("Escape")
    expect(cell(page, "Contoso renewal", "amount")).to_be_focused()
    expect(cell(page, "Contoso renewal", "amount")).to_have_text("€84,000")
    button = page.locator("[data-toast]").last.get_by_role("button", name="Undo")
    button.focus()
    page.keyboard.press("Enter")
    expect(cell(page, "Bremen", "amount")).to_have_text("€500")
    assert [deal.amount for deal in Deal.objects.order_by("name")] == [500, 84000, 38000]


def test_a_press_takes_hold_of_a_cell_and_another_changes_it(at: Callable[..., Page], some: dict[str, Deal]) -> None:
    page = at("/deals/list/")
    cell(page, "Bremen", "amount").click()
    expect(cell(page, "Bremen", "amount")).to_be_focused()
    cell(page, "Bremen", "amount").dblclick()
    page.get_by_label("Amount of Bremen").fill("900")
    page.get_by_role("heading", name="Deals").click()  # leaving it saves
    expect(cell(page, "Bremen", "amount")).to_have_text("€900")
    page = at("/deals/list/", width=390)
    cell(page, "Bremen", "amount").click(force=True)  # where there is no room, a press anywhere opens the record
    expect(page.get_by_role("heading", name="Bremen")).to_be_visible()


def test_what_a_colleague_does_shows_in_the_table_while_one_types(
    at: Callable[..., Page], some: dict[str, Deal], ben: Membership
) -> None:
    page = at("/deals/list/?show=all")
    cell(page, "Bremen", "amount").dblclick()
    field = page.get_by_label("Amount of Bremen")
    field.fill("77")
    deals.change(some["Bremen"], by=ben, owner=ben)
    deals.change(some["Osaka pilot"], by=ben, name="Osaka rollout")
    expect(page.locator("#rows tr", has_text="Bremen")).to_contain_text("Ben Okafor")
    expect(page.locator("#rows")).to_contain_text("Osaka rollout")
    expect(field).to_be_focused()
    expect(field).to_have_value("77")
    deals.create(ben.workspace, by=ben, name="Aachen")
    page.keyboard.press("Enter")
    expect(cell(page, "Bremen", "amount")).to_have_text("€77")
    expect(page.locator("#rows")).to_contain_text("Aachen")  # as soon as nothing is being typed
    commands.delete(some["Contoso renewal"])
    expect(page.locator("#rows")).not_to_contain_text("Contoso renewal")


def test_what_a_colleague_does_shows_on_the_page_and_the_board(
    at: Callable[..., Page], some: dict[str, Deal], ben: Membership
) -> None:
    deal = some["Bremen"]
    page = at(f"/deals/{deal.pk}/?tab=notes")
    page.get_by_label("Note", exact=True).fill("Half a")
    page.locator("#field-name").get_by_role("button").click()
    typed = page.locator("#field-name input[type=text]")
    typed.fill("Bremen and")
    second = deal.stage.pipeline.stages.all()[1]
    deals.move(deal, to=second, by=ben)
    deals.change(deal, by=ben, amount=Decimal(640))
    notes.write(deal, "They want two", by=ben)
    expect(page.locator("#field-amount")).to_contain_text("€640")
    expect(page.locator("#record-standing [aria-current=step]")).to_have_text(second.name)
    expect(page.locator("#panel")).to_contain_text("They want two")
    expect(page.locator("#record-tabs [aria-current=page]")).to_contain_text("1")
    expect(typed).to_be_focused()
    expect(typed).to_have_value("Bremen and")
    expect(page.get_by_label("Note", exact=True)).to_have_value("Half a")
    page = at("/deals/")
    third = deal.stage.pipeline.stages.all()[2]
    deals.move(deal, to=third, by=ben)
    expect(page.locator(f"#stage-{third.pk}")).to_contain_text("Bremen")
    page = at(f"/deals/{deal.pk}/")
    commands.delete(deal)
    expect(page.get_by_text("This is not here any more")).to_be_visible()


def test_an_answer_is_heard_although_the_form_that_asked_is_gone(
    at: Callable[..., Page], some: dict[str, Deal]
) -> None:
    deal = some["Bremen"]
    page = at(f"/deals/{deal.pk}/")
    second = deal.stage.pipeline.stages.all()[1]
    remove = "document.addEventListener('htmx:beforeSend', ({ detail }) => detail.elt.remove(), { once: true })"
    page.evaluate(remove)  # as another answer does that comes first
    page.locator(".deal-stages").get_by_role("button", name=second.name, exact=True).click()
    expect(page.locator(".toast", has_text=second.name)).to_be_visible()
    expect(page.locator("#record-standing [aria-current=step]")).to_have_text(second.name)


def test_the_palette_leads_to_a_record(at: Callable[..., Page], some: dict[str, Deal]) -> None:
    page = at("/contacts/")
    page.keyboard.press("Control+k")
    page.keyboard.type("osaka")
    expect(page.get_by_role("option", name="Osaka pilot")).to_have_attribute("aria-selected", "true")
    accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Osaka pilot")).to_be_visible()


def test_what_the_palette_offers_is_done_though_news_drew_the_page_anew(
    at: Callable[..., Page], some: dict[str, Deal]
) -> None:
    page = at("/contacts/")
    page.keyboard.press("Control+k")
    page.keyboard.type("deals")
    expect(page.get_by_role("option", name="Deals", exact=True)).to_have_attribute("aria-selected", "true")
    page.evaluate("for (const one of document.querySelectorAll('.rail-body')) one.innerHTML += ''")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Deals").first).to_be_visible()
