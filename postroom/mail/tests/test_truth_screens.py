"""Screens of what is complete, set aside, stopped and missing: who sees what, and that the buttons do it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from msgspec import structs

from postroom.accounts.models import User
from postroom.audit.models import Access
from postroom.lib.clock import now
from postroom.mail import folder_sync, store
from postroom.mail.checks import FolderCheck
from postroom.mail.models import Folder, Message
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.sync import mailbox_hooks
from postroom.sync.models import Quarantined
from postroom.workspaces.commands import add_member
from postroom.workspaces.models import Membership

Settle = Callable[..., int]
pytestmark = pytest.mark.django_db


@pytest.fixture
def synced(mailbox: Mailbox, box: Box, settle: Settle) -> Mailbox:
    folder = box.folder("Layoffs 2027")
    for number in range(12):
        box.deliver(subject=f"Secret {number}", folder=folder if number % 2 else "inbox")
    settle(mailbox)
    box.notifications()
    return mailbox


@pytest.fixture
def mine(client: Client, member: Membership) -> Client:
    client.force_login(member.user)
    return client


@pytest.fixture
def admin(member: Membership) -> Client:
    """Looks after the mailbox and may not read it."""
    other = add_member(member.workspace, User.objects.create_user("mara@northwind.example", "Mara"), role="Admin")
    client = Client()
    client.force_login(other.user)
    return client


def page(client: Client, name: str, *args: object, status: int = 200, **query: str) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == status
    return str(answer.content.decode())


def test_the_folders_show_counts_of_both_sides(synced: Mailbox, mine: Client, settle: Settle) -> None:
    mine.post(reverse("mail:check", args=[synced.pk]))
    assert "Comparing with the provider" in page(mine, "mail:complete", synced.pk)
    settle(synced)
    said = page(mine, "mail:complete", synced.pk)
    assert "Layoffs 2027" in said
    assert "100 %" in said
    assert "Everything is here" in said
    assert "100 %" in page(mine, "mailboxes:list")


def test_an_admin_who_does_not_read_it_sees_figures_and_no_names(synced: Mailbox, admin: Client) -> None:
    said = page(admin, "mail:complete", synced.pk)
    assert "Layoffs" not in said
    assert "Its folders are its owner" in said
    assert (
        admin.post(reverse("mail:switch", args=[synced.pk, Folder.objects.get(name="Layoffs 2027").pk])).status_code
        == 404
    )


def test_a_switch_stops_and_starts_a_folder(synced: Mailbox, mine: Client) -> None:
    folder = Folder.objects.get(name="Layoffs 2027")
    url = reverse("mail:switch", args=[synced.pk, folder.pk])
    mine.post(url, {"synced": "0"})
    folder.refresh_from_db()
    assert not folder.synced
    assert "Switched off" in page(mine, "mail:complete", synced.pk)
    mine.post(url, {"synced": "1"})
    folder.refresh_from_db()
    assert folder.synced
    mine.post(reverse("mail:switch", args=[synced.pk, Folder.objects.get(role="inbox").pk]), {"synced": "0"})
    assert Folder.objects.get(role="inbox").synced


# --- set aside ----------------------------------------------------------------------------------------------------


@pytest.fixture
def spoiled(synced: Mailbox, box: Box, settle: Settle) -> str:
    remote_id = box.deliver(subject="Odd one", html="<p>odd</p>")
    box.spoil(remote_id, "cannot be decoded: line 3")
    mailbox_hooks.sync_now(synced)
    settle(synced)
    return remote_id


def test_what_is_set_aside_is_listed_with_its_reason_and_original(
    synced: Mailbox, spoiled: str, mine: Client, admin: Client
) -> None:
    item = Quarantined.objects.get()
    assert "cannot be decoded: line 3" in page(mine, "mail:aside", synced.pk)
    assert reverse("mail:aside", args=[synced.pk]) in page(mine, "mailboxes:list")
    answer = mine.get(reverse("mail:aside-original", args=[synced.pk, item.pk]))
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"odd" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    page(admin, "mail:aside-original", synced.pk, item.pk, status=404)
    assert [(one.what, one.how, one.of_mailbox) for one in Access.objects.all()] == [
        ("original", "download", synced.pk)
    ]


def test_try_again_takes_over_what_can_be_read_now(
    synced: Mailbox, spoiled: str, mine: Client, box: Box, settle: Settle
) -> None:
    since = Quarantined.objects.get().at
    mine.post(reverse("mail:aside-again", args=[synced.pk]), {"item": Quarantined.objects.get().pk})
    settle(synced)
    assert Quarantined.objects.get().at == since, "still unreadable: since when does not change"
    del box.spoiled[spoiled]
    mine.post(reverse("mail:aside-again", args=[synced.pk]))
    settle(synced)
    assert not Quarantined.objects.exists()
    assert Message.objects.get(remote_id=spoiled).body_state == "stored"


def test_the_subject_of_what_is_set_aside_is_for_readers(
    synced: Mailbox, box: Box, mine: Client, admin: Client
) -> None:
    Quarantined.objects.create(
        mailbox=synced,
        resource="mail",
        remote_id=Message.objects.order_by("pk")[0].remote_id,
        reason="odd",
        version="1",
    )
    assert "Secret" in page(mine, "mail:aside", synced.pk)
    assert "Secret" not in page(admin, "mail:aside", synced.pk)


# --- the brake ----------------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(synced: Mailbox, box: Box, settle: Settle) -> Mailbox:
    folder = Folder.objects.get(name="Layoffs 2027").remote_id
    for number in range(150):
        box.deliver(subject=f"Paper {number}", folder=folder)
    mailbox_hooks.sync_now(synced)
    settle(synced)
    for one in box.within(folder):
        box.delete(one.id)
    mailbox_hooks.sync_now(synced)
    settle(synced)
    synced.refresh_from_db()
    return synced


def test_the_brake_says_what_would_happen_and_to_whom(stopped: Mailbox, mine: Client, admin: Client) -> None:
    assert reverse("mail:brake", args=[stopped.pk]) in page(mine, "mailboxes:list")
    said = page(mine, "mail:brake", stopped.pk)
    assert "156 of 156" in said
    assert "Layoffs 2027" in said
    assert "Paper" in said
    told = page(admin, "mail:brake", stopped.pk)
    assert "156 of 156" in told
    assert "Layoffs" not in told + page(admin, "mailboxes:list")
    assert "Paper" not in told


@pytest.mark.parametrize(("decision", "left"), [("go_on", 6), ("keep", 162)])
def test_each_answer_does_what_it_says(
    stopped: Mailbox, mine: Client, settle: Settle, decision: str, left: int
) -> None:
    mine.post(reverse("mail:decide", args=[stopped.pk]), {"decision": decision})
    settle(stopped)
    stopped.refresh_from_db()
    assert stopped.failure == ""
    assert Message.objects.count() == left
    assert "Nothing waits for a decision" in page(mine, "mail:brake", stopped.pk)
    assert mine.post(reverse("mail:decide", args=[stopped.pk]), {"decision": "other"}).status_code == 404


# --- why is this mail not here? -----------------------------------------------------------------------------------


def why(client: Client, words: str, **query: Any) -> str:
    return page(client, "mail:why", q=words, **query)


def test_a_mail_that_is_here_says_so_step_by_step(synced: Mailbox, mine: Client, box: Box) -> None:
    said = why(mine, "Secret 0")
    assert "It is here." in said
    assert "In Inbox." in said
    assert "Open it" in said
    assert "It is here." in why(mine, box.messages[Message.objects.all()[0].remote_id].internet_message_id or "")


def test_what_the_provider_has_not_is_said_after_asking_it(synced: Mailbox, mine: Client, box: Box) -> None:
    box.calls.clear()
    assert "was never delivered" in why(mine, "<nobody@x.example>")
    assert "find" in box.calls


def test_what_is_older_than_the_history_can_be_fetched_alone(
    connect: Callable[..., Mailbox], box: Box, settle: Settle, mine: Client
) -> None:
    from datetime import timedelta

    for days in range(140):
        box.deliver(subject=f"Day {days} end", received=now() - timedelta(days=days))
    mailbox = connect("30d")
    settle(mailbox)
    said = why(mine, "Day 130 end")
    assert "older than the history that was chosen for this mailbox (30 days)" in said
    assert "Pull more history" in said
    token = said.split('name="token" value="')[1].split('"')[0]
    mine.post(reverse("mail:fetch"), {"token": token, "q": "Day 130 end"})
    settle(mailbox)
    assert Message.objects.get(subject="Day 130 end").body_state == "stored"
    assert "It is here." in why(mine, "Day 130 end")


def test_a_new_mail_nobody_told_us_of_can_be_fetched(synced: Mailbox, mine: Client, box: Box, settle: Settle) -> None:
    box.deliver(subject="Quite new")
    said = why(mine, "quite new")
    assert "it came later" in said
    token = said.split('name="token" value="')[1].split('"')[0]
    mine.post(reverse("mail:fetch"), {"token": token})
    settle(synced)
    assert Message.objects.filter(subject="Quite new").exists()


def test_a_mail_that_was_lost_here_says_that_it_should_not_be(
    synced: Mailbox, mine: Client, box: Box, settle: Settle
) -> None:
    from datetime import timedelta

    remote_id = Message.objects.get(subject="Secret 2").remote_id
    store.remove(synced, [remote_id])
    box.messages[remote_id] = structs.replace(box.messages[remote_id], received=now() - timedelta(hours=1))
    assert "and yet it is not here" in why(mine, "Secret 2")


def test_each_reason_is_named(synced: Mailbox, mine: Client, box: Box, spoiled: str) -> None:
    assert "could not be read: cannot be decoded: line 3" in why(mine, "Odd one")
    folder_sync.switch(Folder.objects.get(name="Layoffs 2027"), on=False)
    assert "Layoffs 2027 is switched off" in why(mine, "Secret 1")
    box.move(next(one.id for one in box.within("inbox") if one.subject == "Secret 0"), "junk")
    Message.objects.filter(subject="Secret 0").update(folder=Folder.objects.get(role="junk"))
    assert "in Junk: not in the Inbox" in why(mine, "Secret 0")
    Mailbox.objects.update(state="paused")
    assert "is paused" in why(mine, "Secret 0")


def test_gone_at_the_provider_but_still_here_is_told(synced: Mailbox, mine: Client, box: Box) -> None:
    del box.messages[Message.objects.get(subject="Secret 2").remote_id]
    assert "does not have it any more" in why(mine, "Secret 2")


def test_asking_for_many_mails_costs_no_more_than_asking_for_one(
    synced: Mailbox, mine: Client, box: Box, settle: Settle, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    inner = box.folder("Inner", box.folder("Outer"))
    for number in range(3):
        box.deliver(subject=f"Only Secret {number}", folder=inner)
    mailbox_hooks.sync_now(synced)
    settle(synced)
    box.deliver(subject="Secret news")
    with django_assert_max_num_queries(12):
        said = why(mine, "Secret")
    assert said.count("It is here.") == 9 and said.count("came later") == 2  # above, and in its step
    assert "In Outer/Inner." in said
    with django_assert_max_num_queries(12):
        assert why(mine, "Only Secret 1").count("It is here.") == 1


def test_of_a_colleagues_private_mailbox_nothing_is_said(synced: Mailbox, admin: Client, box: Box) -> None:
    box.calls.clear()
    for query in ({}, {"mailbox": str(synced.pk)}):
        said = why(admin, "Secret 0", **query)
        assert "Layoffs" not in said
        assert synced.address not in said
    assert not box.calls, "nobody was asked"
    assert FolderCheck.objects.count() >= 0


def test_a_token_of_somebody_elses_page_fetches_nothing(synced: Mailbox, mine: Client, admin: Client) -> None:
    said = why(mine, "Secret 0")
    from postroom.mail.trace import _SALT, signing

    token = signing.dumps([synced.pk, "m1"], salt=_SALT)
    assert admin.post(reverse("mail:fetch"), {"token": token}).status_code == 404
    assert admin.post(reverse("mail:fetch"), {"token": "nonsense"}).status_code == 404
    assert "It is here." in said
