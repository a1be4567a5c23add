"""Sending people can rely on: a template, a field nobody filled in, Undo that outlives the page, sending later."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from postroom.mail import signatures
from postroom.mail.models import Composition
from postroom.mail.pens import Snippet, WritingHabits
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.workspaces.models import Membership
from tests.journeys.conftest import at_work
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

__all__ = ["Settle", "box", "connect", "inbox", "mailbox", "member", "page", "pytestmark", "settle"]


@pytest.fixture
def pens(mailbox: Mailbox, member: Membership) -> None:
    signatures.set_for(mailbox, "<p><b>Adele Vance</b><br>Northwind</p>")
    text = "Hi {{first_name}},\n\nthe offer goes to {{company}} on Friday."
    Snippet.objects.create(workspace=member.workspace, author=member, name="Offer", text=text)


def _write(page: Page) -> None:
    page.goto("/compose/?to=Ines Ribeiro <ines@tailspin.example>")
    page.locator("input[name=subject]").fill("Offer")


def test_a_template_with_a_missing_field_does_not_go_out_unnoticed(page: Page, pens: None) -> None:
    _write(page)
    text = page.get_by_role("textbox", name="Message")
    text.press("/")
    page.locator("[data-snippet]").first.wait_for()
    accessible(page)
    page.keyboard.press("Enter")
    expect(text).to_have_text(re.compile(r"Hi Ines,\s*the offer goes to \{\{company\}\} on Friday\."))
    expect(page.locator("[data-composer-missing]")).to_contain_text("{{company}}")
    accessible(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Not filled in")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="{{company}}").click()
    page.keyboard.type("Tailspin")
    expect(page.locator("[data-composer-missing]")).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast").filter(has_text="Sending to Ines Ribeiro")).to_be_visible()


def test_undo_outlives_the_page_and_works_by_keyboard(
    page: Page, pens: None, inbox: Callable[[], None], box: Box, member: Membership
) -> None:
    WritingHabits.objects.create(member=member, undo_seconds=30)  # also on a busy machine
    _write(page)
    page.get_by_role("textbox", name="Message").fill("Dear Ines")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast-left")).to_be_visible()
    page.goto("/mail/outbox/")
    expect(page.get_by_text("Goes out in a moment")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_role("textbox", name="Message")).to_have_text("Dear Ines")
    at_work(page)
    assert Composition.objects.get().state == "draft"
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast-left")).to_be_visible()
    inbox()
    sent = [one for one in box.messages.values() if one.folder_id == "sent"]
    assert len(sent) == 1 and sent[0].body and "<b>Adele Vance</b>" in sent[0].body.content
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast").filter(has_text="too late")).to_be_visible()


def test_a_message_is_scheduled_and_stopped_again(page: Page, pens: None) -> None:
    _write(page)
    page.get_by_role("textbox", name="Message").fill("Dear Ines")
    page.get_by_role("button", name="Schedule").click()
    accessible(page)
    page.get_by_role("button", name="Tomorrow").click()  # offered every day; "Monday" is not on Sundays
    expect(page.locator(".toast").filter(has_text="Goes out")).to_be_visible()
    page.goto("/mail/outbox/")
    expect(page.get_by_text("Scheduled", exact=True)).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Don’t send").click()
    expect(page.get_by_text("Nothing is on its way")).to_be_visible()
    assert Composition.objects.get().state == "draft"
