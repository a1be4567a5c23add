"""Assign, comment, snooze and notices through pages: what they do, whom they show it, what is refused."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from postroom.lib.clock import frozen, now
from postroom.mail.models import Composition, Thread
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Address
from postroom.timeline.models import Assignment, Comment, Notice, Snooze
from postroom.timeline.team import commands, notices, snoozes
from postroom.workspaces.models import Membership

SCRIPT = {"HX-Request": "true"}
Deliver = Callable[..., Thread]


@pytest.fixture
def ben(colleague: Client, member: Membership, mailbox: Mailbox) -> Membership:
    """The colleague, who now reads the mailbox."""
    ben = Membership.objects.get(user__email="ben@northwind.example")
    mailbox.visibility = Mailbox.Visibility.MEMBERS
    mailbox.save()
    mailbox.members.add(ben)
    return ben


def _events(answer: Any) -> dict[str, Any]:
    return dict(json.loads(answer.headers["HX-Trigger"]))


def _undo(page: Client, answer: Any) -> Any:
    return page.post(_events(answer)["toast"]["undo_url"], headers=SCRIPT)


def _html(page: Client, address: str, **headers: str) -> str:
    return page.get(address, headers=headers).content.decode()


def test_whom_it_is_assigned_to_stands_in_list_and_thread_and_undo_takes_it_back(
    page: Client, colleague: Client, ben: Membership, deliver: Deliver
) -> None:
    thread = deliver("Offer")
    assert "ben@" in _html(page, f"/inbox/threads/{thread.pk}/assign/")
    answer = page.post(f"/inbox/threads/{thread.pk}/assign/", {"to": ben.pk}, headers=SCRIPT)
    assert "For ben@northwind.example" in _html(page, "/inbox/")
    assert "For you" in _html(colleague, "/inbox/?work=mine")
    assert "Assigned to you" in _html(colleague, f"/inbox/threads/{thread.pk}/")
    _undo(page, answer)
    assert not Assignment.objects.exists()
    assert "Offer" not in _html(colleague, "/inbox/?work=mine")


def test_who_cannot_read_is_not_assigned_nor_mentioned_and_nothing_typed_is_lost(
    page: Client, colleague: Client, deliver: Deliver
) -> None:
    thread, ben = deliver("Offer"), Membership.objects.get(user__email="ben@northwind.example")
    answer = page.post(f"/inbox/threads/{thread.pk}/assign/", {"to": ben.pk}, headers=SCRIPT)
    assert "cannot read this mailbox" in _events(answer)["toast"]["text"]
    answer = page.post(f"/inbox/threads/{thread.pk}/comments/", {"text": "@ben price?"}, headers=SCRIPT)
    assert answer.status_code == 422
    assert "Share the mailbox" in answer.content.decode()
    assert "@ben price?" in answer.content.decode()
    assert not Assignment.objects.exists()
    assert not Comment.objects.exists()
    assert not Notice.objects.exists()


@pytest.mark.parametrize("what", ["assign", "snooze", "comments", "wake", "here"])
def test_for_a_colleague_without_the_mailbox_there_is_nothing(colleague: Client, deliver: Deliver, what: str) -> None:
    address = f"/inbox/threads/{deliver('Offer').pk}/{what}/"
    assert colleague.get(address).status_code in (404, 405)
    assert colleague.post(address, {"text": "Hi", "preset": "tomorrow"}).status_code == 404
    assert not Snooze.objects.exists()


def test_bulk_leaves_alone_what_one_may_not_read(page: Client, colleague: Client, deliver: Deliver) -> None:
    thread, ben = deliver("Offer"), Membership.objects.get(user__email="ben@northwind.example")
    colleague.post("/inbox/bulk/assign/", {"thread": [thread.pk], "to": ben.pk}, headers=SCRIPT)
    colleague.post("/inbox/bulk/snooze/", {"thread": [thread.pk], "preset": "tomorrow"}, headers=SCRIPT)
    assert not Assignment.objects.exists()
    assert not Snooze.objects.exists()
    answer = page.post("/inbox/bulk/snooze/", {"thread": [thread.pk], "preset": "tomorrow"}, headers=SCRIPT)
    assert "selection:clear" in _events(answer)
    _undo(page, answer)
    assert not Snooze.objects.exists()


def test_comments_stand_among_the_mail_and_only_their_author_changes_them(
    page: Client, colleague: Client, ben: Membership, deliver: Deliver
) -> None:
    thread = deliver("Offer")
    colleague.post(f"/inbox/threads/{thread.pk}/comments/", {"text": "@adele hold <b>it</b>?"}, headers=SCRIPT)
    comment = Comment.objects.get()
    html = _html(page, f"/inbox/threads/{thread.pk}/")
    assert 'class="mention mention-me">@adele</b>' in html
    assert "hold &lt;b&gt;it" in html
    own = f"/inbox/threads/{thread.pk}/comments/{comment.pk}/"
    assert page.post(own, {"text": "Mine"}).status_code == 404
    assert page.post(f"{own}delete/").status_code == 404
    colleague.post(own, {"text": "Hold it"}, headers=SCRIPT)
    assert "edited" in _html(page, f"/inbox/threads/{thread.pk}/")
    answer = colleague.post(f"{own}delete/", headers=SCRIPT)
    assert "Hold it" not in _html(page, f"/inbox/threads/{thread.pk}/")
    _undo(colleague, answer)
    assert "Hold it" in _html(page, f"/inbox/threads/{thread.pk}/")


def test_a_snoozed_thread_leaves_the_inbox_and_comes_back_on_top(page: Client, deliver: Deliver) -> None:
    thread = deliver("Old offer")
    deliver("New offer", minutes=60)
    answer = page.post(f"/inbox/threads/{thread.pk}/snooze/?place=inbox", {"preset": "tomorrow"}, headers=SCRIPT)
    assert _events(answer)["thread:gone"] == {"thread": thread.pk}
    assert "Old offer" not in _html(page, "/inbox/")
    assert "Old offer" not in _html(page, "/inbox/?filter=unread")
    assert "Snoozed until" in _html(page, "/inbox/?work=snoozed")
    with frozen(now() + timedelta(days=2)):
        html = _html(page, "/inbox/")
        assert html.index("Old offer") < html.index("New offer")
        assert "Snoozed until" in html
        assert "Old offer" not in _html(page, "/inbox/?work=snoozed")
        page.post(f"/inbox/threads/{thread.pk}/here/?opened=1")
        html = _html(page, "/inbox/")
        assert html.index("Old offer") < html.index("New offer")
        assert "Snoozed until" not in html


def test_what_woke_comes_once_over_all_pages(page: Client, deliver: Deliver) -> None:
    threads = [deliver(f"Mail {number}", minutes=number) for number in range(45)]
    for thread in threads[::9]:
        Snooze.objects.create(
            workspace=thread.mailbox.workspace, member=thread.mailbox.owner, conversation=thread.conversation,
            until=now() - timedelta(days=1),
        )  # fmt: skip
    first = _html(page, "/inbox/")
    more = re.search(r'hx-get="(/inbox/\?after=[^"]+)"', first)
    assert more
    second = _html(page, more[1], **{"HX-Request": "true", "HX-Target": "pager"})
    shown = re.findall(r'id="thread-(\d+)"', first + second)
    assert sorted(map(int, shown)) == sorted(one.pk for one in threads)
    assert {int(one) for one in shown[:5]} == {one.pk for one in threads[::9]}


@pytest.mark.parametrize("until", ["", "soon", "2001-01-01T10:00", "9999-12-31T23:59"])
def test_a_moment_that_is_none_is_refused(page: Client, deliver: Deliver, until: str) -> None:
    answer = page.post(f"/inbox/threads/{deliver('Offer').pk}/snooze/", {"until": until}, headers=SCRIPT)
    assert "still to come" in _events(answer)["toast"]["text"]
    assert not Snooze.objects.exists()


def test_chips_combine_and_count(page: Client, member: Membership, deliver: Deliver) -> None:
    read, unread = deliver("Read offer"), deliver("Unread offer", minutes=1)
    commands.assign([read.conversation_id, unread.conversation_id], member, by=member)
    page.post(f"/inbox/threads/{read.pk}/here/?opened=1")
    html = _html(page, "/inbox/?work=mine")
    assert 'href="/inbox/?filter=unread&amp;work=mine"' in html
    assert re.search(r"Assigned</span> <span class=\"chip-count\">2<", html)
    html = _html(page, "/inbox/?filter=unread&work=mine")
    assert "Unread offer" in html
    assert "Read offer" not in html.replace("Unread offer", "")
    page.post(f"/inbox/threads/{read.pk}/archive/", headers=SCRIPT)
    assert "Read offer" not in _html(page, "/inbox/?work=mine").replace("Unread offer", "")


def test_a_comment_not_seen_holds_an_answer_back_once(
    page: Client, colleague: Client, ben: Membership, deliver: Deliver
) -> None:
    thread = deliver("Offer", from_="ines@contoso.example")
    page.get(f"/inbox/threads/{thread.pk}/reply/")
    draft = Composition.objects.get()
    colleague.post(f"/inbox/threads/{thread.pk}/comments/", {"text": "Wait for legal"}, headers=SCRIPT)
    typed = {"to": "ines@contoso.example", "text": "Yes.", "seen": draft.answers_id, "commented": 0}
    answer = page.post(f"/compose/{draft.pk}/send/", typed, headers=SCRIPT)
    assert answer.status_code == 422
    assert "commented on this thread while you were writing" in answer.content.decode()
    hidden = re.search(r'name="commented" value="(\d+)"', answer.content.decode())
    assert hidden
    page.post(f"/compose/{draft.pk}/send/", {**typed, "commented": hidden[1]}, headers=SCRIPT)
    draft.refresh_from_db()
    assert draft.state != Composition.State.DRAFT


def test_who_is_here_is_said_to_those_who_may_read(
    page: Client, colleague: Client, ben: Membership, deliver: Deliver
) -> None:
    thread = deliver("Offer")
    colleague.post(f"/inbox/threads/{thread.pk}/here/", headers=SCRIPT)
    assert "ben@northwind.example is looking at this" in page.post(f"/inbox/threads/{thread.pk}/here/").content.decode()
    colleague.get(f"/inbox/threads/{thread.pk}/reply/")
    assert "is replying" in page.post(f"/inbox/threads/{thread.pk}/here/").content.decode()


def test_notices_are_listed_read_by_opening_and_turned_off(
    page: Client, colleague: Client, ben: Membership, member: Membership, deliver: Deliver
) -> None:
    assert "Nothing to tell you" in _html(colleague, "/inbox/told/")
    thread = deliver("Offer")
    page.post(f"/inbox/threads/{thread.pk}/comments/", {"text": "@ben look"}, headers=SCRIPT)
    html = _html(colleague, "/inbox/told/")
    assert "mentioned you" in html
    assert re.search(r"Mentions</span> <span class=\"chip-count\">1<", _html(colleague, "/inbox/"))
    assert "mentioned you" in _html(colleague, "/inbox/?work=mentions")
    notice = Notice.objects.get()
    assert page.get(f"/inbox/told/{notice.pk}/").status_code == 404
    assert (
        colleague.get(f"/inbox/told/{notice.pk}/")
        .headers["Location"]
        .startswith(f"/inbox/threads/{thread.pk}/#comment-")
    )
    assert "Mark all as read" not in _html(colleague, "/inbox/told/")
    notices.wish(ben, ["assigned"])
    page.post(f"/inbox/threads/{thread.pk}/comments/", {"text": "@ben again"}, headers=SCRIPT)
    assert Notice.objects.count() == 1


def test_the_list_of_notices_costs_the_same_however_many(
    page: Client, ben: Membership, member: Membership, deliver: Deliver, django_assert_max_num_queries: Any
) -> None:
    conversation = deliver("Offer").conversation_id
    for number in range(30):
        commands.write(conversation, f"@adele {number}", by=ben)
    page.get("/inbox/")  # the mailbox was looked into just now
    for address, most in (("/inbox/told/", 11), ("/inbox/?work=mentions", 14), ("/inbox/?work=mine", 13)):
        with django_assert_max_num_queries(most):
            assert page.get(address).status_code == 200


def test_snooze_until_somebody_is_back_or_writes(page: Client, deliver: Callable[..., Thread]) -> None:
    back = now().date() + timedelta(days=9)
    text = f"<p>I am away until {back - timedelta(days=1):%Y-%m-%d}.</p>"
    sender = Address("ines@contoso.example", "Ines Ribeiro")
    thread = deliver("Automatic reply: Offer", html=text, from_=sender, received=now())
    address = f"/inbox/threads/{thread.pk}/snooze/"
    menu = page.get(address).content.decode()
    assert "Ines is back" in menu and "Ines writes again" in menu
    page.post(address, {"preset": "back"}, headers=SCRIPT)
    assert timezone.localtime(Snooze.objects.get().until).date() == back
    page.post(address, {"preset": "writes"}, headers=SCRIPT)
    assert Snooze.objects.get().writes == "ines@contoso.example"
    assert "Until ines@contoso.example writes" in page.get(f"/inbox/threads/{thread.pk}/").content.decode()


def test_what_sleeps_is_not_counted_as_unread(page: Client, deliver: Callable[..., Thread], member: Membership) -> None:
    thread = deliver("Offer")
    deliver("Other", minutes=1)
    snoozes.snooze([thread.conversation_id], member, until=now() + timedelta(days=1))
    html = page.get("/inbox/rail/").content.decode()
    assert re.search(r'id="inbox-unread"[^>]*>1<', html)
