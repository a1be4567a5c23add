"""Two members at one mailbox, each in a browser of their own, on the real web process with its live events.

What one does the other sees at once, while the place they read and the box they write in stay as they are.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django import Settings

from postroom.accounts.models import User
from postroom.config.serve import bind
from postroom.lib.clock import now
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.workspaces.models import Membership
from tests.journeys.conftest import PATIENCE, accessible

__all__ = ["box", "connect", "mailbox", "member", "settle"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SOON = 5000  # milliseconds: a second on a quiet machine (docs/benchmarks.md), a few here; looking again takes 20


@pytest.fixture
def served(transactional_db: None) -> Iterator[str]:
    """The address of the web process, here a thread, with `/events`."""
    from postroom.config.asgi import Application

    listening = bind("127.0.0.1", 0)
    application = Application()
    config = uvicorn.Config(application, lifespan="on", ws="none", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    application.events.close()
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def ben(member: Membership, mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]) -> Membership:
    """Reads Adele's mailbox with her; three mails lie in it."""
    user = User.objects.create_user(email="ben@northwind.example", password="long-enough-word", name="Ben Okafor")
    ben = Membership.objects.create(workspace=member.workspace, user=user, role=member.role)
    member.user.name = "Adele Varga"
    member.user.save()
    Mailbox.objects.update(visibility=Mailbox.Visibility.MEMBERS)
    mailbox.members.add(ben)
    for age, subject in enumerate(["Renewal terms", "Interview on Thursday", "Quarterly numbers"], start=1):
        box.deliver(
            subject=subject, html="<p>Board agreed.</p>" * 40, from_="Ines Ribeiro <ines@contoso.example>",
            received=now() - timedelta(hours=age),
        )  # fmt: skip
    settle(mailbox)
    return ben


@pytest.fixture
def at(browser: Browser, served: str, settings: Settings) -> Iterator[Callable[..., Page]]:
    """A window of a member, at the Inbox; ``theme``: light or dark."""
    settings.POSTROOM_DEMO = True
    windows = []

    def opened(who: Membership, theme: Any = "light") -> Page:
        window = browser.new_context(
            viewport={"width": 1440, "height": 900}, base_url=served, reduced_motion="reduce", color_scheme=theme
        )
        windows.append(window)
        page = window.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"/demo/sign-in?as={who.address}")
        page.goto("/inbox/")
        return page

    yield opened
    for window in windows:
        window.close()


def within_a_second(what: Callable[[], object], seen: Locator) -> float:
    """Milliseconds from the deed of one to its sight at the other."""
    what()
    start = time.monotonic()
    expect(seen).to_be_visible()
    return (time.monotonic() - start) * 1000


def row(page: Page, subject: str) -> Locator:
    return page.locator("#threads [data-row]", has_text=subject)


def test_two_at_one_thread_see_each_other_at_once(at: Callable[..., Page], member: Membership, ben: Membership) -> None:
    adele, other = at(member), at(ben, "dark")
    for page in (other, adele):
        row(page, "Renewal terms").get_by_role("link").click()
        expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    took = [within_a_second(lambda: None, other.get_by_text("Adele Varga is looking at this"))]
    other.keyboard.press("r")
    field = other.get_by_role("textbox", name="Message")
    expect(field).to_be_focused()
    other.keyboard.type("Dear Ines,")
    expect(adele.get_by_text("Ben Okafor is replying")).to_be_visible()
    expect(other.locator("iframe[data-mail-frame][data-sized]")).to_have_count(1)  # nothing grows any more
    scroller = other.locator("#detail .pane-scroll")
    top = scroller.evaluate("one => { one.scrollTop = 120; return one.scrollTop }")

    adele.keyboard.press("m")
    expect(adele.get_by_role("textbox", name="Comment for colleagues")).to_be_focused()
    accessible(adele)
    adele.keyboard.type("@be")
    expect(adele.get_by_role("option", name=re.compile("Ben Okafor"))).to_be_visible()
    accessible(adele)
    adele.keyboard.press("Enter")
    adele.keyboard.type("can we hold the price?")
    said = other.locator(".comment", has_text="@Ben Okafor can we hold the price?")
    took.append(within_a_second(lambda: adele.keyboard.press("Control+Enter"), said))
    expect(field).to_be_focused()
    expect(field).to_have_text("Dear Ines,")
    assert scroller.evaluate("one => one.scrollTop") == top
    accessible(other)

    adele.keyboard.press("t")
    ben_in_menu = adele.locator("#assign-menu").get_by_role("button", name=re.compile("Ben Okafor"))
    expect(ben_in_menu).to_be_visible()
    accessible(adele)
    took.append(within_a_second(ben_in_menu.click, row(other, "Renewal terms").get_by_text("For you")))
    expect(other.locator("#thread-tags")).to_contain_text("Assigned to you")
    expect(other.locator("#list-chips a", has_text="Assigned")).to_contain_text("1")
    expect(field).to_be_focused()

    other.keyboard.press("Control+Enter")
    expect(other.get_by_text("commented on this thread while you were writing")).to_be_visible()

    adele.keyboard.press("e")
    expect(row(other, "Renewal terms")).to_have_count(0)
    assert median(took) < SOON, took  # one may meet a machine that is busy with something else


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_day_of_snoozing_by_keyboard(
    at: Callable[..., Page], member: Membership, ben: Membership, theme: str
) -> None:
    page = at(member, theme)
    row(page, "Renewal terms").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    page.keyboard.press("s")
    tomorrow = page.locator("#snooze-menu").get_by_role("button", name=re.compile("Tomorrow morning")).first
    expect(tomorrow).to_be_visible()
    accessible(page)
    tomorrow.click()
    expect(row(page, "Renewal terms")).to_have_count(0)
    expect(page.locator("#list-chips a", has_text="Snoozed")).to_contain_text("1")
    page.locator("#list-chips a", has_text="Snoozed").click()
    expect(row(page, "Renewal terms")).to_contain_text("Snoozed until")
    accessible(page)
    page.goto("/inbox/")
    page.keyboard.press("z")
    expect(row(page, "Renewal terms")).to_have_count(1)
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()
    page.keyboard.press("x")
    page.locator("#bulk").get_by_role("button", name="Assign").click()
    page.locator("#bulk-assign").get_by_role("button", name=re.compile("Ben Okafor")).click()
    expect(row(page, "Renewal terms")).to_contain_text("For Ben Okafor")
    page.keyboard.press("m")  # the thread was opened by j
    expect(page.get_by_role("textbox", name="Comment for colleagues")).to_be_focused()
    page.keyboard.type("For later")
    accessible(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".comment")).to_contain_text("You For later")
    page.set_viewport_size({"width": 390, "height": 844})
    accessible(page)
    page.goto("/inbox/told/")
    accessible(page)
