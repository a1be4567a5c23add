"""Sending from the composer: undo, later, the outbox, templates, signatures (product.md SE1, SE2, SE6, SE7)."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from postroom.inbox import writing
from postroom.inbox.accounts import accounts_of
from postroom.mail import commands, pens, signatures, snippets
from postroom.mail.drafts import key
from postroom.mail.models import Composition, Thread
from postroom.mail.pens import Snippet
from postroom.mailboxes.models import Mailbox
from postroom.records.companies import commands as companies
from postroom.records.people import commands as people
from postroom.records.tickets import commands as tickets
from postroom.sync.models import OutboxEntry
from postroom.timeline import links
from postroom.timeline.models import Link
from postroom.workspaces.models import Membership

SCRIPT = {"HX-Request": "true"}
Settle = Callable[..., int]


@pytest.fixture
def typed(page: Client, mailbox: Mailbox, settle: Settle) -> dict[str, object]:
    settle(mailbox)
    return {"to": "Ines Ribeiro <ines@contoso.example>", "subject": "Offer", "text": "Hi Ines", "from": mailbox.pk}


@pytest.fixture
def address(page: Client, typed: dict[str, object]) -> str:
    return page.get("/compose/").headers["Location"]


def only() -> Composition:
    return Composition.objects.get()


def test_undo_waits_on_every_page_and_brings_the_draft_back(
    page: Client, address: str, typed: dict[str, object]
) -> None:
    page.post(f"{address}send/", typed)
    for _ in range(2):  # also when it is loaded anew
        html = page.get("/settings/writing/").content.decode()
        assert f'action="{address}undo/"' in html and 'data-toast-seconds="10"' in html
    answer = page.post(f"{address}undo/", headers=SCRIPT)
    assert answer.headers["HX-Redirect"] == address and only().state == "draft"
    html = page.get(address).content.decode()
    assert "Hi Ines" in html and f'action="{address}undo/"' not in html


def test_an_undo_after_the_hand_over_began_says_so(page: Client, address: str, typed: dict[str, object]) -> None:
    page.post(f"{address}send/", typed)
    OutboxEntry.objects.filter(kind="send").update(step="sending", state="working")
    answer = page.post(f"{address}undo/", headers=SCRIPT)
    assert "too late" in json.loads(answer.headers["HX-Trigger"])["toast"]["text"] and only().state == "sending"


def test_the_time_to_undo_is_the_members(
    page: Client, address: str, typed: dict[str, object], member: Membership, mailbox: Mailbox, settle: Settle
) -> None:
    assert page.post("/settings/writing/", {"undo_seconds": "7"}).status_code == 404
    page.post("/settings/writing/", {"undo_seconds": "0"})
    assert pens.undo_seconds(member.pk) == 0
    page.post(f"{address}send/", typed)
    assert "data-toast-seconds=" not in page.get("/settings/writing/").content.decode().replace('=""', "")
    settle(mailbox)
    assert only().state == "sent"


def test_what_is_scheduled_stands_in_the_outbox_and_can_be_sent_now_changed_or_stopped(
    page: Client, address: str, typed: dict[str, object]
) -> None:
    page.post(f"{address}send/?when=tomorrow", typed)
    assert only().send_at is not None and "Scheduled" in page.get("/mail/outbox/").content.decode()
    page.post(f"{address}cancel/")
    assert only().state == "draft"
    page.post(f"{address}send/?when=monday", typed)
    page.post(f"{address}undo/")
    assert "was scheduled" in page.get(address).content.decode()
    page.post(f"{address}send/?when=own", {**typed, "at": "2001-01-01T08:00"})
    assert only().state == "draft"
    page.post(f"{address}send/?when=monday", typed)
    page.post(f"{address}now/")
    assert (
        only().send_at is None
        and OutboxEntry.objects.filter(subject_key=key(only()), state="waiting", kind="send").count() == 1
    )


def test_what_is_held_asks(page: Client, address: str, typed: dict[str, object], mailbox: Mailbox) -> None:
    page.post(f"{address}save/", typed)
    Composition.objects.update(state="held")
    html = page.get("/mail/outbox/").content.decode()
    assert "Postroom was down" in html and "Send now" in html
    assert "Postroom was down" in page.get(address).content.decode()
    page.post(f"{address}now/")
    assert only().state == "sending"


def test_a_template_is_filled_in_and_what_is_missing_stops_the_sending(
    page: Client, address: str, typed: dict[str, object], member: Membership
) -> None:
    company = companies.create(member.workspace, name="Contoso", by=member)
    people.create(
        member.workspace,
        first_name="Ines",
        last_name="Ribeiro",
        addresses=["ines@contoso.example"],
        company=company,
        by=member,
    )
    page.post(
        "/settings/writing/templates/new/", {"name": "Hello", "text": "Hi {{first_name}} at {{company}}, {{job_title}}"}
    )
    html = page.get(f"{address}templates/", {"to": typed["to"]}, headers=SCRIPT).content.decode()
    assert "Hi Ines at Contoso, {{job_title}}" in html and "Not known: job_title" in html
    answer = page.post(f"{address}send/", {**typed, "text": "Hi {{ job_title }}"}, headers=SCRIPT)
    assert answer.status_code == 422 and "{{job_title}}" in answer.content.decode() and only().state == "draft"
    page.post(f"{address}send/", {**typed, "text": "Hi {{ job_title }}", "as_it_is": "job_title"}, headers=SCRIPT)
    assert only().state == "sending"


def test_a_template_is_its_authors_until_it_is_shared(page: Client, colleague: Client, member: Membership) -> None:
    assert page.post("/settings/writing/templates/new/", {"name": "X", "text": "{{shoe_size}}"}).status_code == 422
    page.post("/settings/writing/templates/new/", {"name": "Greeting", "text": "Hello"})
    found = Snippet.objects.get()
    address = f"/settings/writing/templates/{found.pk}/"
    assert "Greeting" not in colleague.get("/settings/writing/").content.decode()
    assert colleague.get(address).status_code == 404
    page.post(address, {"name": "Greeting", "text": "Hello", "is_shared": "on"})
    assert "Greeting" in colleague.get("/settings/writing/").content.decode()
    page.post(f"{address}delete/")
    assert not Snippet.objects.exists()


def test_fields_without_a_value_stay_as_they_are() -> None:
    assert snippets.fill("{{ First_Name }} {{nobody}} {x}", {"first_name": "Ines"}) == "Ines {{nobody}} {x}"
    assert snippets.unfilled("{{a}} {{ b }} {{a}} {{1}}") == ["a", "b"]


def test_the_signature_is_set_shown_taken_off_and_follows_the_mailbox(
    page: Client, typed: dict[str, object], mailbox: Mailbox, member: Membership
) -> None:
    page.post(f"/settings/writing/signatures/{mailbox.pk}/", {"signature": "Adele\nNorthwind"})
    assert "Adele\nNorthwind" in page.get(f"/settings/writing/signatures/{mailbox.pk}/").content.decode()
    address = page.get("/compose/").headers["Location"]
    assert "Northwind" in page.get(address).content.decode() and "Northwind" in only().signature
    page.post(f"{address}save/", {**typed, "signed": "1"}, headers=SCRIPT)
    assert only().signature == ""
    page.post(f"{address}save/", {**typed, "signed": "1", "signature": "yes"}, headers=SCRIPT)
    other = Mailbox.objects.get(pk=mailbox.pk)
    other.pk, other.address, other.kind = None, "sales@northwind.example", Mailbox.Kind.SHARED
    other.save()
    signatures.set_for(other, "Sales")
    answer = page.post(
        f"{address}save/", {**typed, "signed": "1", "signature": "yes", "from": other.pk}, headers=SCRIPT
    )
    assert "Sales" in only().signature and "Sales" in answer.content.decode()


def test_mail_begun_from_a_record_is_linked_to_it_once_it_is_sent(
    page: Client, typed: dict[str, object], mailbox: Mailbox, member: Membership, settle: Settle
) -> None:
    deal_of = tickets.create(member.workspace, name="Broken pump", by=member)
    address = page.get(f"/compose/?record=ticket-{deal_of.pk}").headers["Location"]
    page.post(f"{address}send/", typed)
    assert not Link.objects.filter(ticket=deal_of).exists()
    settle(mailbox)
    link = Link.objects.get(ticket=deal_of)
    sent = only().sent_message
    assert sent is not None and link.conversation_id == sent.thread.conversation_id and link.how == "manual"


@pytest.mark.parametrize("told", ["ticket-99", "nothing-1", "ticket-x", "ticket", "\0"])
def test_a_record_that_is_none_is_left_out(page: Client, typed: dict[str, object], told: str) -> None:
    page.get("/compose/", {"record": told})
    assert only().about == ""


def test_mail_of_a_ticket_is_answered_from_its_queues_mailbox(
    page: Client, deliver: Callable[..., Thread], mailbox: Mailbox, member: Membership
) -> None:
    thread = deliver("Pump", from_="ines@contoso.example", html="<p>broken</p>")
    support = Mailbox.objects.get(pk=mailbox.pk)
    support.pk, support.address, support.kind = None, "support@northwind.example", Mailbox.Kind.SHARED
    support.save()
    message = thread.messages.get()
    answered = writing.answer(member, accounts_of(member), message, "reply")
    assert answered is not None and answered.composition.mailbox == mailbox
    commands.discard(answered.composition)
    ticket = tickets.create(member.workspace, name="Pump", by=member)
    ticket.queue.mailbox = support.pk
    ticket.queue.save()
    links.link(thread.conversation, ticket, by=member)
    answered = writing.answer(member, accounts_of(member), message, "reply")
    assert answered is not None and answered.composition.mailbox == support
    begun = writing.begin(member, accounts_of(member), about=f"ticket-{ticket.pk}")
    assert begun is not None and begun.mailbox == support
