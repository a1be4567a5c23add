"""The connection test: every step as it happens, the exact step that failed, and nothing left behind (CN15)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from postroom.lib import clock
from postroom.mail.models import Composition, Message
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes import connection_test, hooks
from postroom.mailboxes.hooks import Seen
from postroom.mailboxes.models import ConnectionTest, Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.records.models import Person
from postroom.sync import notified
from postroom.workspaces.models import Membership

__all__ = ["box", "connect", "mailbox", "member", "settle"]
Settle = Callable[..., int]
pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(mailbox: Mailbox, settle: Settle) -> Mailbox:
    settle(mailbox)
    mailbox.refresh_from_db()
    return mailbox


def states(mailbox: Mailbox) -> dict[str, str]:
    test = connection_test.look(mailbox)
    assert test is not None
    return {line.step.name: line.state for line in connection_test.lines(test)}


def posted(box: Box) -> None:
    """Hand over what the provider posted, as the web process would."""
    for body in box.subscriptions.fetch():
        notified.take(connector("memory").notified(body))


def run(mailbox: Mailbox, member: Membership, box: Box, settle: Settle, *, pushed: bool = True) -> None:
    """Send, deliver, tell."""
    connection_test.begin(mailbox, member)
    settle(mailbox)
    if pushed:
        posted(box)
        settle(mailbox)


def test_every_step_is_seen_and_everything_is_tidied_up(
    ready: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    run(ready, member, box, settle)
    assert states(ready) == {
        "accepted": "done", "sent": "done", "delivered": "done", "notified": "done", "stored": "done",
        "linked": "done", "shown": "now",
    }  # fmt: skip
    assert Person.objects.get().name == "Connection test"
    connection_test.shown(ready)
    assert set(states(ready).values()) == {"done"}
    test = ConnectionTest.objects.get()
    assert test.finished_at and not test.failed
    settle(ready)
    assert set(Message.objects.values_list("folder__role", flat=True)) == {"deleted"}
    assert not Person.objects.exists()
    assert {one.folder_id for one in box.messages.values()} == {"deleted"}


def test_one_at_a_time(ready: Mailbox, member: Membership) -> None:
    first = connection_test.begin(ready, member)
    assert connection_test.begin(ready, member) == first
    assert Composition.objects.count() == 1


def test_what_the_server_refuses_is_the_step_that_failed(
    ready: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    connection_test.begin(ready, member)
    Composition.objects.update(state="failed", failure="Microsoft refused the message: ErrorSendAsDenied.")
    found = states(ready)
    assert (found["accepted"], found["sent"]) == ("failed", "later")
    test = ConnectionTest.objects.get()
    assert "ErrorSendAsDenied" in test.reason and test.finished_at


def test_push_that_says_nothing_is_told_apart_from_mail_that_does_not_arrive(
    ready: Mailbox, member: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_test.begin(ready, member)
    here = {name: Seen() for name in ("accepted", "sent", "delivered", "stored", "linked", "push")}
    monkeypatch.setattr(hooks, "test_look", lambda *told: here)
    assert states(ready)["notified"] == "failed"
    connection_test.shown(ready)
    assert states(ready)["shown"] == "done"
    test = ConnectionTest.objects.get()
    assert test.finished_at and (test.failed, test.reason) == ("notified", "Real-time is on, but nothing was pushed.")


def test_without_push_looking_is_how_it_is_found(
    ready: Mailbox, member: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_test.begin(ready, member)
    monkeypatch.setattr(hooks, "test_look", lambda *told: {"accepted": Seen()})
    asked: list[str] = []
    monkeypatch.setattr(hooks, "sync_now", lambda mailbox: asked.append(mailbox.address))
    states(ready)
    held: Any = clock._read
    held.advance(timedelta(seconds=31))
    states(ready), states(ready)
    assert asked == [ready.address]  # nothing came by itself: asked for, once
    monkeypatch.setattr(hooks, "test_look", lambda *told: {"sent": Seen(), "delivered": Seen(), "stored": Seen()})
    assert states(ready)["notified"] == "done"


def test_mail_that_never_arrives_ends_the_test_at_that_step(ready: Mailbox, member: Membership) -> None:
    connection_test.begin(ready, member)
    Composition.objects.update(state="sent", sent_at=clock.now())
    states(ready)
    held: Any = clock._read
    held.advance(timedelta(seconds=61))
    assert states(ready)["sent"] == "failed"
    assert ConnectionTest.objects.get().finished_at


def test_the_page_survives_a_reload_and_marks_what_the_browser_drew(
    ready: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    browser = Client()
    browser.force_login(member.user)
    path = f"/mailboxes/{ready.pk}/test/"
    assert "Start the test" in browser.get(path).content.decode()
    assert browser.post(path)["Location"] == path
    settle(ready)
    posted(box)
    settle(ready)
    page = browser.get(path).content.decode()
    assert "Test is running" in page and 'hx-trigger="load"' in page
    assert "Everything works" in browser.post(f"{path}shown/").content.decode()
    assert "Everything works" in browser.get(path).content.decode()


def test_a_mailbox_that_cannot_be_tested_says_why(ready: Mailbox, member: Membership) -> None:
    browser = Client()
    browser.force_login(member.user)
    Mailbox.objects.update(direction="one_way")
    assert "It is one-way" in browser.get(f"/mailboxes/{ready.pk}/test/").content.decode()
    browser.post(f"/mailboxes/{ready.pk}/test/")
    assert not ConnectionTest.objects.exists()
