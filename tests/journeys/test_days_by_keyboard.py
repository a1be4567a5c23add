"""A day's work of a seller, a supporter, a recruiter and an administrator without a pointer: every press is a key.

The focus is never on nothing while one works, and wherever it is, it is seen.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from postroom.lib.clock import now
from postroom.mail.models import Composition, Message
from postroom.mailboxes.models import Mailbox
from postroom.records.candidates import commands as candidates
from postroom.records.deals import commands as deals
from postroom.records.models import Deal, Interview, SavedView, Scorecard, Task, Ticket
from postroom.workspaces.models import Membership
from tests.journeys.conftest import at_work
from tests.journeys.test_days import at_step, mail, there
from tests.journeys.test_inbox import Settle, box, connect, inbox, mailbox, member, pytestmark, settle
from tests.journeys.test_inbox import page as at_inbox
from tests.platform.waiting import eventually

__all__ = ["Settle", "at_inbox", "box", "connect", "inbox", "mailbox", "member", "pytestmark", "settle"]

WITH_A_POINTER = ("click", "dblclick", "tap", "hover", "check", "uncheck", "fill", "focus", "press", "select_option")

COUNTS_POINTERS = """for (const name of ["pointerdown", "mousedown", "wheel", "touchstart"]) {
  addEventListener(name, (event) => { if (event.isTrusted) sessionStorage.setItem("pointed", name); }, true);
}"""

# A caret says where one writes; everything else has a line around it, or around what it is the whole of.
IS_SEEN = """() => {
  const active = document.activeElement;
  if (!active || active === document.body) return "nothing";
  if (active.matches("textarea, select, [contenteditable=true], input:not([type=radio], [type=checkbox])")) return "";
  const drawn = (style) => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || style.boxShadow !== "none" || style.backgroundImage !== "none";
  for (let one = active, up = 0; one && up < 4; one = one.parentElement, up += 1) {
    if (["", "::after", "::before"].some((part) => drawn(getComputedStyle(one, part || null)))) return "";
  }
  return active.outerHTML.slice(0, 200);
}"""

WHERE = """() => {
  const { nodeName, ariaLabel, textContent } = document.activeElement ?? document.documentElement;
  return `${nodeName.toLowerCase()} ${(ariaLabel || textContent).trim().replace(/\\s+/g, " ").slice(0, 40)}`;
}"""


@pytest.fixture
def page(at_inbox: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Adele at her Inbox, her mouse in the drawer."""
    put_the_pointer_away(at_inbox, monkeypatch)
    at_inbox.goto("/inbox/")
    yield at_inbox
    assert at_inbox.evaluate("sessionStorage.getItem('pointed')") is None


def put_the_pointer_away(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would use one fails from now on; what a script presses in its stead is noted in the session."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("by keyboard alone")

    for name in WITH_A_POINTER:
        monkeypatch.setattr(Locator, name, refuse)
    page.add_init_script(COUNTS_POINTERS)


def press(page: Page, *keys: str) -> None:
    """Once the screen shows what was done before, keys in their order."""
    at_work(page)
    for key in keys:
        page.keyboard.press(key)


def walk(page: Page, to: Locator, *, at_most: int, key: str = "Tab") -> None:
    """Press a key until this has the focus: no more often than a person would put up with."""
    expect(to).to_be_visible()
    at_work(page)
    way = [page.evaluate(WHERE)]
    while not to.evaluate("one => one === document.activeElement"):
        assert len(way) <= at_most, f"{at_most} times {key} lead along {way}"
        page.keyboard.press(key)
        assert page.evaluate(IS_SEEN) == ""
        way.append(page.evaluate(WHERE))


def to_part(page: Page, part: str) -> None:
    """F6 leads from part to part of the screen: list, thread, person and records."""
    at_work(page)
    for _ in range(5):
        page.keyboard.press("F6")
        if page.evaluate("part => Boolean(document.activeElement.closest(part))", part):
            return
    raise AssertionError(f"F6 does not lead to {part}")


def skip(page: Page) -> None:
    """Past the rail, by the first thing one comes to."""
    walk(page, page.get_by_role("link", name="Skip to content"), at_most=1)
    page.keyboard.press("Enter")


def keeps_the_focus(page: Page) -> None:
    """What was pressed may have gone; something near it took over."""
    at_work(page)
    eventually(lambda: page.evaluate(IS_SEEN) == "", what="something has the focus")


def jump(page: Page, words: str, to: str) -> None:
    """By the palette."""
    press(page, "Control+k")
    expect(page.get_by_role("combobox", name="Search or jump to")).to_be_focused()
    page.keyboard.type(words)
    expect(page.locator("#palette-list [aria-selected=true]", has_text=to)).to_be_visible()
    page.keyboard.press("Enter")


def read(page: Page, subject: str, *keys: str) -> Locator:
    """Walk down the Inbox to a mail; the pane beside it, with whom it is from and what it is about."""
    press(page, *keys)
    expect(page.get_by_role("heading", name=subject)).to_be_visible()
    beside = page.locator("#aside")
    expect(beside.get_by_role("heading", name="Linked to")).to_be_visible()
    expect(mail(page, subject)).to_be_focused()
    return beside


def link(page: Page, beside: Locator, words: str, record: str) -> None:
    """Link the open mail to a record, and go there."""
    opener = beside.locator("summary", has_text="Link")
    walk(page, opener, at_most=8)
    page.keyboard.press("Enter")
    expect(beside.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(words)
    choice = beside.locator("#link-choices").get_by_role("button", name=re.compile(record))
    expect(choice).to_be_visible()
    press(page, "ArrowDown")
    expect(choice).to_be_focused()
    page.keyboard.press("Enter")
    expect(opener).to_be_focused()
    linked = beside.locator(".beside-links").get_by_role("link", name=record)
    walk(page, linked, at_most=5, key="Shift+Tab")
    page.keyboard.press("Enter")
    there(page, record)


def step(page: Page, name: str, *, at_most: int = 8, key: str = "Tab") -> None:
    """Move the open record to a step; the focus stays on it."""
    button = page.locator(".deal-stages").get_by_role("button", name=name, exact=True)
    walk(page, button, at_most=at_most, key=key)
    page.keyboard.press("Enter")
    at_step(page, name)
    at_work(page)
    expect(button).to_be_focused()


def tab(page: Page, name: str, *, at_most: int = 12, key: str = "Tab") -> None:
    """To a tab of the open record; it is a page of its own, and the focus is where it was."""
    about = page.get_by_role("navigation", name=re.compile("^About"))
    walk(page, about.get_by_role("link", name=re.compile(f"^{name}")), at_most=at_most, key=key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name=name)).to_be_visible()
    at_work(page)
    expect(about.locator("[aria-current]")).to_be_focused()


def typed(page: Page, day: date) -> str:
    """A day as it is typed into a field of this browser's language."""
    order: list[str] = page.evaluate("new Intl.DateTimeFormat().formatToParts().map((part) => part.type)")
    parts = {"day": f"{day:%d}", "month": f"{day:%m}", "year": f"{day:%Y}"}
    return "".join(parts[one] for one in order if one in parts)


def typed_hour(page: Page, at: datetime) -> str:
    twelve = page.evaluate("new Intl.DateTimeFormat(undefined, {hour: 'numeric'}).resolvedOptions().hour12")
    return f"{at:%I%M%p}" if twelve else f"{at:%H%M}"


def test_a_seller_s_day(page: Page, member: Membership) -> None:
    deals.create(member.workspace, by=member, name="Contoso renewal", amount=Decimal(84000), owner=member)

    beside = read(page, "Renewal terms", "j")
    to_part(page, "#aside")
    walk(page, beside.get_by_role("button", name="Add contact"), at_most=4)
    page.keyboard.press("Enter")
    expect(beside.get_by_text("Not a contact yet")).to_have_count(0)
    keeps_the_focus(page)
    link(page, beside, "contoso ren", "Contoso renewal")

    skip(page)
    step(page, "Proposal", at_most=10)
    tab(page, "Email")
    walk(page, mail(page, "Renewal terms"), at_most=10)
    tab(page, "Tasks", key="Shift+Tab")
    walk(page, page.get_by_label("Task", exact=True), at_most=8)
    page.keyboard.type("Call Ines about the discount")
    walk(page, page.get_by_label("Due"), at_most=1)
    today = timezone.localtime(now()).date()
    page.keyboard.type(typed(page, today))
    expect(page.get_by_label("Due")).to_have_value(today.isoformat())
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Call Ines about the discount")).to_be_visible()
    keeps_the_focus(page)

    jump(page, "home", "Home")
    done = page.get_by_role("button", name="Done: Call Ines about the discount")
    expect(done).to_be_visible()
    to_part(page, "main")
    walk(page, done, at_most=12)
    page.keyboard.press("Enter")
    expect(done).to_have_count(0)
    keeps_the_focus(page)
    jump(page, "deals", "Deals")
    column = page.locator("[data-board-stage]", has=page.get_by_role("heading", name=re.compile("Negotiation")))
    card = page.get_by_role("link", name="Contoso renewal")
    there(page, "Deals")
    to_part(page, "main")
    walk(page, card, at_most=12)
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator(".toast", has_text="moved to Negotiation")).to_be_visible()
    expect(column.get_by_role("link", name="Contoso renewal")).to_be_focused()
    assert Deal.objects.get().stage.name == "Negotiation" and Task.objects.get().done_at is not None


def test_a_supporter_s_day(page: Page, member: Membership) -> None:
    jump(page, "tickets", "Tickets")
    there(page, "Tickets")
    press(page, "n")
    expect(page.get_by_label("Subject")).to_be_focused()
    page.keyboard.type("Renewal form does not open")
    press(page, "Control+Enter")
    there(page, "Renewal form does not open")

    jump(page, "inbox", "Inbox")
    expect(mail(page, "Renewal terms")).to_be_visible()
    beside = read(page, "Renewal terms", "j")
    to_part(page, "#aside")
    link(page, beside, "form", "Renewal form does not open")
    skip(page)
    step(page, "Open", at_most=10)
    tab(page, "Email")
    walk(page, mail(page, "Renewal terms"), at_most=10)
    page.keyboard.press("Enter")
    there(page, "Renewal terms")
    press(page, "r")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    page.keyboard.type("The form is open again. Does it work?")
    press(page, "Control+Enter")
    expect(page.locator(".toast", has_text="Sending to")).to_be_visible()
    assert "The form is open again" in Composition.objects.get().html
    keeps_the_focus(page)

    jump(page, "renewal form", "Renewal form does not open")
    there(page, "Renewal form does not open")
    skip(page)
    step(page, "Waiting for the customer", at_most=12)
    tab(page, "Notes")
    walk(page, page.get_by_role("textbox", name="Note"), at_most=8)
    page.keyboard.type("The certificate had run out.")
    press(page, "Control+Enter")
    expect(page.locator(".note-text", has_text="The certificate had run out.")).to_be_visible()
    keeps_the_focus(page)
    step(page, "Solved", at_most=14, key="Shift+Tab")
    press(page, "z")
    at_step(page, "Waiting for the customer")
    step(page, "Solved", at_most=0)
    assert Ticket.objects.get().solved_at is not None


def test_a_recruiter_s_day(page: Page, member: Membership) -> None:
    candidates.create(member.workspace, by=member, name="Priya Kaur", address="priya@contoso.example", job="Analyst")

    beside = read(page, "Interview on Thursday", "j", "j")
    to_part(page, "#aside")
    walk(page, beside.locator(".beside-links").get_by_role("link", name="Priya Kaur"), at_most=8)
    page.keyboard.press("Enter")
    there(page, "Priya Kaur")
    jump(page, "candidates", "Candidates")
    there(page, "Candidates")
    skip(page)
    walk(page, page.get_by_role("link", name="Priya Kaur"), at_most=16)
    page.keyboard.press("Enter")
    there(page, "Priya Kaur")
    skip(page)
    step(page, "Interview", at_most=12)
    tab(page, "Interview")
    thursday = timezone.localtime(now() + timedelta(days=1)).replace(hour=14, minute=0)
    walk(page, page.get_by_label("When"), at_most=8)
    page.keyboard.type(typed(page, thursday.date()))
    page.keyboard.press("ArrowRight")
    page.keyboard.type(typed_hour(page, thursday))
    expect(page.get_by_label("When")).to_have_value(f"{thursday:%Y-%m-%dT%H:%M}")
    walk(page, page.get_by_role("textbox", name="Where", exact=True), at_most=8)
    page.keyboard.type("Room 4")
    page.keyboard.press("Enter")
    notes = page.get_by_label("Notes of this interview")
    expect(notes).to_be_visible()
    keeps_the_focus(page)
    walk(page, notes, at_most=14, key="Shift+Tab")
    page.keyboard.type("Knows forecasting well.")
    walk(page, page.get_by_role("button", name="Save notes"), at_most=1)
    page.keyboard.press("Enter")
    expect(page.locator(".toast", has_text="Notes saved")).to_be_visible()
    keeps_the_focus(page)

    tab(page, "Evaluation", key="Shift+Tab")
    for criterion in ("Skills", "Teamwork"):
        marks = page.get_by_role("radiogroup", name=criterion)
        walk(page, marks.get_by_label("1", exact=True), at_most=8)
        walk(page, marks.get_by_label("4", exact=True), at_most=3, key="ArrowRight")
    walk(page, page.get_by_role("group", name="Verdict").get_by_role("radio").first, at_most=6)
    page.keyboard.press("Space")
    verdict = page.get_by_role("radio", name="Strong yes")
    walk(page, verdict, at_most=4, key="ArrowRight")
    walk(page, page.get_by_role("textbox", name="Why", exact=True), at_most=1)
    page.keyboard.type("The best we met.")
    walk(page, page.get_by_role("button", name="Save evaluation"), at_most=1)
    page.keyboard.press("Enter")
    expect(page.locator("article", has_text="The best we met.")).to_contain_text("Strong yes")
    keeps_the_focus(page)
    tab(page, "Overview", at_most=16, key="Shift+Tab")
    step(page, "Offer", at_most=8, key="Shift+Tab")
    expect(page.get_by_role("region", name="Where they stand")).to_contain_text("Offer")
    assert Interview.objects.get().place == "Room 4" and Scorecard.objects.get().verdict


def test_an_administrator_s_day(page: Page, mailbox: Mailbox) -> None:
    jump(page, "members", "Settings: Members and roles")
    there(page, "Members and roles")
    expect(page.get_by_role("row", name=re.compile("adele@northwind.example"))).to_contain_text("Admin")
    jump(page, "sign-in", "Sign-in")
    address = page.locator("[aria-labelledby=invitations]").get_by_label(re.compile("Address|Email"))
    skip(page)
    walk(page, address, at_most=8)
    page.keyboard.type("new@northwind.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Send this link to new@northwind.example yourself.")).to_be_visible()
    expect(address).to_be_focused()

    jump(page, "outlook", "Outlook")
    card = page.locator(f"#mailbox-{mailbox.pk}")
    expect(card).to_contain_text("Healthy")
    skip(page)
    walk(page, card.get_by_role("link", name="Settings"), at_most=8)
    page.keyboard.press("Enter")
    there(page, mailbox.address)
    skip(page)
    walk(page, page.get_by_label("Purpose"), at_most=4)
    page.keyboard.type("Sales")
    expect(page.get_by_label("Purpose")).to_have_value("sales")
    walk(page, page.get_by_role("button", name="Save", exact=True), at_most=8)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_be_visible()
    mailbox.refresh_from_db()
    assert mailbox.purpose == "sales"


def test_a_table_is_sorted_and_kept_as_a_view(page: Page, member: Membership) -> None:
    for name, amount in (("Contoso renewal", 12000), ("Fabrikam pilot", 84000)):
        deals.create(member.workspace, by=member, name=name, amount=Decimal(amount), owner=member)
    page.goto("/deals/list/")
    skip(page)
    walk(page, page.get_by_role("columnheader", name="Amount").get_by_role("link"), at_most=24)
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]").first).to_contain_text("Fabrikam pilot")
    keeps_the_focus(page)
    walk(page, page.get_by_role("link", name="Save view"), at_most=8, key="Shift+Tab")
    page.keyboard.press("Enter")
    name = page.get_by_role("dialog").get_by_label("Name")
    expect(name).to_be_focused()
    page.keyboard.type("Large ones first")
    page.keyboard.press("Enter")
    view = page.get_by_role("link", name="Large ones first")
    expect(view).to_have_attribute("aria-current", "true")
    keeps_the_focus(page)
    assert SavedView.objects.get().name == "Large ones first"


def test_the_menus_of_a_thread_take_the_focus_and_give_it_back(page: Page, mailbox: Mailbox) -> None:
    terms, talk, numbers = (mail(page, one) for one in ("Renewal terms", "Interview on Thursday", "Quarterly numbers"))
    read(page, "Renewal terms", "j")
    press(page, "s")
    first = page.locator("#snooze-menu .menu-item")
    expect(first.first).to_be_focused()
    press(page, "ArrowDown")
    expect(first.nth(1)).to_be_focused()
    press(page, "e", "Escape")  # a letter meant for the menu archives nothing
    expect(page.locator("#snooze-menu")).to_be_hidden()
    expect(terms).to_be_focused()

    press(page, "t")
    expect(page.locator("#assign-menu .menu-item").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#thread-tags .tag-assigned")).to_be_visible()
    expect(terms).to_be_focused()
    press(page, "v")
    expect(page.locator("#move-menu .menu-item").first).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#move-menu").get_by_role("button", name="Junk")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".toast", has_text="Moved to Junk")).to_be_visible()
    expect(talk).to_be_focused()
    expect(page.get_by_role("heading", name="Interview on Thursday")).to_be_visible()

    press(page, "x", "l")
    expect(page.locator("#bulk-categories [name=add]")).to_be_focused()
    press(page, "Escape")
    expect(talk).to_be_focused()
    press(page, "e")
    expect(talk).to_have_count(0)
    expect(numbers).to_be_focused()
    press(page, "z")
    expect(talk).to_be_visible()
    keeps_the_focus(page)
    assert Message.objects.get(subject="Renewal terms").folder == mailbox.folders.get(role="junk")
