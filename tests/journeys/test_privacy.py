"""What the owner of a mailbox decides in one browser, and what a colleague's open screens show of it in another."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from postroom.mail.models import Message
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.records.people import commands as people
from postroom.timeline import links
from postroom.workspaces.models import Membership
from tests.journeys.test_together import accessible, at, ben, box, connect, mailbox, member, row, served, settle

__all__ = ["at", "ben", "box", "connect", "mailbox", "member", "served", "settle"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_an_owner_shows_and_takes_back_is_on_a_colleagues_screen_at_once(
    at: Callable[..., Page], member: Membership, ben: Membership, mailbox: Mailbox
) -> None:
    lifecycle.share(mailbox, Mailbox.Visibility.PRIVATE)
    ines = people.create(member.workspace, by=member, first_name="Inês", addresses=["ines@contoso.example"])
    links.link(Message.objects.get(subject="Renewal terms").thread.conversation, ines, by=member)
    adele, other = at(member), at(ben, "dark")
    row(adele, "Renewal terms").get_by_role("link").click()
    other.goto(f"{ines.get_absolute_url()}?tab=email")
    expect(other.get_by_text("No mail yet")).to_be_visible()

    def decide(what: str) -> None:
        adele.get_by_role("button", name="Who can see this").click()
        accessible(adele)
        adele.locator("#who-menu").get_by_role("button", name=what, exact=True).click()

    decide("Who and when")
    expect(other.get_by_text("Subject not shared")).to_be_visible()
    accessible(other)
    decide("Everything")
    line = other.locator("[data-row]", has_text="Renewal terms").get_by_role("link")
    expect(line).to_be_visible()
    line.click()
    expect(other.get_by_role("heading", name="Renewal terms")).to_be_visible()
    frame = other.frame_locator("iframe.mail-frame").last
    expect(frame.get_by_text("Board agreed.").first).to_be_visible()
    accessible(other)
    decide("Nothing")
    expect(other.get_by_text("no longer shown to you")).to_be_visible()
    expect(other.get_by_text("Renewal terms")).to_have_count(0)


def test_a_thread_leaves_the_screen_of_who_may_not_use_its_mailbox_any_more(
    at: Callable[..., Page], member: Membership, ben: Membership, mailbox: Mailbox
) -> None:
    other = at(ben)
    row(other, "Renewal terms").get_by_role("link").click()
    expect(other.get_by_role("heading", name="Renewal terms")).to_be_visible()
    assert Message.objects.filter(mailbox=mailbox).exists()
    lifecycle.share(mailbox, Mailbox.Visibility.PRIVATE)
    expect(other.get_by_text("no longer shown to you")).to_be_visible()
    expect(other.get_by_text("Renewal terms")).to_have_count(0)
