"""Drafts, replies, attachments, sending."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

from postroom.inbox import writing
from postroom.inbox.accounts import accounts_of
from postroom.mail import commands
from postroom.mail.commands import text_to_html
from postroom.mail.models import Composition, CompositionFile, Thread
from postroom.mailboxes import sending
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.workspaces.models import Membership

SCRIPT = {"HX-Request": "true"}


@pytest.mark.parametrize(
    "typed",
    ["", "ana@x.example", "Ana <ana@x.example>", '"Doe, Jane" <jane@x.example>', "Ana <a@x.example>, b@x.example"],
)
def test_recipients_survive_the_way_there_and_back(typed: str) -> None:
    assert writing.as_typed(writing.people(typed)) == typed


@pytest.mark.parametrize("text", ["Hi\n\nBest,\nAdele", "1 < 2 & 3 > 2", "", "  indented", '"quoted"'])
def test_text_survives_the_way_there_and_back(text: str) -> None:
    assert writing.to_text(text_to_html(text)) == text.strip()


def test_compose_from_a_record_fills_in_the_recipient(page: Client, mailbox: Mailbox) -> None:
    html = page.get("/compose/?to=ines@contoso.example", follow=True).content.decode()
    assert 'value="ines@contoso.example"' in html


def test_the_from_of_a_new_message_is_the_members_default_then_the_last_then_the_workspaces(
    page: Client, mailbox: Mailbox, member: Membership
) -> None:
    other = Mailbox.objects.get(pk=mailbox.pk)
    other.pk, other.address, other.kind = None, "sales@northwind.example", Mailbox.Kind.SHARED
    other.save()

    def chosen() -> Mailbox | None:
        found = writing.default_sender(member, accounts_of(member))
        return found.mailbox if found else None

    assert chosen() == mailbox  # their own
    sending.set_default(other, None, on=True)
    assert chosen() == other  # the workspace's
    Composition.objects.create(mailbox=mailbox, author=member, how="new", html="<p>x</p>")
    assert chosen() == mailbox  # the one written from last
    sending.set_default(other, member, on=True)
    assert chosen() == other  # their own choice


def test_pressing_compose_twice_makes_one_draft(page: Client, mailbox: Mailbox) -> None:
    page.get("/compose/")
    page.get("/compose/")
    assert Composition.objects.count() == 1


def test_a_draft_is_kept_listed_and_sent(
    page: Client, mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]
) -> None:
    address = page.get("/compose/").headers["Location"]
    typed = {"to": "Ines <ines@contoso.example>", "subject": "Offer", "text": "Hi Ines", "from": mailbox.pk}
    assert page.post(f"{address}save/", typed, headers=SCRIPT).status_code == 200
    assert "Offer" in page.get("/inbox/?filter=drafts").content.decode()
    assert "Hi Ines" in page.get(address).content.decode()
    page.post(f"{address}send/", typed)
    assert Composition.objects.get().state == "sending"
    settle(mailbox)
    assert Composition.objects.get().state == "sent"
    assert [one.subject for one in box.messages.values()] == ["Offer"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [({"to": ""}, "Add at least one recipient."), ({"to": "nobody"}, "nobody is not an e-mail address.")],
)
def test_what_is_missing_is_said_in_place(page: Client, mailbox: Mailbox, typed: dict[str, str], told: str) -> None:
    address = page.get("/compose/").headers["Location"]
    answer = page.post(f"{address}send/", {**typed, "text": "Kept text"}, headers=SCRIPT)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert "Kept text" in answer.content.decode()
    assert Composition.objects.get().state == "draft"


def test_a_reply_goes_to_the_author_from_the_mailbox_written_to(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer", from_="bob@contoso.example")
    html = page.get(f"/inbox/threads/{thread.pk}/reply/?how=reply", headers=SCRIPT).content.decode()
    assert "bob@contoso.example" in html
    composition = Composition.objects.get()
    assert composition.mailbox_id == thread.mailbox_id
    page.get(f"/inbox/threads/{thread.pk}/reply/?how=reply", headers=SCRIPT)
    assert Composition.objects.count() == 1


def test_without_a_script_reply_leads_to_a_page_to_write_on(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    answer = page.get(f"/inbox/threads/{thread.pk}/reply/?how=reply", follow=True)
    assert 'class="composer"' in answer.content.decode()


def test_a_draft_stands_in_the_reply_box_of_its_thread(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    page.get(f"/inbox/threads/{thread.pk}/reply/?how=reply", headers=SCRIPT)
    html = page.get(f"/compose/{Composition.objects.get().pk}/", follow=True).content.decode()
    box = re.search(r'id="reply-draft"\s+hx-get="([^"]+)"', html)
    assert box
    headers = {**SCRIPT, "HX-Target": "reply-draft"}
    assert 'class="composer"' in page.get(unescape(box[1]), headers=headers).content.decode()
    alone = re.search(r'<noscript><a href="([^"]+)"', html)
    assert alone
    assert 'class="composer"' in page.get(unescape(alone[1])).content.decode()


def test_sending_is_held_back_when_something_newer_was_not_seen(page: Client, deliver: Callable[..., Thread]) -> None:
    thread = deliver("Offer")
    page.get(f"/inbox/threads/{thread.pk}/reply/?how=reply", headers=SCRIPT)
    composition = Composition.objects.get()
    first = thread.messages.get()
    key = first.internet_message_id
    deliver("Re: Offer", minutes=9, in_reply_to=key, references=(key,), from_="bob@contoso.example")
    typed = {"to": "bob@contoso.example", "text": "Yes", "seen": str(first.pk)}
    answer = page.post(f"/compose/{composition.pk}/send/", typed, headers=SCRIPT)
    assert answer.status_code == 422
    assert "while you were writing" in answer.content.decode()
    newest = thread.messages.order_by("-pk")[0]
    page.post(f"/compose/{composition.pk}/send/", {**typed, "seen": str(newest.pk)}, headers=SCRIPT)
    composition.refresh_from_db()
    assert composition.state == "sending"


def test_files_are_attached_removed_and_limited(
    page: Client, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = page.get("/compose/").headers["Location"]
    answer = page.post(f"{address}files/", {"file": SimpleUploadedFile("a/../Über.pdf", b"12345")}, headers=SCRIPT)
    file = CompositionFile.objects.get()
    assert file.name == "Über.pdf"
    assert f'value="{file.pk}"' in answer.content.decode()
    monkeypatch.setattr(writing, "LARGEST", 8)
    assert page.post(f"{address}files/", {"file": SimpleUploadedFile("b", b"1234")}, headers=SCRIPT).status_code == 413
    assert CompositionFile.objects.count() == 1
    page.post(f"{address}files/{file.pk}/remove/", headers=SCRIPT)
    assert not CompositionFile.objects.exists()


def test_a_discarded_draft_comes_back(page: Client, mailbox: Mailbox) -> None:
    address = page.get("/compose/").headers["Location"]
    page.post(f"{address}save/", {"subject": "Offer", "text": "Hi", "to": "ines@contoso.example"}, headers=SCRIPT)
    was = Composition.objects.values("html", "to", "subject", "marker").get()
    answer = page.post(f"{address}discard/", follow=True).content.decode()
    assert not Composition.objects.exists()
    undo = answer.split('<form class="toast-undo"')[1].split('action="')[1].split('"')[0].replace("&amp;", "&")
    page.post(undo)
    assert Composition.objects.values("html", "to", "subject", "marker").get() == was


def test_a_draft_is_its_authors_own(page: Client, colleague: Client, mailbox: Mailbox) -> None:
    address = page.get("/compose/").headers["Location"]
    assert colleague.get(address).status_code == 404
    for action in ("save", "send", "discard", "files", "again"):
        assert colleague.post(f"{address}{action}/").status_code == 404, action


def test_people_are_suggested(page: Client, deliver: Callable[..., Thread]) -> None:
    deliver("Offer", from_="Bob Miller <bob@contoso.example>" if False else "bob@contoso.example")
    html = page.get("/compose/people/?q=bob").content.decode()
    assert escape("bob@contoso.example") in html
    assert page.get("/compose/people/?q=").content.decode().strip() == ""


def test_a_draft_is_not_sent_from_a_mailbox_its_author_may_no_longer_use(
    member: Membership, mailbox: Mailbox, colleague: Client
) -> None:
    ben = Membership.objects.exclude(pk=member.pk).get()
    draft = commands.compose(mailbox, ben, to=[("", "ines@contoso.example")], subject="In your name")
    for way in ("send", "again"):
        colleague.post(f"/compose/{draft.pk}/{way}/", {"to": "ines@contoso.example", "text": "Hi"})
        assert Composition.objects.get().state == "draft"


def test_a_discarded_draft_whose_mailbox_has_gone_cannot_come_back(page: Client, mailbox: Mailbox) -> None:
    address = page.get("/compose/").headers["Location"]
    page.post(f"{address}save/", {"subject": "Offer", "text": "Hi"})
    told = page.post(f"{address}discard/", follow=True).content.decode()
    undo = unescape(told.partition(f"{address}restore/?was=")[2].partition('"')[0])
    assert undo
    mailbox.delete()
    assert page.post(f"{address}restore/?was={undo}").status_code == 404
