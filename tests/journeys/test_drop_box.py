"""A member makes a drop address, and looks at what waits there."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from postroom.dropbox import addresses
from postroom.dropbox.models import DropBox, Dropped
from postroom.files import storage
from postroom.mail.models import Message
from postroom.workspaces.models import Membership
from tests.journeys.conftest import at_work, in_both_themes
from tests.journeys.test_inbox import Settle, box, connect, inbox, mailbox, member, page, pytestmark, settle

__all__ = ["Settle", "box", "connect", "inbox", "mailbox", "member", "page", "pytestmark", "settle"]

RAW = b"From: Adele <adele@home.example>\r\nTo: ines@contoso.example\r\nSubject: Offer from home\r\n\r\nHello Ines\r\n"


@pytest.fixture
def files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def test_an_address_is_made_copied_and_what_waits_is_filed(files: None, member: Membership, page: Page) -> None:
    page.goto("/settings/drop-box/")
    page.get_by_role("button", name="Make my address").click()
    expect(page.get_by_text("Not used yet")).to_be_visible()
    drop = DropBox.objects.get()
    secret = addresses.address_of(drop)
    expect(page.locator(".drop-secret")).to_have_text(secret)
    expect(page.get_by_role("button", name="Copy")).to_have_attribute("data-copy", secret)

    page.get_by_label("Another address of yours").fill("adele@home.example")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("not proved yet")).to_be_visible()

    Dropped.objects.create(
        workspace=member.workspace, box=drop, raw=storage.store_stream(member.workspace, [RAW]), size=len(RAW),
        sender="adele@home.example", author="adele@home.example", subject="Offer from home", via="lmtp", state="held",
        reason="Nothing proves that it was sent by home.example: neither SPF nor DKIM passed for that domain.",
        verdicts={"spf": "softfail", "dkim": "none", "dmarc": "fail"},
    )  # fmt: skip
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    expect(page.get_by_text("Nothing proves that it was sent by home.example")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    in_both_themes(page)
    page.get_by_role("button", name="File it: Offer from home").click()
    expect(page.get_by_text("Nothing proves that it was sent by home.example")).to_have_count(0)
    at_work(page)
    assert Message.objects.filter(mailbox__drop_box=drop, subject="Offer from home").exists()
