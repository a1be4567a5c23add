"""A day's work of a seller, a supporter, a recruiter and an administrator: from the mail to the record and back."""

import re
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from postroom.lib.clock import now
from postroom.mail.models import Composition
from postroom.mailboxes.models import Mailbox
from postroom.records.candidates import commands as candidates
from postroom.records.deals import commands as deals
from postroom.records.models import Deal, Interview, Scorecard, Task, Ticket
from postroom.workspaces.models import Membership
from tests.journeys.conftest import at_work, in_both_themes
from tests.journeys.test_inbox import Settle, box, connect, inbox, mailbox, member, page, pytestmark, settle

__all__ = ["Settle", "box", "connect", "inbox", "mailbox", "member", "page", "pytestmark", "settle"]


def mail(page: Page, subject: str) -> Locator:
    """Its line in a list."""
    return page.locator("[data-row] .row-link", has_text=subject)


def read(page: Page, subject: str) -> Locator:
    """Open a mail of the Inbox; the pane beside it, with whom it is from and what it is about."""
    page.goto("/inbox/")
    mail(page, subject).click()
    expect(page.get_by_role("heading", name=subject)).to_be_visible()
    beside = page.locator("#aside")
    expect(beside.get_by_role("heading", name="Linked to")).to_be_visible()
    return beside


def link(page: Page, beside: Locator, words: str, record: str) -> None:
    """Link the open mail to a record, and go there."""
    beside.get_by_text("Link", exact=True).click()
    beside.get_by_role("searchbox").fill(words)
    beside.locator("#link-choices").get_by_role("button", name=re.compile(record)).click()
    follow(page, beside, record)


def follow(page: Page, beside: Locator, record: str) -> None:
    """Go to a record the open mail is linked to."""
    linked = beside.locator(".beside-links").get_by_role("link", name=record)
    expect(linked).to_be_visible()
    in_both_themes(page)
    linked.click()
    there(page, record)


def there(page: Page, heading: str) -> None:
    """On the page with this heading."""
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    at_work(page)


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name=re.compile("^About")).get_by_role("link", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("region", name=name)).to_be_visible()
    at_work(page)


def step(page: Page, name: str) -> None:
    """Move the open record to a step, once the screen shows what was done before."""
    at_work(page)
    page.locator(".deal-stages").get_by_role("button", name=name, exact=True).click()
    at_step(page, name)


def at_step(page: Page, name: str) -> None:
    expect(page.locator(".deal-stages [aria-current]")).to_have_text(name)


def test_a_seller_s_day(page: Page, member: Membership) -> None:
    deals.create(member.workspace, by=member, name="Contoso renewal", amount=Decimal(84000), owner=member)

    beside = read(page, "Renewal terms")
    beside.get_by_role("button", name="Add contact").click()
    expect(beside.get_by_text("Not a contact yet")).to_have_count(0)
    link(page, beside, "contoso ren", "Contoso renewal")

    step(page, "Proposal")
    tab(page, "Email")
    expect(mail(page, "Renewal terms")).to_be_visible()
    tab(page, "Tasks")
    page.get_by_label("Task", exact=True).fill("Call Ines about the discount")
    page.get_by_label("Due").fill(timezone.localtime(now()).date().isoformat())
    page.get_by_role("button", name="Add task").click()
    expect(page.get_by_role("link", name="Call Ines about the discount")).to_be_visible()
    in_both_themes(page)

    page.goto("/home/")
    page.get_by_role("button", name="Done: Call Ines about the discount").click()
    expect(page.locator(".toast")).to_be_visible()
    expect(page.get_by_role("button", name="Done: Call Ines about the discount")).to_have_count(0)
    page.goto("/deals/")
    proposal = page.locator("[data-board-stage]", has=page.get_by_role("heading", name=re.compile("Proposal")))
    expect(proposal.get_by_role("link", name="Contoso renewal")).to_be_visible()
    in_both_themes(page)
    assert Deal.objects.get().stage.name == "Proposal" and Task.objects.get().done_at is not None


def test_a_supporter_s_day(page: Page, member: Membership) -> None:
    page.goto("/tickets/new/")
    page.get_by_label("Subject").fill("Renewal form does not open")
    page.get_by_role("button", name="Add ticket").click()
    there(page, "Renewal form does not open")

    link(page, read(page, "Renewal terms"), "form", "Renewal form does not open")
    step(page, "Open")
    tab(page, "Email")
    mail(page, "Renewal terms").click()
    there(page, "Renewal terms")
    page.get_by_role("link", name="Reply", exact=True).click()
    answer = page.get_by_role("textbox", name="Message")
    expect(answer).to_be_focused()
    page.keyboard.type("The form is open again. Does it work?")
    in_both_themes(page)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".toast", has_text="Sending to")).to_be_visible()
    assert "The form is open again" in Composition.objects.get().html

    page.goto(Ticket.objects.get().get_absolute_url())
    step(page, "Waiting for the customer")
    tab(page, "Notes")
    page.get_by_role("textbox", name="Note").fill("The certificate had run out.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".note-text", has_text="The certificate had run out.")).to_be_visible()
    step(page, "Solved")
    page.locator("[data-toast]").last.get_by_role("button", name="Undo").click()
    at_step(page, "Waiting for the customer")
    step(page, "Solved")
    in_both_themes(page)
    assert Ticket.objects.get().solved_at is not None


def test_a_recruiter_s_day(page: Page, member: Membership) -> None:
    candidates.create(member.workspace, by=member, name="Priya Kaur", address="priya@contoso.example", job="Analyst")

    follow(page, read(page, "Interview on Thursday"), "Priya Kaur")  # linked by itself: she wrote it
    page.goto("/candidates/")
    page.get_by_role("link", name="Priya Kaur").click()
    there(page, "Priya Kaur")
    step(page, "Interview")
    tab(page, "Interview")
    thursday = timezone.localtime(now() + timedelta(days=1)).replace(hour=14, minute=0)
    page.get_by_label("When").fill(thursday.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("textbox", name="Where", exact=True).fill("Room 4")
    page.get_by_role("button", name="Arrange interview").click()
    notes = page.get_by_label("Notes of this interview")
    notes.fill("Knows forecasting well.")
    page.get_by_role("button", name="Save notes").click()
    expect(page.locator(".toast", has_text="Notes saved")).to_be_visible()
    in_both_themes(page)

    tab(page, "Evaluation")
    for criterion in ("Skills", "Teamwork"):
        page.get_by_role("radiogroup", name=criterion).get_by_label("4", exact=True).check()
    page.get_by_text("Strong yes", exact=True).click()
    page.get_by_role("textbox", name="Why", exact=True).fill("The best we met.")
    page.get_by_role("button", name="Save evaluation").click()
    expect(page.locator("article", has_text="The best we met.")).to_contain_text("Strong yes")
    in_both_themes(page)
    step(page, "Offer")
    tab(page, "Overview")
    expect(page.get_by_role("region", name="Where they stand")).to_contain_text("Offer")
    in_both_themes(page)
    assert Interview.objects.get().place == "Room 4" and Scorecard.objects.get().verdict


def test_an_administrator_s_day(page: Page, mailbox: Mailbox) -> None:
    page.goto("/settings/members/")
    expect(page.get_by_role("row", name=re.compile("adele@northwind.example"))).to_contain_text("Admin")
    in_both_themes(page)
    page.goto("/settings/sign-in/")
    page.locator("[aria-labelledby=invitations]").get_by_label(re.compile("Address|Email")).fill(
        "new@northwind.example"
    )
    page.get_by_role("button", name="Make an invitation link").click()
    expect(page.get_by_text("Send this link to new@northwind.example yourself.")).to_be_visible()
    in_both_themes(page)

    page.goto("/settings/integrations/outlook/")
    expect(page.locator(f"#mailbox-{mailbox.pk}")).to_contain_text("Healthy")
    page.goto(f"/mailboxes/{mailbox.pk}/")
    page.get_by_label("Purpose").select_option("sales")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast")).to_be_visible()
    mailbox.refresh_from_db()
    assert mailbox.purpose == "sales"

    page.goto("/settings/fields/")
    in_both_themes(page)
