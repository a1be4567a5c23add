"""A shared mailbox in Chromium: added, read, access withdrawn and given back, its delegate gone, another one found."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from postroom.accounts.models import User
from postroom.mail.models import Message
from postroom.mailboxes import commands, departure, lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes, runner
from postroom.sync.mailbox_hooks import sync_now
from postroom.workspaces.commands import add_member
from postroom.workspaces.models import Membership
from postroom_sandbox.testing import Sandbox
from tests.journeys.test_connect import ADELE, LIST, accessible, page, product, sandbox

__all__ = ["page", "product", "sandbox"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BEN, SUPPORT = "ben@northwind.example", "support@northwind.example"


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test does a worker's work where it wants it done."""
    monkeypatch.setattr(lanes, "wake", lambda *mailbox_ids: None)
    monkeypatch.setattr(departure, "wake", lambda *mailbox_ids: None)


@pytest.fixture
def exchange(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Adele may open support@, which has a mail."""
    if sandbox.world.users.by_address(SUPPORT) is None:
        sandbox.user(SUPPORT, "Support", kind="shared", delegates=[ADELE])
    access(sandbox, ADELE)
    letter = f"From: rita@fabrikam.example\r\nTo: {SUPPORT}\r\nSubject: The dock door\r\n\r\nIt does not close.\r\n"
    tell(sandbox, "POST", "deliver", content=letter.encode())
    yield sandbox


def tell(sandbox: Sandbox, method: str, what: str, **body: Any) -> None:
    url = f"{sandbox.url}/sandbox/mailboxes/{SUPPORT}/{what}"
    with httpx2.Client(trust_env=False) as client:
        client.request(method, url, **body).raise_for_status()


def access(sandbox: Sandbox, *people: str) -> None:
    tell(sandbox, "PUT", "access", json={"delegates": list(people)})


def work(mailbox: Mailbox) -> None:
    sync_now(mailbox)
    runner.run_mailbox(mailbox.pk)


def ben_of(member: Membership) -> Membership:
    return add_member(member.workspace, User.objects.create_user(BEN, "Ben Okafor"))


def test_from_adding_it_to_another_delegate(page: Page, exchange: Sandbox, browser: Browser, product: str) -> None:
    commands.connect_sandbox(ADELE, "none")
    page.goto(LIST)
    page.get_by_role("link", name="Add shared mailbox").click()
    expect(page.get_by_label("Address of the shared mailbox")).to_be_visible()
    accessible(page)
    address, add = page.get_by_label("Address of the shared mailbox"), page.get_by_role("button", name="Add shared")
    address.fill("nobody@northwind.example")
    add.click()
    expect(page.get_by_role("alert")).to_contain_text("knows no mailbox nobody@northwind.example")
    accessible(page)
    address.fill(SUPPORT)
    add.click()
    expect(page.locator("[id^=mailbox-]", has_text=SUPPORT).first).to_be_visible()
    shared = Mailbox.objects.get(address=SUPPORT)
    card = page.locator(f"#mailbox-{shared.pk}")
    expect(card.get_by_text("Shared", exact=True)).to_be_visible()
    lifecycle.choose_history(shared, Mailbox.History.ALL)
    work(shared)
    assert Message.objects.get(mailbox=shared).subject == "The dock door"
    _access_comes_and_goes(page, exchange, shared)
    _delegate_goes_and_another_comes(page, exchange, shared, browser.new_context(base_url=product).new_page())


def _access_comes_and_goes(page: Page, exchange: Sandbox, shared: Mailbox) -> None:
    card = page.locator(f"#mailbox-{shared.pk}")
    access(exchange)
    work(shared)
    page.goto(LIST)
    expect(card).to_contain_text("Microsoft no longer lets Adele Vance open this mailbox (ErrorAccessDenied)")
    accessible(page)
    access(exchange, ADELE)
    work(shared)
    page.goto(LIST)
    expect(card.locator(".tag-health-healthy")).to_be_visible()


def _delegate_goes_and_another_comes(page: Page, exchange: Sandbox, shared: Mailbox, bens: Page) -> None:
    own = Mailbox.objects.get(address=ADELE)
    ben_of(own.owner)
    page.goto(f"/mailboxes/{own.pk}/disconnect/")
    expect(page.get_by_role("link", name=SUPPORT)).to_be_visible()
    page.get_by_text("Delete the synced mail").click()
    page.get_by_label(re.compile("^Type")).fill(ADELE)
    page.get_by_role("button", name="Disconnect and delete").click()
    expect(page.get_by_text(f"Deleting the mail of {ADELE}")).to_be_visible()
    departure.finish(own.pk)
    expect(page.get_by_text(f"Deleting the mail of {ADELE}")).to_have_count(0)
    expect(page.locator(f"#mailbox-{shared.pk}")).to_contain_text("Its delegate Adele Vance is disconnected.")
    commands.connect_sandbox(BEN, "none")
    access(exchange, BEN)
    bens.goto("/demo/sign-in?as=ben")
    bens.goto(LIST)
    bens.get_by_role("link", name="Lend it a connection").click()
    expect(bens.get_by_role("button", name="Use this connection")).to_be_visible()
    accessible(bens)
    bens.get_by_role("button", name="Use this connection").click()
    expect(bens.locator(f"#mailbox-{shared.pk}")).to_contain_text(f"through {BEN}")
    work(shared)
    shared.refresh_from_db()
    assert (shared.failure, Message.objects.filter(mailbox=shared).count()) == ("", 1)
    bens.context.close()
