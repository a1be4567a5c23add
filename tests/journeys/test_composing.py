"""Writing with formatting: pasting, pictures, offline and back."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from postroom.lib import clock
from postroom.mail.models import Composition, CompositionFile
from postroom.mail.tests.test_pasting import SAMPLES, sample
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.workspaces.models import Membership
from tests.journeys.conftest import at_work, in_both_themes
from tests.journeys.test_inbox import (
    Settle,
    accessible,
    box,
    connect,
    inbox,
    mailbox,
    member,
    page,
    pytestmark,
    settle,
)
from tests.platform.waiting import eventually

__all__ = ["Settle", "box", "connect", "inbox", "mailbox", "member", "page", "pytestmark", "settle"]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR42mNk+M9Qz4AHMI4qAAD4egMB9tXKXQAAAABJRU5ErkJggg=="

PASTE = """(target, [html, text, picture]) => {
  const data = new DataTransfer();
  if (html) data.setData("text/html", html);
  data.setData("text/plain", text);
  if (picture) {
    const bytes = Uint8Array.from(atob(picture), (sign) => sign.charCodeAt(0));
    data.items.add(new File([bytes], "image.png", { type: "image/png" }));
  }
  target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""

READS = """(shown) => {
  const structure = "b, i, u, s, li, td, a, h1, h2, h3, blockquote";
  return [
    shown.innerText.replace(/\\s+/g, " ").trim(),
    shown.querySelectorAll("[style], [class], font, span").length,
    [...shown.querySelectorAll(structure)].map((one) => one.localName).sort().join(),
  ];
}"""


@pytest.fixture
def text(page: Page) -> Locator:
    """The editor of a new message to Ines; the test fails when the page wrote an error."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    page.goto("/compose/?to=Ines Ribeiro <ines@tailspin.example>")
    page.locator("input[name=subject]").fill("Offer")
    found = page.get_by_role("textbox", name="Message")
    found.click()
    page.problems = problems  # type: ignore[attr-defined]
    return found


def saved(page: Page) -> Composition:
    expect(page.locator("[data-composer-state]")).to_have_text("Saved")
    return Composition.objects.get()


def paste(text: Locator, html: str = "", plain: str = "", picture: str = "") -> None:
    text.evaluate(PASTE, [html, plain, picture])


def test_formatting_by_keyboard_and_by_button_goes_out_as_it_was_written(
    page: Page, text: Locator, inbox: Callable[[], None], box: Box
) -> None:
    page.keyboard.press("Control+b")
    page.keyboard.type("Dear")
    page.keyboard.press("Control+b")
    page.keyboard.type(" Ines,")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Bullets").click()
    expect(page.get_by_role("button", name="Bullets")).to_have_attribute("aria-pressed", "true")
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.type("two")
    page.keyboard.press("Control+k")
    page.get_by_label("Link to").fill("northwind.example/terms")
    accessible(page)
    page.keyboard.press("Enter")
    expect(text.locator("a")).to_have_attribute("href", "https://northwind.example/terms")
    html = saved(page).html
    assert re.search(r"<b>Dear</b>(&nbsp;| )Ines,", html) and "<li>one</li><li>two" in html
    assert '<a href="https://northwind.example/terms"' in html
    page.keyboard.press("Control+z")
    expect(text.locator("a")).to_have_count(0)
    accessible(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast-left")).to_be_visible()
    inbox()
    inbox()
    sent = eventually(lambda: [one for one in box.messages.values() if one.folder_id == "sent" or one.is_draft])
    assert "<b>Dear</b>" in str(sent[0].body)
    assert page.problems == []  # type: ignore[attr-defined]


def test_thirty_pastes_come_out_clean(page: Page, text: Locator) -> None:
    for one in SAMPLES:
        html, left = sample(one)
        text.evaluate("(target) => { target.closest('[data-editor]').editor.set(''); target.focus(); }")
        with page.expect_event("console", lambda line: line.text == "pasted"):
            text.evaluate(
                """(target) => target.closest("[data-editor]").addEventListener(
                  "editor:pasted", () => console.log("pasted"), { once: true })"""
            )
            paste(text, html, "plain")
        shown = text.evaluate(READS)
        assert shown == _reads(page, left), one.stem
    assert page.problems == []  # type: ignore[attr-defined]


def _reads(page: Page, html: str) -> object:
    """The same of HTML that is put beside the editor."""
    beside = page.evaluate_handle(
        """(html) => {
          const shown = document.createElement("div");
          shown.className = "composer-text written";
          shown.innerHTML = html;
          document.querySelector(".editor").append(shown);
          return shown;
        }""",
        html,
    )
    read: object = beside.evaluate(READS)
    beside.evaluate("(shown) => shown.remove()")
    return read


def test_a_picture_is_pasted_into_the_text_and_travels_with_it(
    page: Page, text: Locator, inbox: Callable[[], None], box: Box
) -> None:
    page.keyboard.type("Look: ")
    paste(text, picture=PNG)
    expect(text.locator("img")).to_have_js_property("naturalWidth", 8)
    page.keyboard.type(" good?")
    html = saved(page).html
    file = CompositionFile.objects.get()
    assert file.is_inline and f'src="cid:{file.content_id}"' in html
    expect(page.locator("[data-attachment]")).to_have_count(0)
    page.reload()
    expect(text.locator("img")).to_have_js_property("naturalWidth", 8)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast-left")).to_be_visible()
    Composition.objects.update(send_at=None)
    inbox()
    found = next(one for one in box.messages.values() if one.subject == "Offer")
    assert [(one.is_inline, one.content_id) for one in found.attachments or ()] == [(True, file.content_id)]
    assert page.problems == []  # type: ignore[attr-defined]


def test_offline_and_back_loses_nothing(page: Page, text: Locator) -> None:
    page.keyboard.type("Before")
    saved(page)
    page.context.set_offline(True)
    page.keyboard.type(" and without a connection")
    expect(page.locator("[data-composer-state]")).to_have_text("Offline: kept on this device")
    accessible(page)
    page.context.set_offline(False)
    assert "without a connection" in saved(page).html


def test_what_a_closed_page_kept_is_taken_up_again(page: Page, text: Locator) -> None:
    page.keyboard.type("Kept")
    saved(page)
    page.route("**/save/", lambda route: route.abort())
    page.keyboard.type(" here only")
    expect(page.locator("[data-composer-state]")).to_have_text("Offline: kept on this device")
    page.unroute("**/save/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(text).to_have_text("Kept here only")
    assert "Kept here only" in saved(page).html


def test_a_message_is_written_beside_what_one_reads_folded_and_sent(page: Page, inbox: Callable[[], None]) -> None:
    page.get_by_role("link", name="Renewal terms").click()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    page.keyboard.press("c")
    dock = page.get_by_role("region", name="New message")
    expect(dock.get_by_label("To", exact=True)).to_be_focused()
    page.keyboard.type("ines@contoso.example,")
    dock.locator("input[name=subject]").fill("Beside")
    dock.get_by_role("textbox", name="Message").click()
    page.keyboard.type("While I read")
    in_both_themes(page)
    dock.get_by_role("button", name="Fold").click()
    expect(dock.get_by_role("textbox", name="Message")).to_be_hidden()
    dock.get_by_role("button", name="Fold").click()
    dock.get_by_role("textbox", name="Message").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast", has_text="Sending to ines@contoso.example")).to_be_visible()
    expect(dock).to_have_count(0)
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    assert Composition.objects.get().state == "sending"


def test_a_docked_message_moves_into_a_window_of_its_own(page: Page, inbox: Callable[[], None]) -> None:
    page.keyboard.press("c")
    dock = page.get_by_role("region", name="New message")
    dock.get_by_role("textbox", name="Message").click()
    page.keyboard.type("Moves along")
    with page.context.expect_page() as opened:
        dock.get_by_role("link", name="Own window").click()
    window = opened.value
    text = window.get_by_role("textbox", name="Message")
    expect(text).to_have_text("Moves along")
    at_work(window)
    expect(dock).to_have_count(0)
    accessible(window)
    window.get_by_label("To", exact=True).fill("ines@contoso.example")
    text.click()
    window.keyboard.press("Control+Enter")
    expect(window.get_by_text("You can close this window.")).to_be_visible()
    expect(window.locator(".toast-left")).to_be_visible()
    accessible(window)
    assert Composition.objects.get().state == "sending"


def test_on_a_phone_a_message_is_a_page(page: Page, inbox: Callable[[], None]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Compose").click()
    page.wait_for_url("**/compose/*/")
    page.get_by_role("textbox", name="Message").click()
    page.keyboard.press("Control+b")
    page.keyboard.type("Short")
    saved(page)
    in_both_themes(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_signature_is_written_with_formatting_and_stands_below_the_text(
    page: Page, mailbox: Mailbox, inbox: Callable[[], None]
) -> None:
    page.goto(f"/settings/writing/signatures/{mailbox.pk}/")
    text = page.get_by_role("textbox", name="Signature")
    text.click()
    page.keyboard.press("Control+b")
    page.keyboard.type("Adele Vance")
    accessible(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast", has_text="saved")).to_be_visible()
    page.goto("/inbox/")
    page.get_by_role("link", name="Renewal terms").click()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator(".composer-signature-text b")).to_have_text("Adele Vance")
    page.get_by_text("Quoted text").click()
    quoted = page.frame_locator("iframe[title='Quoted text']")
    expect(quoted.get_by_text("The board agreed to three years.")).to_be_visible()
    accessible(page)


def test_eight_on_monday_is_eight_on_the_wall_although_the_clocks_change_before(
    page: Page, member: Membership, inbox: Callable[[], None], settle: Settle, mailbox: Mailbox
) -> None:
    member.user.time_zone = "Europe/Berlin"
    member.user.save()
    with clock.frozen(datetime(2026, 3, 27, 14, 0, tzinfo=UTC)):  # a Friday; summer time begins on Sunday
        page.goto("/compose/?to=ines@contoso.example")
        page.get_by_role("textbox", name="Message").fill("After the weekend")
        page.get_by_role("button", name="Schedule").click()
        page.get_by_role("button", name="Monday").click()
        expect(page.locator(".toast", has_text="Goes out Monday 30 March, 08:00")).to_be_visible()
    assert Composition.objects.get().send_at == datetime(2026, 3, 30, 6, 0, tzinfo=UTC)
    with clock.frozen(datetime(2026, 3, 30, 5, 59, tzinfo=UTC)):
        settle(mailbox)
        assert Composition.objects.get().state == "sending"
    with clock.frozen(datetime(2026, 3, 30, 6, 1, tzinfo=UTC)):
        settle(mailbox)
        assert Composition.objects.get().state == "sent"
