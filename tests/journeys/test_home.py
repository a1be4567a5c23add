"""A morning at Home: what waits, ticked off and opened by keyboard, live; and the browser tells while nobody looks."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from postroom.home.today import day_of
from postroom.lib.clock import now
from postroom.mail.models import Thread
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.records.models import Task, Ticket
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.timeline.team import commands as team
from postroom.workspaces.models import Membership
from tests.journeys.conftest import at_work
from tests.journeys.test_together import accessible, at, ben, served

__all__ = ["at", "ben", "box", "connect", "mailbox", "member", "served", "settle"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# A browser whose user says yes, and whose notifications can be read: headless ones draw none.
SAYS_YES = """
window.told = [];
window.Notification = class {
  static get permission() { return localStorage.getItem("test.permission") ?? "default"; }
  static async requestPermission() { localStorage.setItem("test.permission", "granted"); return "granted"; }
  constructor(title, more) {
    window.told.push(Object.assign(this, more, { title }));
    document.documentElement.dataset.told = window.told.length;
  }
  close() {}
};
"""


def conversation(subject: str) -> int:
    return Thread.objects.get(subject=subject).conversation_id


def test_a_morning_at_home(at: Callable[..., Page], member: Membership, ben: Membership) -> None:
    tasks.create(member.workspace, by=member, title="Send the terms", due=day_of().today)
    ticket = tickets.create(member.workspace, by=member, name="Label printer offline", owner=member)
    Ticket.objects.filter(pk=ticket.pk).update(reply_due=now() - timedelta(hours=2))
    page = at(member)
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page.get_by_role("heading", name="Adele")).to_be_visible()
    expect(page.locator("#home")).to_contain_text("First reply was due 2 hours ago")
    accessible(page)

    team.assign([conversation("Renewal terms")], member, by=ben)
    waiting = page.locator("#home-answer [data-row]", has_text="Renewal terms")
    expect(waiting).to_contain_text("For you")
    team.write(conversation("Interview on Thursday"), "@Adele Varga are you free?", by=ben)
    expect(page.locator("#home-answer")).to_contain_text("Ben Okafor: @Adele Varga are you free?")

    page.keyboard.press("j")
    expect(page.locator("#home [data-row] a").first).to_be_focused()
    page.get_by_role("button", name="Done: Send the terms").press("Enter")
    expect(page.locator("#home-tasks")).to_have_count(0)
    assert Task.objects.get().done_at is not None
    page.get_by_role("region", name="Notices").get_by_role("button", name="Undo").click()
    expect(page.locator("#home-tasks")).to_contain_text("Send the terms")

    palette = page.locator("#home-step-palette")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search or jump to")).to_be_focused()
    page.keyboard.press("Escape")
    expect(palette).to_contain_text("(done)")
    page.get_by_role("button", name="Put the first steps away").click()
    expect(page.locator("#home-steps")).to_have_count(0)

    at_work(page)
    waiting.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Renewal terms")).to_be_visible()

    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/home/")
    accessible(page)
    assert page.evaluate("document.querySelector('#content').scrollWidth <= innerWidth")


def test_the_browser_tells_once_however_many_tabs_are_open(
    at: Callable[..., Page], member: Membership, ben: Membership
) -> None:
    first = at(ben, "dark")
    context = first.context
    context.add_init_script(SAYS_YES)
    first.goto("/settings/notifications/")
    accessible(first)
    with first.expect_response("**/home/news/*"):
        first.get_by_role("button", name="Turn on").click()
    expect(first.get_by_role("button", name="Turn off")).to_be_focused()
    second = context.new_page()
    second.goto("/inbox/")
    expect(first.locator("body[data-stay-live]")).to_have_count(1)

    team.write(conversation("Renewal terms"), "@Ben Okafor can you look?", by=member)
    expect(first.locator("html")).to_have_attribute("data-told", "1")
    assert first.evaluate("[told[0].title, told[0].body]") == [
        "Adele Varga mentioned you in Renewal terms",
        "@Ben Okafor can you look?",
    ]
    expect(second.locator("#told-count")).to_contain_text("1")
    assert second.evaluate("told.length") == 0

    first.close()
    expect(second.locator("body[data-stay-live]")).to_have_count(1)
    team.write(conversation("Quarterly numbers"), "@Ben Okafor and here?", by=member)
    expect(second.locator("html")).to_have_attribute("data-told", "1")
    second.evaluate("told[0].onclick()")
    expect(second.get_by_role("heading", name="Quarterly numbers")).to_be_visible()

    second.goto("/settings/notifications/")
    second.get_by_role("button", name="Turn off").click()
    expect(second.locator("body[data-stay-live]")).to_have_count(0)
