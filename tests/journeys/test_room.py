"""Every screen has room for the longest names and dates: on a phone nothing is pushed aside or has to be looked for.

What people write is made as long as it may be, in one word, and each date as long as a language makes it. A screen then
may grow downwards only: what is meant to scroll sideways (a table, a board, the stages of a deal) says so here.
The pages are drawn once, and the browser is given them as they are: no server and no script, nothing still on its way.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.staticfiles import finders
from django.db import models
from django.db.models import Value
from django.db.models.functions import Cast, Concat, Left
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django import Settings

from postroom.accounts.models import User
from postroom.mail.models import Folder, Message, Thread
from postroom.records.extensions import panels_for
from postroom.records.record import TYPES
from postroom.workspaces.models import Membership
from tests.architecture.test_crawler import (
    LEAVING,
    Address,
    addresses,
    box,
    connect,
    mailbox,
    member,
    settle,
    victim,
)
from tests.architecture.test_crawler import (
    browser as window_of,
)
from tests.journeys.conftest import PATIENCE

__all__ = ["addresses", "box", "connect", "mailbox", "member", "settle", "victim"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ADDRESS = "maximiliane.wolfeschlegelsteinhausenbergerdorff@donaudampfschifffahrtsgesellschaft.example"
DAY = "keskiviikkona 23. syyskuuta 2026 klo 23.59"
WRITTEN = {
    "accounts.User": ("name",),
    "workspaces.Workspace": ("name",),
    "workspaces.Role": ("name",),
    "mailboxes.Mailbox": ("name", "address"),
    "mailboxes.Connection": ("name", "address"),
    "mail.Folder": ("name",),
    "mail.Thread": ("subject", "snippet"),
    "mail.Message": ("subject", "preview", "from_name"),
    "mail.Attachment": ("name",),
    "mail.Category": ("name",),
    "mail.Composition": ("subject",),
    "mail.CompositionFile": ("name",),
    "mail.Snippet": ("name", "text"),
    "records.Person": ("name", "first_name", "last_name", "job_title"),
    "records.PersonAddress": ("address",),
    "records.Company": ("name", "website", "industry"),
    "records.CompanyDomain": ("domain",),
    "records.Deal": ("name",),
    "records.Pipeline": ("name",),
    "records.Stage": ("name",),
    "records.Ticket": ("name",),
    "records.Queue": ("name",),
    "records.Candidate": ("name", "source", "headline", "location"),
    "records.Job": ("title",),
    "records.Interview": ("place", "notes"),
    "records.Note": ("text",),
    "records.Task": ("title", "body"),
    "records.CustomField": ("label",),
    "records.SavedView": ("name",),
    "records.Import": ("name",),
    "timeline.Comment": ("text",),
    "timeline.NeverLog": ("what",),
    "timeline.NoContact": ("address",),
    "dropbox.Dropped": ("sender", "subject", "author", "reason"),
    "dropbox.Sender": ("address",),
    "sync.Quarantined": ("reason",),
    "audit.Access": ("who",),
}
STYLES = re.compile(r'<link rel="stylesheet"\s+href="/static/([^"?]+)[^"]*">')
PAPER = {"inbox:print"}  # a page of its own, for a printer
SIDEWAYS = ".table-frame, .folder-table-frame, .board, .deal-stages, .tabs, .editor-tools, .chips, pre"
ROOM = """([sideways, day]) => {
  for (const one of document.querySelectorAll("time")) if (one.textContent.trim().length > 9) one.textContent = day;
  for (const drawer of document.querySelectorAll(".rail, .folders, .pane-aside")) {
    drawer.popover = "manual";
    drawer.showPopover();
  }
  const wrong = [], wide = document.documentElement.clientWidth, round = document.documentElement.scrollWidth;
  if (round > wide) wrong.push(`the page is ${round} px wide`);
  const shortened = (one) => one && (getComputedStyle(one).textOverflow === "ellipsis" || shortened(one.parentElement));
  for (const one of document.body.querySelectorAll("*")) {
    if (one.closest(`${sideways}, svg, .visually-hidden`) || !one.checkVisibility()) continue;
    const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1;
    const name = `${one.tagName.toLowerCase()}.${[...one.classList].join(".")}`;
    if (scrolls && one.tagName !== "TEXTAREA") wrong.push(`${name} scrolls by ${one.scrollWidth - one.clientWidth} px`);
    const { left, right, width, height } = one.getBoundingClientRect();
    const says = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (says && width < 32 && height > 64) wrong.push(`${name} is a tower of letters`);
    const out = width > 1 && (right > wide + 1 || left < -1);
    if (out && !shortened(one)) wrong.push(`${name} reaches from ${left} to ${right} px`);
  }
  return wrong;
}"""


def lengthen() -> None:
    """Everything written is as long as its column allows, and still different from row to row."""
    for label, names in WRITTEN.items():
        model = apps.get_model(label)
        for name in names:
            field: Any = model._meta.get_field(name)
            long = f"-{ADDRESS}" if name in ("address", "who", "what", "sender", "author") else WORD
            text = Concat(Cast("pk", models.TextField()), Value(long), output_field=models.TextField())
            model._base_manager.update(**{name: Left(text, field.max_length or 300)})
    Folder.objects.update(unread=99_999)
    people = [[WORD, ADDRESS], [WORD[::-1], f"x{ADDRESS}"]]
    Thread.objects.update(people=people)
    Message.objects.update(to=people * 5, cc=people)


@pytest.fixture
def pages(addresses: list[Address], member: Membership, settings: Settings) -> dict[str, str]:
    """All pages there are by their path, of a workspace with one of everything and the longest names."""
    settings.POSTROOM_DEMO = True  # the gallery of components is a page as well
    User.objects.update(is_operator=True)
    lengthen()
    client = window_of(member)
    tabs = [
        f"{one.path}?tab={panel.key}"
        for one in addresses
        for kind in TYPES
        if one.name == f"records:{kind.key}"
        for panel in panels_for(kind.key)
    ]
    asked = [one.path for one in addresses if one.name not in LEAVING | PAPER]
    drawn = {path: page_of(client, path) for path in (*asked, *tabs)}
    return {path: page for path, page in drawn.items() if page}


def page_of(client: Client, path: str) -> str:
    """Nothing where there is no page: a file, a part of a page, something only a POST reaches."""
    answer = client.get(path)
    if answer.status_code != 200 or answer.streaming or b"<html" not in answer.content[:300]:
        return ""
    return answer.content.decode()


def styled(link: re.Match[str]) -> str:
    """A style sheet where its link stood: the browser asks for nothing."""
    file = finders.find(link[1])
    assert isinstance(file, str)
    return f"<style>{Path(file).read_text()}</style>"


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    window = browser.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=False, reduced_motion="reduce", has_touch=True
    )
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    window.close()


def test_no_screen_is_pushed_apart_on_a_phone(phone: Page, pages: dict[str, str]) -> None:
    assert len(pages) > 60
    wrong = {}
    for path, page in pages.items():
        phone.set_content(STYLES.sub(styled, page))
        if found := phone.evaluate(ROOM, [SIDEWAYS, DAY]):
            wrong[path] = found[:3]
    assert wrong == {}
