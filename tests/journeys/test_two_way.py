"""Categories, folders, drafts and Undo: a member in Chromium, and what stands at the provider afterwards."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from postroom.mail.models import Composition, Message
from postroom.providers.memory.mailbox import Box
from tests.journeys.conftest import at_work
from tests.journeys.test_inbox import (
    Settle,
    box,
    connect,
    inbox,
    mailbox,
    member,
    page,
    pytestmark,
    settle,
)

__all__ = ["Settle", "box", "connect", "inbox", "mailbox", "member", "page", "pytestmark", "settle"]


def _folders(box: Box) -> list[str | None]:
    return sorted(str(one.folder_id) for one in box.messages.values())


def test_a_category_is_made_with_a_colour_and_stands_in_the_list(
    page: Page, box: Box, inbox: Callable[[], None]
) -> None:
    page.get_by_role("link", name="Renewal terms").click()
    page.get_by_role("button", name="Categories").first.wait_for()
    page.keyboard.press("l")
    menu = page.locator("#category-menu")
    menu.get_by_label("New category").fill("Renewal")
    menu.get_by_label("Colour").select_option("Green")
    menu.get_by_role("button", name="Add").click()
    expect(page.locator("#thread-tags .tag-category", has_text="Renewal")).to_be_visible()
    expect(page.locator("#threads .tag-category.category-4", has_text="Renewal")).to_be_visible()
    inbox()
    assert box.categories["renewal"].color == 4
    assert [one.categories for one in box.messages.values() if one.categories] == [("Renewal",)]
    page.locator("#thread-tags").get_by_role("button", name="Remove Renewal").click()
    expect(page.locator("#threads .tag-category")).to_have_count(0)


def test_several_are_chosen_by_keyboard_archived_and_brought_back(
    page: Page, box: Box, inbox: Callable[[], None]
) -> None:
    page.locator("#threads a").first.focus()
    page.keyboard.press("x")
    page.locator("#threads a").nth(1).focus()
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("2 chosen")
    page.keyboard.press("e")
    expect(page.locator("#threads > [data-row]")).to_have_count(1)
    inbox()
    assert _folders(box) == ["archive", "archive", "inbox"]
    page.keyboard.press("z")
    expect(page.locator("#threads > [data-row]")).to_have_count(3)
    inbox()
    assert _folders(box) == ["inbox"] * 3


def test_a_folder_is_made_renamed_and_deleted_on_a_telephone(page: Page, box: Box, inbox: Callable[[], None]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/mail/")
    page.get_by_role("button", name="Folders").click()
    page.get_by_role("link", name="New folder", exact=True).click()
    page.locator("#dialog").get_by_label("Name").fill("Customers")
    page.locator("#dialog").get_by_role("button", name="Make the folder").click()
    expect(page.get_by_role("heading", name="Customers")).to_be_visible()
    at_work(page)
    inbox()
    assert "Customers" in [one.name for one in box.folders.values()]
    page.get_by_role("button", name="Folders").click()
    page.get_by_role("button", name="Folder Customers").click()
    page.get_by_role("link", name="Rename").click()
    page.locator("#dialog").get_by_label("Name").fill("Clients")
    page.locator("#dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()
    at_work(page)
    page.get_by_role("button", name="Folders").click()
    page.get_by_role("button", name="Folder Clients").click()
    page.locator(":popover-open .menu-item-danger").click()
    expect(page.get_by_text("Clients is in Deleted Items")).to_be_visible()
    inbox()
    assert [one.parent_id for one in box.folders.values() if one.name == "Clients"] == ["deleted"]


def test_a_draft_from_outlook_is_finished_here_and_sent(page: Page, box: Box, inbox: Callable[[], None]) -> None:
    box.deliver(
        subject="Begun in Outlook", html="<p>Dear Ben,</p>", folder="drafts", is_draft=True, to=["ben@contoso.example"]
    )
    inbox()
    page.goto("/inbox/?filter=drafts")
    page.get_by_role("link", name="Begun in Outlook").click()
    text = page.get_by_role("textbox", name="Message")
    expect(text).to_have_text("Dear Ben,")
    at_work(page)
    text.fill("Dear Ben,\n\nhere it is.")
    expect(page.locator("[data-composer-state]")).to_have_text("Saved")
    inbox()
    draft = next(one for one in box.messages.values() if one.is_draft)
    assert draft.body is not None and "here it is" in draft.body.content
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/inbox/")
    inbox()
    assert [one.subject for one in box.messages.values() if one.folder_id == "sent"] == ["Begun in Outlook"]
    assert not Message.objects.filter(is_draft=True).exists()
    assert Composition.objects.get().state == "sent"
