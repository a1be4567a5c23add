"""Home: what it finds for a member, what it leaves out, and what it costs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.accounts.models import User
from postroom.home import today
from postroom.home.conversations import UNANSWERED_AFTER
from postroom.home.models import Desk
from postroom.inbox.accounts import accounts_of
from postroom.inbox.tests.conftest import box, connect, mailbox, member, page, settle
from postroom.lib.clock import now
from postroom.mail.models import Composition, Message, Thread
from postroom.mailboxes.models import Failure, Mailbox
from postroom.providers.contract import Address
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.records.candidates import commands as candidates
from postroom.records.deals import commands as deals
from postroom.records.models import Deal, Interview, Ticket
from postroom.records.people import commands as people
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.sync import push
from postroom.timeline.models import Notice
from postroom.timeline.team import commands as team
from postroom.timeline.team import snoozes
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership

__all__ = ["box", "connect", "mailbox", "member", "page", "settle"]

MOST_QUERIES = 12
Arrives = Callable[..., Thread]


@pytest.fixture
def arrives(box: Box, mailbox: Mailbox, settle: Callable[[Mailbox], int]) -> Arrives:
    """A mail arrived so long ``ago``; its thread."""

    def delivered(subject: str, *, ago: timedelta = timedelta(hours=1), **fields: Any) -> Thread:
        fields.setdefault("from_", Address("ines@contoso.example", "Ines Ribeiro"))
        box.deliver(subject=subject, received=now() - ago, **fields)
        for body in box.notifications():
            push.take(connector("memory").notified(body))
        settle(mailbox)
        return Message.objects.filter(subject=subject).order_by("-pk")[0].thread

    return delivered


@pytest.fixture
def ben(member: Membership, mailbox: Mailbox) -> Membership:
    """Works in the mailbox, too."""
    user = User.objects.create_user(email="ben@northwind.example", password="long-enough-word", name="Ben Okafor")
    ben = Membership.objects.create(workspace=member.workspace, user=user, role=member.role)
    Mailbox.objects.update(visibility=Mailbox.Visibility.MEMBERS)
    mailbox.members.add(ben)
    return ben


def found(member: Membership) -> dict[str, list[str]]:
    """The titles of every section that has something."""
    told = today.today(member, accounts_of(member))
    return {one.key: [line.title for line in one.lines] for one in told.sections}


def test_with_nothing_to_do_home_says_so_and_what_to_begin_with(page: Client) -> None:
    html = page.get("/home/").content.decode()
    assert "Connect your mailbox" in html
    assert "First steps" in html


def test_who_is_known_and_waits_for_a_day_needs_an_answer(member: Membership, arrives: Arrives) -> None:
    people.create(member.workspace, by=member, last_name="Ribeiro", addresses=["ines@contoso.example"])
    late = UNANSWERED_AFTER + timedelta(hours=1)
    arrives("Renewal terms", ago=late)
    arrives("Today's question", ago=timedelta(hours=2))
    arrives("A stranger's offer", ago=late, from_=Address("sam@elsewhere.example", "Sam"))
    assert found(member) == {"answer": ["Renewal terms"]}


def test_what_we_answered_waits_for_them(
    member: Membership, arrives: Arrives, box: Box, mailbox: Mailbox, settle: Callable[[Mailbox], int]
) -> None:
    people.create(member.workspace, by=member, last_name="Ribeiro", addresses=["ines@contoso.example"])
    thread = arrives("Renewal terms", ago=timedelta(days=3))
    team.assign([thread.conversation_id], member, by=member)
    assert found(member) == {"answer": ["Renewal terms"]}
    first = Message.objects.get()
    box.deliver(
        subject="Re: Renewal terms", from_=Address("adele@northwind.example", "Adele"), folder="sent",
        in_reply_to=first.internet_message_id, received=now() - timedelta(days=2),
    )  # fmt: skip
    for body in box.notifications():
        push.take(connector("memory").notified(body))
    settle(mailbox)
    assert Thread.objects.get().count == 2
    assert found(member) == {}


def test_assigned_and_mentioned_come_at_once_and_once(member: Membership, ben: Membership, arrives: Arrives) -> None:
    given, said = arrives("Renewal terms"), arrives("Label printer")
    team.assign([given.conversation_id], ben, by=member)
    team.write(said.conversation_id, "@Ben Okafor can you look?", by=member)
    team.write(given.conversation_id, "@Ben Okafor please", by=member)
    told = today.today(ben, accounts_of(ben))
    [section] = told.sections
    assert sorted((line.title, line.tags[0].label) for line in section.lines) == [
        ("Label printer", "Mentioned you"),
        ("Renewal terms", "Mentioned you"),
    ]
    Notice.objects.update(read_at=now())
    assert found(ben) == {"answer": ["Renewal terms"]}
    assert found(member) == {}


def test_a_snooze_comes_back_today_and_hides_until_then(member: Membership, arrives: Arrives) -> None:
    thread = arrives("Renewal terms")
    team.assign([thread.conversation_id], member, by=member)
    snoozes.snooze([thread.conversation_id], member, until=now() + timedelta(minutes=1))
    assert found(member) == {"back": ["Renewal terms"]}
    snoozes.snooze([thread.conversation_id], member, until=now() + timedelta(days=3))
    assert found(member) == {}


def test_a_mailbox_that_needs_a_sign_in_and_mail_that_could_not_go_are_stuck(
    member: Membership, mailbox: Mailbox
) -> None:
    Mailbox.objects.update(failure=Failure.REAUTH)
    for state in ("failed", "held", "draft"):
        Composition.objects.create(
            mailbox=mailbox, author=member, state=state, subject=state, marker=state, internet_message_id=state
        )
    assert found(member) == {"waiting": ["adele@northwind.example does not sync", "failed", "held"]}


def test_tickets_at_their_target_are_theirs_who_have_them_or_nobodys(member: Membership, ben: Membership) -> None:
    for name, owner in (("Mine", member), ("Nobody's", None), ("Ben's", ben), ("Far off", member)):
        ticket = tickets.create(member.workspace, by=member, name=name, owner=owner)
        due = now() + (timedelta(days=9) if name == "Far off" else timedelta(minutes=30))
        Ticket.objects.filter(pk=ticket.pk).update(reply_due=due, solve_due=due + timedelta(days=1))
    assert found(member) == {"tickets": ["Mine", "Nobody's"]}
    Ticket.objects.filter(name="Mine").update(paused_at=now())
    assert found(member) == {"tickets": ["Nobody's"]}


def test_tasks_due_by_today_are_ticked_off_in_place(page: Client, member: Membership) -> None:
    day = today.day_of().today
    for days in (-2, 0, 1):
        tasks.create(member.workspace, by=member, title=f"Call {days}", due=day + timedelta(days=days))
    assert found(member) == {"tasks": ["Call -2", "Call 0"]}
    html = page.get("/home/", headers={"HX-Request": "true", "HX-Target": "home"}).content.decode()
    assert "<html" not in html and "2 days ago" in html
    tick = html.partition('hx-post="')[2].partition('"')[0]
    answer = page.post(tick, headers={"HX-Request": "true"})
    assert "tasks:changed" in answer.headers["HX-Trigger"]
    assert found(member) == {"tasks": ["Call 0"]}


def test_deals_that_close_or_went_quiet_are_their_owners(member: Membership, ben: Membership) -> None:
    day = today.day_of().today
    for name, days in (("Closing", 2), ("Overdue", -1), ("Quiet", 90), ("Fine", 90)):
        deals.create(member.workspace, by=member, name=name, close_date=day + timedelta(days=days))
    Deal.objects.filter(name="Quiet").update(updated_at=now() - timedelta(days=30))
    assert found(member) == {"deals": ["Overdue", "Closing", "Quiet"]}
    assert found(ben) == {}


def test_recruiting_sees_interviews_and_whom_to_judge(member: Membership, ben: Membership) -> None:
    day = today.day_of()
    candidate = candidates.create(member.workspace, by=member, name="Priya Kaur")
    candidates.move(candidate, to="interview", by=member)
    candidates.arrange(candidate, by=member, at=day.ends - timedelta(minutes=1), kind="video", interviewers=[member])
    assert found(member) == {"agenda": ["Interview: Priya Kaur"]}
    Interview.objects.update(at=day.begins - timedelta(hours=3))
    assert found(member) == {"candidates": ["What do you think of Priya Kaur?"]}
    given = dict.fromkeys(candidates.CRITERIA, 4)
    candidates.judge(candidate, by=member, verdict="yes", marks=given, text="")
    assert found(member) == {}
    assert found(ben) == {}


def test_neither_a_colleague_nor_another_workspace_sees_any_of_it(member: Membership, arrives: Arrives) -> None:
    thread = arrives("Renewal terms", ago=timedelta(days=2))
    people.create(member.workspace, by=member, last_name="Ribeiro", addresses=["ines@contoso.example"])
    team.assign([thread.conversation_id], member, by=member)
    tasks.create(member.workspace, by=member, title="Call", due=today.day_of().today)
    user = User.objects.create_user(email="gus@northwind.example", password="long-enough-word")
    gus = Membership.objects.create(workspace=member.workspace, user=user, role=member.role)
    carol = add_member(
        create_workspace("Woodgrove"), User.objects.create_user(email="carol@woodgrove.example"), role="Admin"
    )
    assert found(gus) == {} and found(carol) == {}
    assert set(found(member)) == {"answer", "tasks"}


def test_a_reader_who_lost_the_mailbox_no_longer_sees_what_was_said_to_them(
    member: Membership, ben: Membership, arrives: Arrives, mailbox: Mailbox
) -> None:
    thread = arrives("Renewal terms")
    team.write(thread.conversation_id, "@Ben Okafor can you look?", by=member)
    team.assign([thread.conversation_id], ben, by=member)
    mailbox.members.clear()
    assert found(ben) == {}


def test_home_costs_the_same_however_much_there_is(page: Client, member: Membership, arrives: Arrives) -> None:
    def lives(round: int) -> None:
        day = today.day_of()
        for one in range(round):
            thread = arrives(f"Question {round} {one}")
            team.assign([thread.conversation_id], member, by=member)
            tasks.create(member.workspace, by=member, title=f"Call {one}", due=day.today)
            deal = deals.create(member.workspace, by=member, name=f"Deal {one}", close_date=day.today)
            ticket = tickets.create(member.workspace, by=member, name=f"Ticket {one}", owner=member)
            Ticket.objects.filter(pk=ticket.pk).update(reply_due=day.now)
            candidate = candidates.create(member.workspace, by=member, name=f"Candidate {one}")
            candidates.arrange(candidate, by=member, at=day.now, kind="call", interviewers=[member])
            assert deal.pk

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert page.get("/home/").status_code == 200
        return len(asked)

    page.get("/home/")
    empty = cost()
    lives(1)
    some = cost()
    lives(2)
    assert cost() == some
    assert empty <= some <= MOST_QUERIES


# --- first steps -------------------------------------------------------------------------------------------------


def test_first_steps_tick_themselves_off(page: Client, member: Membership, arrives: Arrives) -> None:
    thread = arrives("Renewal terms")
    before = today.today(member, accounts_of(member)).steps
    assert [one.key for one in before.steps if one.done] == ["connect"]
    assert before.next == "read" and before.shown
    page.get(f"/inbox/threads/{thread.pk}/")
    person = people.create(member.workspace, by=member, last_name="Ribeiro", addresses=["paul@contoso.example"])
    page.post(f"/conversations/{thread.conversation_id}/links/contact/{person.pk}/")
    page.post("/home/steps/palette/")
    Composition.objects.create(
        mailbox=thread.mailbox, author=member, how="reply", state="sent", marker="x", internet_message_id="x"
    )
    after = today.today(member, accounts_of(member)).steps
    assert after.is_over and not after.shown


def test_first_steps_are_put_away_and_come_back(page: Client, member: Membership) -> None:
    assert "First steps" in _main(page)
    page.post("/home/steps/close/")
    assert "First steps" not in _main(page)
    page.post("/home/steps/open/")
    assert "First steps" in _main(page)
    assert Desk.objects.get().member == member


def test_who_has_been_here_for_long_is_not_taught(page: Client, member: Membership) -> None:
    Membership.objects.update(created_at=now() - timedelta(days=60))
    assert "First steps" not in _main(page)


def _main(page: Client) -> str:
    """The inside of Home: the menu under the name speaks of the first steps always."""
    return page.get("/home/", headers={"HX-Request": "true", "HX-Target": "home"}).content.decode()
