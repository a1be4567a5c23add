"""What members open is in the access log, and who may look at the log sees it there (product.md AD2)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from postroom.accounts.models import User
from postroom.audit import log
from postroom.audit.models import Access
from postroom.mail.models import Attachment, Message
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.workspaces.commands import add_member
from postroom.workspaces.models import Membership, Role

__all__ = ["box", "connect", "mailbox", "member", "settle"]
LOG = "/settings/access-log/"
SECRET = "Zephyr"


@pytest.fixture
def message(mailbox: Mailbox, box: Box, settle: Callable[[Mailbox], int]) -> Message:
    log.forget_looks()
    box.deliver(
        subject=SECRET, from_="tom@contoso.example", html=SECRET, files={"plan.txt": b"figures"}, has_attachments=True
    )
    settle(mailbox)
    return Message.objects.select_related("thread").get()


def browser(member: Membership) -> Client:
    client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/131.0"}, REMOTE_ADDR="192.0.2.7")
    client.force_login(member.user)
    return client


def entries() -> list[tuple[str, str]]:
    return list(Access.objects.order_by("id").values_list("what", "how"))


def test_an_opened_thread_is_one_entry_and_its_frames_none(message: Message, member: Membership) -> None:
    client = browser(member)
    client.get(f"/inbox/threads/{message.thread_id}/")
    client.get(f"/mail/messages/{message.pk}/body")
    entry = Access.objects.get()
    assert (entry.what, entry.member_id, entry.of_mailbox) == ("thread", member.pk, message.mailbox_id)
    assert (entry.conversation_id, entry.message_ids) == (message.thread.conversation_id, [message.pk])
    assert (entry.address, entry.agent) == ("192.0.2.7", "Firefox on Linux")


def test_a_text_asked_for_by_its_address_is_an_entry(message: Message, member: Membership) -> None:
    browser(member).get(f"/mail/messages/{message.pk}/body")
    assert entries() == [("body", "screen")]


def test_saved_files_and_originals_are_entries_every_time(message: Message, member: Membership) -> None:
    client, file = browser(member), Attachment.objects.get()
    for path in (f"attachments/{file.pk}", f"attachments/{file.pk}", f"messages/{message.pk}/original?save=1"):
        b"".join(client.get(f"/mail/{path}"))
    assert entries() == [("attachment", "download"), ("attachment", "download"), ("original", "download")]


def test_what_is_forwarded_or_gone_on_with_unread_is_an_entry(message: Message, member: Membership) -> None:
    browser(member).get(f"/inbox/threads/{message.thread_id}/reply/?how=forward")
    assert entries() == [("body", "screen")]
    Message.objects.update(is_draft=True)
    log.forget_looks()
    browser(member).get(reverse("inbox:resume", args=[message.pk]))
    assert entries() == [("body", "screen")] * 2


def test_lists_are_no_entries(message: Message, member: Membership) -> None:
    for path in ("/inbox/", "/mail/", f"/search/?q={SECRET}"):
        browser(member).get(path)
    assert entries() == []


def test_the_log_shows_ids_and_nothing_of_the_mail(message: Message, member: Membership) -> None:
    client = browser(member)
    client.get(f"/inbox/threads/{message.thread_id}/")
    text = client.get(LOG).content.decode()
    assert member.user.email in text
    assert f"conversation {message.thread.conversation_id}" in text
    assert SECRET not in text
    assert SECRET not in str(Access.objects.values().get())


def test_a_member_sees_who_read_the_own_mailbox_and_nothing_else(message: Message, member: Membership) -> None:
    ben = add_member(member.workspace, User.objects.create_user("ben@northwind.example"), role=guest(member).name)
    browser(member).get(f"/inbox/threads/{message.thread_id}/")
    assert "Nothing has been read yet" in browser(ben).get(LOG).content.decode()
    Mailbox.objects.update(owner=ben)
    shown = browser(ben).get(LOG).content.decode()
    assert member.user.email in shown
    assert "Who read the mail of your mailboxes" in shown


def guest(member: Membership) -> Role:
    return Role.objects.create(workspace=member.workspace, name="Guest", permissions=[])


def test_another_workspace_s_log_does_not_exist(message: Message, member: Membership) -> None:
    from postroom.workspaces.commands import create_workspace

    browser(member).get(f"/inbox/threads/{message.thread_id}/")
    carol = add_member(create_workspace("Woodgrove"), User.objects.create_user("carol@w.example"), role="Admin")
    for path in (LOG, "/settings/access-log.csv"):
        assert member.user.email not in text_of(browser(carol).get(f"{path}?mailbox={message.mailbox_id}"))


def text_of(answer) -> str:
    return (b"".join(answer) if answer.streaming else answer.content).decode()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("q=adele", True),
        ("q=192.0.2", True),
        ("q=nobody", False),
        ("what=thread", True),
        ("what=dump", False),
        ("mailbox={mailbox}", True),
        ("mailbox=999999", False),
        ("member={member}", True),
        ("q={conversation}", True),
        ("since=2000-01-01", True),
        ("until=2000-01-01", False),
        ("since=nonsense&until=9999-12-31", True),
        ("before=99999999999999999999&mailbox=%00&q=%27", False),
    ],
)
def test_the_log_is_filtered(message: Message, member: Membership, asked: str, found: bool) -> None:
    client = browser(member)
    client.get(f"/inbox/threads/{message.thread_id}/")
    told = {"mailbox": message.mailbox_id, "member": member.pk, "conversation": message.thread.conversation_id}
    text = client.get(f"{LOG}?{asked.format(**told)}").content.decode()
    assert ("Firefox on Linux" in text) is found


def test_pages_follow_each_other_without_a_gap(message: Message, member: Membership) -> None:
    read = log.Read(workspace_id=member.workspace_id, mailbox_id=message.mailbox_id)
    for number in range(120):
        log.read(log.Reader(who=f"reader-{number}.", how="api"), "export", [read])
    client, seen, url = browser(member), [], LOG
    while url:
        answer = client.get(url)
        seen += [row["entry"].who for row in answer.context["rows"]]
        url = answer.context["more"]
    assert seen == [f"reader-{number}." for number in reversed(range(120))]


def test_the_export_has_every_entry_and_starts_no_formula(message: Message, member: Membership) -> None:
    read = log.Read(workspace_id=member.workspace_id, mailbox_id=message.mailbox_id, message_ids=[message.pk])
    log.read(log.Reader(who="x@y.example", how="screen", agent="=cmd()"), "thread", [read])
    answer = browser(member).get("/settings/access-log.csv")
    rows = list(csv.DictReader(io.StringIO(text_of(answer))))
    assert len(rows) == 1
    assert (rows[0]["who"], rows[0]["messages"], rows[0]["agent"]) == ("x@y.example", str(message.pk), "'=cmd()")
    assert rows[0]["mailbox"] == message.mailbox.address


def test_opening_a_thread_costs_one_statement_more(message: Message, member: Membership) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = browser(member)
    client.get(f"/inbox/threads/{message.thread_id}/")
    with CaptureQueriesContext(
        connection,
    ) as made:
        client.get(f"/inbox/threads/{message.thread_id}/")
    assert len([one for one in made.captured_queries if "audit_access" in one["sql"]]) == 1
