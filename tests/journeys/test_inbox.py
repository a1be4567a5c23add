"""Read, reply, search, organise: a member in Chromium, the product with its worker, mail of the in-process provider.

The provider lives in this process, so the engine is run by hand where a worker would wake up.
"""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from postroom.lib.clock import now
from postroom.mail.models import Composition, Message
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.sync import push
from postroom.workspaces.models import Membership
from tests.journeys.conftest import PATIENCE, accessible, at_work
from tests.platform.waiting import eventually

__all__ = ["box", "connect", "mailbox", "member", "settle"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Settle = Callable[[Mailbox], int]


@pytest.fixture
def inbox(box: Box, mailbox: Mailbox, settle: Settle) -> Callable[[], None]:
    """Three mails; the function brings in what arrived since, and carries out what was done here."""
    mails = [
        ("Quarterly numbers", "<p>The sheet is updated.</p>", "gita@fabrikam.example"),
        ("Interview on Thursday", "<p>Thursday 14:00 works.</p>", "priya@contoso.example"),
        ("Renewal terms", "<p>The board agreed to three years.</p>", "ines@contoso.example"),
    ]
    for age, (subject, html, sender) in enumerate(reversed(mails), start=1):
        box.deliver(subject=subject, html=html, from_=sender, received=now() - timedelta(hours=age))

    def bring() -> None:
        for body in box.notifications():
            push.take(connector("memory").notified(body))
        settle(mailbox)

    bring()
    return bring


@pytest.fixture
def page(
    browser: Browser, inbox: Callable[[], None], member: Membership, settings: Settings, live_server: LiveServer
) -> Iterator[Page]:
    """Adele at her Inbox."""
    settings.POSTROOM_DEMO = True
    window = browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=live_server.url, reduced_motion="reduce"
    )
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto("/demo/sign-in?as=adele", timeout=60_000)  # the first page of all reads every template
    page.goto("/inbox/")
    yield page
    window.close()


def test_a_day_by_keyboard(page: Page, inbox: Callable[[], None], box: Box) -> None:
    accessible(page)
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    frame = page.frame_locator("iframe[data-mail-frame]").last
    expect(frame.get_by_text("The board agreed")).to_be_visible()
    eventually(lambda: Message.objects.filter(is_read=False).count() == 2, what="what is shown is read")
    accessible(page)
    page.keyboard.press("r")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.keyboard.type("Good news, thank you.")
    expect(page.locator("[data-composer-state]")).to_have_text("Saved")
    accessible(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message", has_text="Goes out in a moment")).to_be_visible()
    expect(page.locator("form.composer")).to_have_count(0)
    inbox()
    assert Composition.objects.get().state == "sent"
    sent = [one for one in box.messages.values() if one.folder_id == "sent"]
    assert [one.subject for one in sent] == ["Re: Renewal terms"]
    page.reload()
    expect(page.locator(".message", has_text="Sending…")).to_have_count(0)
    expect(page.locator(".message-who").last).to_have_text("You")


def test_archive_opens_the_next_and_undo_brings_back(page: Page) -> None:
    page.get_by_role("link", name=re.compile("Renewal terms")).click()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Interview on Thursday")).to_be_visible()
    expect(page.locator("#threads [data-row]")).to_have_count(2)
    page.get_by_role("region", name="Notices").get_by_role("button", name="Undo").click()
    expect(page.locator("#threads [data-row]")).to_have_count(3)
    assert set(Message.objects.values_list("folder__role", flat=True)) == {"inbox"}


def test_search_finds_and_opens(page: Page) -> None:
    page.goto("/search/")
    accessible(page)
    page.get_by_role("combobox", name="Search mail").fill("board agr")
    hit = page.locator("#threads [data-row]")
    expect(hit).to_have_count(1)
    expect(hit.locator("mark").first).to_be_visible()
    hit.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    expect(page).to_have_url(re.compile("/search/threads/"))
    accessible(page)
    page.reload()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()


def test_search_completes_the_last_word(page: Page) -> None:
    page.goto("/search/")
    field = page.get_by_role("combobox", name="Search mail")
    field.press_sequentially("from:ine")
    expect(page.get_by_role("option", name=re.compile("ines@contoso.example"))).to_be_visible()
    accessible(page)
    field.press("Tab")
    expect(field).to_have_value("from:ines@contoso.example ")
    expect(page.locator("#threads [data-row]")).to_have_count(1)


PRESSED = """() => {
  const shown = [...document.querySelectorAll("#shortcuts dd")].map((keys) => keys.dataset.keys);
  const there = [...document.querySelectorAll("[data-key]")]
    .filter((one) => !one.matches(":disabled, [aria-disabled=true]") && !one.closest("[hidden], [inert]"))
    .flatMap((one) => one.dataset.key.split(",").map((key) => key.trim()));
  return {shown, there: [...new Set(there)]};
}"""


def test_the_help_names_every_key_and_each_does_something(page: Page) -> None:
    page.keyboard.press("?")
    help = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help).to_be_visible()
    page.keyboard.press("Escape")
    expect(help).to_be_hidden()
    for key, subject in (("j", "Renewal terms"), ("j", "Interview on Thursday"), ("k", "Renewal terms")):
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=subject)).to_be_visible()
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_text("No thread is open")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("form.composer")).to_be_visible()
    at_work(page)
    found = page.evaluate(PRESSED)
    by_hand = {"j", "k", "Enter", "x", "→", "F2", "F6", "Tab"}
    assert set(found["shown"]) - set(found["there"]) == by_hand
    assert set(found["there"]) - set(found["shown"]) == set()


def test_what_is_attached_is_seen_pictures_are_asked_for_and_the_palette_acts(
    page: Page, inbox: Callable[[], None], box: Box
) -> None:
    picture = '<p>Our offer</p><img src="https://shop.example/x.png">'
    files = {"prices.csv": b"name,amount\nscanner,3\n", "notes.txt": b"Bring the keys"}
    box.deliver(subject="Offer", html=picture, from_="shop@fabrikam.example", files=files, has_attachments=True)
    inbox()
    page.reload()
    page.get_by_role("link", name=re.compile("Offer")).first.click()
    expect(page.get_by_role("heading", name="Offer")).to_be_visible()
    page.get_by_role("link", name="prices.csv", exact=True).click()
    shown = page.get_by_role("dialog", name="prices.csv")
    expect(shown.frame_locator("iframe").get_by_role("cell", name="scanner")).to_be_visible()
    accessible(page)
    page.keyboard.press("ArrowRight")
    shown = page.get_by_role("dialog", name="notes.txt")
    expect(shown.frame_locator("iframe").get_by_text("Bring the keys")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog", name="prices.csv")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.preview")).to_have_count(0)
    asked = page.get_by_text("Pictures from elsewhere are not loaded")
    expect(asked).to_be_visible()
    page.get_by_role("button", name="Always from this sender").click()
    expect(asked).to_be_hidden()
    expect(page.frame_locator("iframe[data-mail-frame]").locator("img[src*='/mail/pictures/']")).to_have_count(1)
    page.keyboard.press("Control+k")
    page.keyboard.type("flag")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").filter(has_text="Flagged")).to_be_visible()


def test_what_is_pressed_stays_under_the_finger_while_the_mail_arrives(
    page: Page, inbox: Callable[[], None], box: Box
) -> None:
    files = {"prices.csv": b"name,amount\nscanner,3\n"}
    box.deliver(subject="Offer", html="<p>Short.</p>", from_="shop@fabrikam.example", files=files, has_attachments=True)
    inbox()
    page.reload()
    held: list[Route] = []
    page.route("**/body*", lambda route: held.append(route))
    with page.expect_request("**/body*"):
        page.get_by_role("link", name=re.compile("Offer")).first.click()
    page.get_by_role("link", name="prices.csv", exact=True).hover()
    page.mouse.down()
    held[0].continue_()
    expect(page.frame_locator("iframe[data-mail-frame]").get_by_text("Short.")).to_be_visible()
    page.mouse.up()
    expect(page.get_by_role("dialog", name="prices.csv")).to_be_visible()


def test_folders_of_a_mailbox(page: Page, mailbox: Mailbox) -> None:
    page.get_by_role("link", name="Email", exact=True).click()
    expect(page.get_by_role("navigation", name=re.compile("Folders of"))).to_be_visible()
    accessible(page)
    page.get_by_role("link", name=re.compile("Renewal terms")).click()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    page.get_by_role("button", name="Move to folder").click()
    page.locator("#move-menu").get_by_role("button", name="Junk", exact=True).click()
    expect(page.locator(".toast").filter(has_text="Moved to Junk")).to_be_visible()
    assert Message.objects.get(subject="Renewal terms").folder == mailbox.folders.get(role="junk")


def test_without_scripts_one_reads_and_replies(browser: Browser, page: Page, live_server: LiveServer) -> None:
    state = page.context.storage_state()
    window = browser.new_context(base_url=live_server.url, java_script_enabled=False, storage_state=state)
    plain = window.new_page()
    plain.goto("/inbox/")
    plain.get_by_role("link", name=re.compile("Renewal terms")).click()
    expect(plain.frame_locator("iframe").last.get_by_text("The board agreed")).to_be_visible()
    plain.get_by_role("link", name="Reply", exact=True).click()
    plain.get_by_role("textbox", name="Message").fill("By post.")
    plain.get_by_role("button", name="Send").click()
    expect(plain.get_by_text("Sending to")).to_be_visible()
    assert Composition.objects.get().state == "sending"
    window.close()


def test_at_phone_width_one_pane_at_a_time(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name=re.compile("Renewal terms")).click()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    expect(page.locator("#threads")).to_be_hidden()
    accessible(page)
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#threads")).to_be_visible()
    expect(page).to_have_url(re.compile("/inbox/$"))
