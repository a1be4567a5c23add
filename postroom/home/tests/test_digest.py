"""The daily mail: when it goes out, what it says, and that it goes out once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from postroom.home import digest
from postroom.home.models import Desk
from postroom.inbox.tests.conftest import box, connect, mailbox, member, page, settle
from postroom.lib import clock
from postroom.operations.alerts import mailer
from postroom.records.tasks import commands as tasks
from postroom.timeline.models import Wishes
from postroom.workspaces.models import Membership

__all__ = ["box", "connect", "mailbox", "member", "page", "settle"]

NIGHT = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
ALL: list[str] = []


@pytest.fixture
def held() -> Iterator[clock.Clock]:
    with clock.frozen(NIGHT) as held:
        yield held


@pytest.fixture
def sent(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str, str]]:
    """(to, subject, text, HTML) of what the mail server took."""
    settings.SMTP_URL = "smtp://127.0.0.1:2525"
    taken: list[tuple[str, str, str, str]] = []
    monkeypatch.setattr(mailer, "send", lambda to, subject, text, html="": taken.append((to[0], subject, text, html)))
    return taken


@pytest.fixture
def berlin(member: Membership, held: clock.Clock) -> Membership:
    """At six in the morning, an hour before UTC says seven; with a task for today."""
    member.user.name, member.user.time_zone = "Adele Varga", "Europe/Berlin"
    member.user.save()
    tasks.create(member.workspace, by=member, title="Send <the> terms", due=NIGHT.date())
    return member


def test_it_goes_out_at_the_chosen_hour_of_the_members_day(
    berlin: Membership, held: clock.Clock, sent: list[Any]
) -> None:
    digest.wish(berlin, on=True, hour=8, without=ALL)
    assert Desk.objects.get().digest_due_at == datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    assert digest.send_due() == 0
    held.at = datetime(2026, 3, 2, 7, 1, tzinfo=UTC)
    assert (digest.send_due(), digest.send_due()) == (1, 0)
    [(to, subject, text, html)] = sent
    assert (to, subject) == ("adele@northwind.example", "Monday 2 March: 1 task to do")
    assert "- Send <the> terms\n  http" in text and "Send &lt;the&gt; terms" in html and "<the>" not in html
    assert "http://127.0.0.1:8000/tasks/" in text
    assert "http://127.0.0.1:8000/settings/notifications/" in text
    assert Desk.objects.get().digest_due_at == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)


def test_across_the_change_of_clocks_the_hour_stays(berlin: Membership, held: clock.Clock) -> None:
    held.at = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    desk = digest.wish(berlin, on=True, hour=8, without=ALL)
    assert desk.digest_due_at == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)


def test_with_nothing_to_say_nothing_is_sent(berlin: Membership, held: clock.Clock, sent: list[Any]) -> None:
    digest.wish(berlin, on=True, hour=8, without=["tasks"])
    held.at += timedelta(hours=3)
    assert digest.send_due() == 0
    assert sent == []
    assert Desk.objects.get().digest_due_at == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)


def test_one_asked_for_comes_even_then_and_changes_nothing(
    page: Client, berlin: Membership, held: clock.Clock, sent: list[Any]
) -> None:
    digest.wish(berlin, on=True, hour=8, without=["tasks"])
    page.post("/settings/notifications/digest/now/")
    assert digest.send_due() == 1
    assert sent[0][1] == "Monday 2 March: nothing needs you"
    desk = Desk.objects.get()
    assert desk.digest_due_at == datetime(2026, 3, 2, 7, 0, tzinfo=UTC) and not desk.digest_asked


def test_a_worker_that_dies_while_handing_over_never_sends_twice(
    berlin: Membership, held: clock.Clock, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest.wish(berlin, on=True, hour=8, without=ALL)
    held.at += timedelta(hours=2, minutes=1)
    given = mailer.send

    def dies(*parts: Any, **named: Any) -> None:
        given(*parts, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(mailer, "send", dies)
    with pytest.raises(KeyboardInterrupt):
        digest.send_due()
    monkeypatch.setattr(mailer, "send", given)
    held.at += timedelta(hours=1)
    assert digest.send_due() == 0
    assert len(sent) == 1


def test_a_worker_that_dies_before_that_costs_no_mail(
    berlin: Membership, held: clock.Clock, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest.wish(berlin, on=True, hour=8, without=ALL)
    held.at += timedelta(hours=2, minutes=1)
    digest._take()
    assert digest.send_due() == 0
    held.at += digest.LEASE
    assert digest.send_due() == 1


def test_who_lost_the_lease_sends_nothing(berlin: Membership, held: clock.Clock, sent: list[Any]) -> None:
    digest.wish(berlin, on=True, hour=8, without=ALL)
    held.at += timedelta(hours=2, minutes=1)
    [slow] = digest._take()
    held.at += digest.LEASE
    assert digest.send_due() == 1
    assert digest._one(slow) is False
    assert len(sent) == 1


def test_a_server_that_refuses_is_asked_again_and_then_left_alone(
    berlin: Membership, held: clock.Clock, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise mailer.NotSent("ConnectionRefusedError")

    digest.wish(berlin, on=True, hour=8, without=ALL)
    monkeypatch.setattr(mailer, "send", refuses)
    held.at += timedelta(hours=2, minutes=1)
    for seconds in (*digest.PATIENCE, 0):
        assert digest.send_due() == 0
        assert Desk.objects.get().digest_failure == "ConnectionRefusedError"
        held.at += timedelta(seconds=seconds + 1)
    assert Desk.objects.get().digest_due_at == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)


def test_a_connection_that_broke_when_the_server_had_it_is_not_asked_again(
    berlin: Membership, held: clock.Clock, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise mailer.NotSent("TimeoutError", unclear=True)

    digest.wish(berlin, on=True, hour=8, without=ALL)
    monkeypatch.setattr(mailer, "send", breaks)
    held.at += timedelta(hours=2, minutes=1)
    assert digest.send_due() == 0
    assert Desk.objects.get().digest_due_at == datetime(2026, 3, 3, 7, 0, tzinfo=UTC)


def test_a_removed_member_gets_none(berlin: Membership, held: clock.Clock, sent: list[Any]) -> None:
    digest.wish(berlin, on=True, hour=8, without=ALL)
    Membership.objects.update(removed_at=held.at)
    held.at += timedelta(hours=3)
    assert digest.send_due() == 0
    assert sent == []


def test_without_a_mail_server_the_settings_say_so(page: Client, berlin: Membership, settings: Any) -> None:
    settings.SMTP_URL = ""
    assert "no mail server of its own" in page.get("/settings/notifications/").content.decode()
    page.post("/settings/notifications/digest/", {"on": "on", "hour": "8", "section": ["tasks"]})
    page.post("/settings/notifications/digest/now/")
    assert not Desk.objects.filter(digest_due_at__isnull=False).exists()


def test_wishes_are_kept(page: Client, berlin: Membership, sent: list[Any]) -> None:
    page.post("/settings/notifications/digest/", {"on": "on", "hour": "17", "section": ["tasks", "answer"]})
    page.post("/settings/notifications/wishes/", {"here": ["mention"], "browser": ["mail", "mention"]})
    desk = Desk.objects.get()
    assert (desk.digest, desk.digest_hour) == (True, 17)
    assert "tasks" not in desk.digest_off and "deals" in desk.digest_off
    assert sorted(desk.browser_off) == ["assigned", "comment", "failed", "woke"]
    assert Wishes.objects.get().off == ["assigned", "comment", "woke"]
    for hour in ("24", "x", "", "-1", "9" * 30):
        page.post("/settings/notifications/digest/", {"on": "on", "hour": hour})
    assert Desk.objects.get().digest_hour == 17
