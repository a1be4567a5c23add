"""What a colleague who may not use a mailbox finds of its mail, at each level (product.md CR6).

A mail is planted whose sender, subject, text, file, draft and comment each have a word of their own. Every page, every
tab of every record, search and suggestions are read as the colleague; what is found must be what the level allows.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from postroom.accounts.models import User
from postroom.mail import commands as mail
from postroom.mail.models import Attachment, Message
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.models import Person
from postroom.records.people import commands as people
from postroom.sync import push
from postroom.timeline import links
from postroom.timeline.models import NeverLog
from postroom.timeline.sharing import commands as sharing
from postroom.timeline.sharing.models import Level
from postroom.timeline.team import commands as team
from postroom.workspaces.models import Membership, Role
from tests.architecture.test_crawler import LEAVING, SCRIPT, Address, browser, patterns, text, victim

from tests.architecture.test_crawler import box, connect, mailbox, member, settle  # isort: skip

__all__ = ["box", "connect", "mailbox", "member", "settle", "victim"]

SENDER, SUBJECT, BODY, FILE, DRAFT, COMMENT = "tamarind", "quillon", "marzipan", "obsidian", "saffron", "juniper"
WORDS = (SENDER, SUBJECT, BODY, FILE, DRAFT, COMMENT)
ALLOWED = {
    Level.NOTHING: set(),
    Level.METADATA: {SENDER},
    Level.SUBJECT: {SENDER, SUBJECT},
    Level.EVERYTHING: {SENDER, SUBJECT, BODY, FILE},
}  # never what is not sent yet, nor what its readers say to each other


def arrive(mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]) -> None:
    for told in box.notifications():
        push.take(connector("memory").notified(told))
    settle(mailbox)


@pytest.fixture
def planted(
    victim: dict[str, Any], member: Membership, mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]
) -> Message:
    box.deliver(
        subject=f"{SUBJECT} plan", from_=f"{SENDER}@fabrikam.example", html=f"<p>{BODY}</p>",
        files={f"{FILE}.txt": b"figures"}, has_attachments=True,
    )  # fmt: skip
    arrive(mailbox, box, settle)
    message = Message.objects.get(subject__startswith=SUBJECT)
    draft = mail.compose(mailbox, member, answers=message, how="reply")
    mail.save(draft, html=f"<p>{DRAFT}</p>", subject=f"{DRAFT} {SUBJECT}")
    settle(mailbox)
    team.write(message.thread.conversation_id, COMMENT, by=member)
    company = companies.create(member.workspace, name="Fabrikam", domains=["fabrikam.example"], by=None)
    contact = people.create(
        member.workspace, last_name="T.", addresses=["t@elsewhere.example"], company=company, by=None
    )
    deals.create(member.workspace, name="Renewal", people=[contact], company=company, by=None)
    links.link(message.thread.conversation, contact, by=member)
    return message


@pytest.fixture
def colleague(member: Membership) -> Membership:
    role = Role.objects.create(workspace=member.workspace, name="Seller", permissions=["connect_mailbox", "export"])
    user = User.objects.create_user(email="gus@northwind.example", password="long-enough-word")
    return Membership.objects.create(workspace=member.workspace, user=user, role=role)


@pytest.fixture
def places(victim: dict[str, Any], planted: Message) -> list[str]:
    """Every address with the planted mail as what it is about, record tabs, search and suggestions."""
    of_mail = {"mail": planted.pk, "inbox": planted.thread_id, "timeline": planted.thread.conversation_id}
    found = []
    for name, converters in patterns():
        app = name.partition(":")[0]
        known = {**victim[""], **victim.get(app, {}), **victim.get(name, {})}
        if app in of_mail and name not in victim:
            known = {**known, "pk": of_mail[app], "message": planted.pk}
        found.append(Address(name, reverse(name, kwargs={one: known[one] for one in converters}), bool(converters)))
    pages = [one.path for one in found if one.name not in LEAVING]
    file = Attachment.objects.get(message=planted)
    pages += [reverse(f"mail:{name}", args=[file.pk]) for name in ("attachment", "attachment-view")]
    thread = Person.objects.get(last_name="T.")
    records = [thread, thread.company, *thread.deals.all()]
    pages += [f"{one.get_absolute_url()}?tab={tab}" for one in records if one for tab in ("email", "timeline")]
    pages += [f"{reverse('search:list')}?q={word}" for word in WORDS]
    pages += [f"{reverse('inbox:people')}?q={word[:4]}" for word in WORDS]
    panel = reverse("timeline:panel", args=[planted.thread.conversation_id])
    return [*pages, f"{panel}?address={SENDER}@fabrikam.example"]


def heard(client: Client, places: list[str]) -> dict[str, set[str]]:
    """The planted words that are found, each with where. What was asked for does not count as found."""
    found: dict[str, set[str]] = {}
    for place in places:
        asked = place.partition("?")[2].lower()
        for said in _answers(client, place):
            for word in WORDS:
                if word[:4] not in asked and word in said:
                    found.setdefault(word, set()).add(place)
    return found


def _answers(client: Client, place: str) -> Iterator[str]:
    yield text(client.get(place)).lower()
    if "tab=" in place or place.startswith("/conversations/"):
        yield text(client.get(place, headers=SCRIPT)).lower()


@pytest.mark.parametrize("level", [Level.SUBJECT, Level.EVERYTHING])
def test_a_colleague_finds_only_what_the_level_allows(
    planted: Message, places: list[str], mailbox: Mailbox, colleague: Membership, level: Level
) -> None:
    sharing.set_mailbox(mailbox, level=level, contacts="")
    found = heard(browser(colleague), places)
    assert set(found) == ALLOWED[level], found


def test_where_the_mail_is_shown_every_level_counts_at_once(
    planted: Message, places: list[str], mailbox: Mailbox, colleague: Membership, member: Membership
) -> None:
    """Of the mailbox, of the thread, and the list of what is never logged."""
    near = [one for one in places if any(part in one for part in ("/conversations/", "message", "attachment", "tab="))]
    client, conversation = browser(colleague), planted.thread.conversation
    for level in Level:
        sharing.set_mailbox(mailbox, level=level, contacts="")
        assert set(heard(client, near)) == ALLOWED[level], level
    sharing.set_thread(conversation, [mailbox], Level.METADATA, by=member)
    assert set(heard(client, near)) == ALLOWED[Level.METADATA]
    sharing.set_thread(conversation, [mailbox], None, by=member)
    NeverLog.objects.create(workspace=member.workspace, what="fabrikam.example")
    assert heard(client, near) == {}


def test_search_and_suggestions_know_nothing_of_private_mail(
    planted: Message, mailbox: Mailbox, colleague: Membership
) -> None:
    sharing.set_mailbox(mailbox, level=Level.EVERYTHING, contacts="")
    client = browser(colleague)
    for word in WORDS:
        for address in (reverse("search:list"), reverse("inbox:people")):
            answer = text(client.get(address, {"q": word})).lower()
            assert "fabrikam.example" not in answer and "row-link" not in answer, (address, word)


def test_no_event_about_private_mail_reaches_a_colleague(
    planted: Message, mailbox: Mailbox, colleague: Membership, member: Membership, box: Box,
    settle: Callable[[Mailbox], int], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sent: list[Any] = []
    execute = connection.cursor().__class__.execute

    def listening(self: Any, statement: Any, parameters: Any = None) -> Any:
        if "pg_notify" in str(statement):
            sent.append(json.loads(parameters[1]))
        return execute(self, statement, parameters)

    monkeypatch.setattr(connection.cursor().__class__, "execute", listening)
    contact = Person.objects.get(last_name="T.")
    links.unlink(planted.thread.conversation, contact, by=member)
    links.link(planted.thread.conversation, contact, by=member)
    sharing.set_thread(planted.thread.conversation, [mailbox], Level.NOTHING, by=member)
    team.write(planted.thread.conversation_id, COMMENT, by=member)
    team.assign([planted.thread.conversation_id], member, by=member)
    box.deliver(subject=SUBJECT, from_=f"{SENDER}@fabrikam.example", html=BODY)
    arrive(mailbox, box, settle)
    client = browser(member)
    client.get(reverse("inbox:thread", args=[planted.thread_id]))
    client.post(reverse("inbox:act", args=[planted.thread_id, "flag"]))
    topics = {one["t"] for one in sent}
    assert {"links", "team", "mail"} <= topics
    reached = [one for one in sent if "m" not in one or colleague.pk in one["m"]]
    assert not [one for one in reached if one["t"] not in OF_EVERYBODY], reached
    assert not any(word in json.dumps(one).lower() for one in sent for word in WORDS)


OF_EVERYBODY = ("sync", "tasks", "alerts", "deals")
