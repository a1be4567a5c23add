"""What a browser is told: what is new since it asked last, of what this member may read, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from postroom.accounts.models import User
from postroom.home.models import Desk
from postroom.home.tests.test_today import arrives, ben
from postroom.inbox.tests.conftest import box, connect, mailbox, member, page, settle
from postroom.lib.clock import now
from postroom.mail.models import Composition, Thread
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Address
from postroom.sync.models import OutboxEntry
from postroom.timeline.team import commands as team
from postroom.workspaces.models import Membership

__all__ = ["arrives", "ben", "box", "connect", "mailbox", "member", "page", "settle"]

JUST_NOW = timedelta(seconds=5)


def browser(who: Membership) -> Client:
    client = Client()
    client.force_login(who.user)
    return client


def asked(client: Client, mark: str = "") -> tuple[list[dict[str, str]], str]:
    told: dict[str, Any] = client.get("/home/news/", {"after": mark}).json()
    return told["news"], told["mark"]


def titles(client: Client, mark: str) -> list[str]:
    return [one["title"] for one in asked(client, mark)[0]]


def test_a_browser_begins_with_what_comes_from_now_on(page: Client, arrives: Callable[..., Thread]) -> None:
    arrives("Old", ago=JUST_NOW)
    news, mark = asked(page)
    assert news == []
    thread = arrives("Renewal terms", ago=JUST_NOW)
    news, later = asked(page, mark)
    assert [(one["title"], one["body"], one["url"]) for one in news] == [
        ("Ines Ribeiro", "Renewal terms", f"/inbox/threads/{thread.pk}/")
    ]
    assert asked(page, later)[0] == []


def test_history_newsletters_and_own_mail_are_no_news(page: Client, arrives: Callable[..., Thread]) -> None:
    _, mark = asked(page)
    arrives("Pulled from long ago", ago=timedelta(hours=2))
    arrives("From myself", ago=JUST_NOW, from_=Address("adele@northwind.example", "Adele"))
    arrives("Weekly news", ago=JUST_NOW, headers={"list-unsubscribe": "<https://x.example>"})
    assert titles(page, mark) == []


def test_what_a_colleague_says_is_told_to_whom_it_is_said(
    page: Client, member: Membership, ben: Membership, arrives: Callable[..., Thread]
) -> None:
    thread, his = arrives("Renewal terms"), browser(ben)
    (_, mine), (_, mark) = asked(page), asked(his)
    team.write(thread.conversation_id, "@Ben Okafor can you look?", by=member)
    team.assign([thread.conversation_id], ben, by=member)
    news, _ = asked(his, mark)
    assert [one["title"].split(" ", 1)[1] for one in news] == [
        "mentioned you in Renewal terms",
        "assigned you Renewal terms",
    ]
    assert news[0]["body"] == "@Ben Okafor can you look?"
    assert titles(page, mine) == []
    Desk.objects.create(member=ben, workspace=ben.workspace, browser_off=["mention"])
    assert len(titles(his, mark)) == 1


def test_mail_of_a_private_mailbox_reaches_nobody_else(
    member: Membership, ben: Membership, arrives: Callable[..., Thread], mailbox: Mailbox
) -> None:
    gus = Membership.objects.create(
        workspace=member.workspace, role=member.role, user=User.objects.create_user(email="gus@northwind.example")
    )
    marks = {who: asked(browser(who))[1] for who in (ben, gus)}
    thread = arrives("Renewal terms", ago=JUST_NOW)
    team.write(thread.conversation_id, "@Ben Okafor can you look?", by=member)
    assert len(titles(browser(ben), marks[ben])) == 2
    assert titles(browser(gus), marks[gus]) == []
    mailbox.members.clear()
    assert titles(browser(ben), marks[ben]) == []
    Mailbox.objects.update(visibility=Mailbox.Visibility.WORKSPACE)
    assert len(titles(browser(ben), marks[ben])) == 1, "what is said to them, not all mail of a colleague"


def test_a_message_that_could_not_be_sent_is_told_its_author(
    page: Client, member: Membership, ben: Membership, mailbox: Mailbox
) -> None:
    his = browser(ben)
    marks = asked(page)[1], asked(his)[1]
    one = Composition.objects.create(
        mailbox=mailbox, author=member, state="failed", subject="Terms", marker="x", internet_message_id="x"
    )
    OutboxEntry.objects.create(
        mailbox=mailbox, kind="send", subject_key=f"draft:{one.pk}", state="failed", member_id=member.pk,
        done_at=now() + JUST_NOW, due_at=now(),
    )  # fmt: skip
    assert asked(page, marks[0])[0][0]["body"] == "Terms"
    assert titles(his, marks[1]) == []


@pytest.mark.parametrize("mark", ["x", "1-2", "1-2-3-4", "-1-2-3", "1-2-" + "9" * 40, "²-1-1"])
def test_a_mark_that_is_none_begins_anew(page: Client, mark: str) -> None:
    assert asked(page, mark)[0] == []
