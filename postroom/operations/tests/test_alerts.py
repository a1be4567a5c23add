"""An alert is raised once, escalates, closes by itself, and reaches those it concerns."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2
import pytest
from django.test import Client

from postroom.accounts.models import User
from postroom.lib.clock import Clock, now
from postroom.mailboxes.models import Failure, Mailbox
from postroom.operations import beats, watch
from postroom.operations.alerts import channels, deliver, mailer, outgoing
from postroom.operations.alerts.evaluate import evaluate
from postroom.operations.alerts.hours import worked
from postroom.operations.alerts.words import words
from postroom.operations.models import Alert, AlertSettings, Notice, Process
from postroom.sync import quarantine
from postroom.workspaces.models import Membership, Role

MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOOK = "https://hooks.contoso.example/postroom"
PUBLIC = ["8.8.8.8"]


@pytest.fixture
def noon(held: Clock) -> Clock:
    held.at = MONDAY_NOON
    return held


@pytest.fixture
def healthy(mailbox: Mailbox, noon: Clock) -> Mailbox:
    Mailbox.objects.update(last_success_at=noon.at, connected_at=noon.at)
    mailbox.refresh_from_db()
    return mailbox


def kinds() -> list[tuple[str, int]]:
    return sorted(Alert.objects.filter(closed_at=None).values_list("kind", "level"))


def test_two_working_hours_of_silence_are_told_once_and_then_that_it_is_over(healthy: Mailbox, noon: Clock) -> None:
    noon.advance(timedelta(hours=1, minutes=50))
    assert evaluate() == {"raised": 0, "escalated": 0, "recovered": 0}
    noon.advance(timedelta(minutes=10))
    assert evaluate()["raised"] == 1
    assert evaluate() == {"raised": 0, "escalated": 0, "recovered": 0}
    Mailbox.objects.update(last_success_at=noon.at)
    assert evaluate()["recovered"] == 1
    assert kinds() == []


def test_a_night_of_silence_is_no_alert_but_a_day_is_an_urgent_one(healthy: Mailbox, noon: Clock) -> None:
    Mailbox.objects.update(last_success_at=datetime(2026, 11, 20, 18, tzinfo=UTC))  # Friday evening
    assert evaluate(datetime(2026, 11, 21, 18, tzinfo=UTC))["raised"] == 0
    assert evaluate(datetime(2026, 11, 21, 19, 1, tzinfo=UTC))["raised"] == 1
    assert kinds() == [("silent", Alert.Level.URGENT)]


def test_worse_is_said_again_and_better_is_not(healthy: Mailbox, noon: Clock) -> None:
    Mailbox.objects.update(last_success_at=noon.at - timedelta(hours=3))
    evaluate()
    noon.advance(timedelta(hours=23))
    assert evaluate()["escalated"] == 1
    Mailbox.objects.update(last_success_at=noon.at - timedelta(hours=3))
    assert evaluate() == {"raised": 0, "escalated": 0, "recovered": 0}
    assert kinds() == [("silent", Alert.Level.URGENT)]


@pytest.mark.parametrize(("failure", "kind"), [(Failure.BREAKER, "breaker"), (Failure.REVOKED, "sign_in")])
def test_what_waits_for_a_person_is_said_at_once(healthy: Mailbox, failure: Failure, kind: str) -> None:
    Mailbox.objects.update(failure=failure, failure_reference="7FAB-3KQM")
    evaluate()
    assert [name for name, _ in kinds()] == [kind]
    assert healthy.address in words(Alert.objects.get()).title


def test_a_paused_or_disconnected_mailbox_may_be_silent(healthy: Mailbox, noon: Clock) -> None:
    for state in (Mailbox.State.PAUSED, Mailbox.State.DISCONNECTED):
        Mailbox.objects.update(state=state, failure=Failure.REVOKED)
        noon.advance(timedelta(days=2))
        assert evaluate()["raised"] == 0


def test_a_growing_quarantine_is_said_and_a_resting_one_is_over(healthy: Mailbox, noon: Clock) -> None:
    quarantine.put(healthy, "mail", "AAA", "no date")
    evaluate()
    assert kinds() == [("quarantine", Alert.Level.WARNING)]
    noon.advance(timedelta(hours=25))
    Mailbox.objects.update(last_success_at=noon.at)
    assert evaluate()["recovered"] == 1


@pytest.mark.parametrize(("days", "level"), [(31, None), (30, 1), (7, 2), (1, 3), (-1, 3)])
def test_the_client_secrets_end_is_announced_30_7_and_1_days_before(
    healthy: Mailbox, settings: Any, days: int, level: int | None
) -> None:
    settings.MICROSOFT_CLIENT_SECRET_EXPIRES = date(2026, 11, 23) + timedelta(days=days)
    evaluate()
    assert kinds() == ([("secret", level)] if level else [])


def test_a_sign_in_nobody_uses_is_announced_before_it_ends(healthy: Mailbox, noon: Clock) -> None:
    assert healthy.connection is not None
    healthy.connection.provider = "microsoft"
    healthy.connection.access_expires = noon.at - timedelta(days=84)
    healthy.connection.save()
    Mailbox.objects.update(state=Mailbox.State.PAUSED)
    evaluate()
    assert kinds() == [("grant", Alert.Level.WARNING)]
    assert "in 6 days" in words(Alert.objects.get()).title


def test_workers_that_fall_silent_are_missed_and_those_that_say_goodbye_are_not(healthy: Mailbox, noon: Clock) -> None:
    gone, polite = beats.Beat("worker", 8), beats.Beat("worker", 8)
    gone.write(), polite.write()
    polite.goodbye()
    assert evaluate()["raised"] == 0
    noon.advance(timedelta(seconds=61))
    evaluate()
    assert kinds() == [("workers", Alert.Level.URGENT)]
    noon.advance(timedelta(seconds=5))
    beats.Beat("worker", 8).write()  # the supervisor started another on this machine
    assert evaluate()["recovered"] == 1


def test_when_every_worker_is_dead_for_days_it_is_not_forgotten(healthy: Mailbox, noon: Clock) -> None:
    beats.Beat("worker", 8).write()
    noon.advance(timedelta(days=3))
    assert beats.forget() == 0
    evaluate()
    assert ("workers", Alert.Level.URGENT) in kinds()
    beats.Beat("worker", 8).write()
    assert beats.forget() == 1


def test_a_beat_whose_row_was_forgotten_makes_another(db: None) -> None:
    beat = beats.Beat("web", 8)
    beat.write()
    Process.objects.all().delete()
    beat.write()
    assert Process.objects.get().kind == "web"


def test_one_process_of_all_goes_round_in_a_minute(db: None, held: Clock) -> None:
    assert watch.take("round", watch.ROUND_EVERY)
    assert not watch.take("round", watch.ROUND_EVERY)
    held.advance(timedelta(minutes=1))
    assert watch.take("round", watch.ROUND_EVERY)


def test_who_sees_what(healthy: Mailbox, member: Membership, settings: Any) -> None:
    guest = Role.objects.create(workspace=member.workspace, name="Guest", permissions=[])
    user = User.objects.create_user(email="gus@northwind.example", password="long-enough-word")
    colleague = Membership.objects.create(workspace=member.workspace, user=user, role=guest)
    Mailbox.objects.update(failure=Failure.REVOKED)
    settings.MICROSOFT_CLIENT_SECRET_EXPIRES = date(2026, 11, 24)
    evaluate()
    assert {one.kind for one in channels.open_for(member)} == {"sign_in", "secret"}
    assert not channels.open_for(colleague)
    Mailbox.objects.update(owner=colleague)
    assert [one.kind for one in channels.open_for(colleague)] == ["sign_in"]
    settings.POSTROOM_OPERATORS = ["root@example.com"]
    assert {one.kind for one in channels.open_for(member)} == {"sign_in"}


def test_the_number_of_queries_does_not_grow_with_the_mailboxes(
    healthy: Mailbox, member: Membership, noon: Clock, django_assert_max_num_queries: Any
) -> None:
    Mailbox.objects.bulk_create(
        Mailbox(
            workspace=member.workspace, owner=member, provider="memory", address=f"m{number}@x.example",
            state="live", last_success_at=noon.at, connected_at=noon.at,
        )
        for number in range(200)
    )  # fmt: skip
    noon.advance(timedelta(minutes=90))
    with django_assert_max_num_queries(14):
        assert evaluate()["raised"] == 0


# --- leaving the house -----------------------------------------------------------------------------------------------


@pytest.fixture
def wished(member: Membership) -> AlertSettings:
    return AlertSettings.objects.create(workspace=member.workspace, webhook_url=HOOK, webhook_salt="s")


def receiver(answers: list[int], got: list[httpx2.Request]) -> httpx2.Client:
    def answer(request: httpx2.Request) -> httpx2.Response:
        got.append(request)
        return httpx2.Response(answers.pop(0))

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def test_a_webhook_is_signed_and_goes_to_the_address_that_was_checked(settings: Any) -> None:
    got: list[httpx2.Request] = []
    outgoing.post(HOOK, b"{}", secret="whsec_x", delivery=7, over=receiver([200], got), resolve=lambda *_: PUBLIC)
    [request] = got
    assert request.url.host == "8.8.8.8" and request.headers["host"] == "hooks.contoso.example"
    stamp, made = (part.partition("=")[2] for part in request.headers["postroom-signature"].split(","))
    assert made == hmac.new(b"whsec_x", f"{stamp}.{{}}".encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_nothing_is_posted_to_a_private_address(address: str) -> None:
    with pytest.raises(outgoing.NotDelivered, match="public"):
        outgoing.post(HOOK, b"{}", secret="s", delivery=1, over=receiver([], []), resolve=lambda *_: [*PUBLIC, address])


def test_a_host_the_operator_named_may_be_private(settings: Any) -> None:
    settings.POSTROOM_ALERT_HOSTS = ["chat.lan"]
    got: list[httpx2.Request] = []
    over = receiver([204], got)
    outgoing.post("http://chat.lan/x", b"{}", secret="s", delivery=1, over=over, resolve=lambda *_: ["10.0.0.9"])
    assert got[0].url.host == "10.0.0.9"


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example.com/", "ftp://x.example", "https://", "https://a:b@x.example/", "https://x:99999/", "x"],
)
def test_what_is_no_https_address_is_not_taken(url: str) -> None:
    with pytest.raises(outgoing.NotDelivered):
        outgoing.check_url(url)


def test_a_webhook_that_fails_is_tried_again_and_given_up_in_the_end(
    healthy: Mailbox, wished: AlertSettings, noon: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts: list[bytes] = []

    def refuse(url: str, body: bytes, **_: object) -> None:
        posts.append(body)
        raise outgoing.NotDelivered("it answered 500")

    monkeypatch.setattr(outgoing, "post", refuse)
    Mailbox.objects.update(failure=Failure.REVOKED)
    evaluate()
    for _ in range(10):
        deliver.send_due()
        noon.advance(timedelta(hours=7))
    assert len(posts) == len(deliver.PATIENCE) + 1
    notice = Notice.objects.get()
    assert (notice.state, notice.error) == ("failed", "it answered 500")
    assert json.loads(posts[0])["alert"]["mailbox"]["address"] == healthy.address


def test_mail_goes_to_the_owner_and_the_admins_once_for_each_turn(
    healthy: Mailbox, member: Membership, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMTP_URL = "smtp://127.0.0.1:2525"
    sent: list[tuple[list[str], str]] = []
    monkeypatch.setattr(mailer, "send", lambda to, subject, text: sent.append((list(to), subject)))
    Mailbox.objects.update(failure=Failure.REVOKED)
    evaluate(), deliver.send_due(), deliver.send_due()
    Mailbox.objects.update(failure="", last_success_at=now())
    evaluate(), deliver.send_due()
    assert [to for to, _ in sent] == [[member.address]] * 2
    assert sent[0][1] == f"[Postroom] {healthy.address} needs a new sign-in"
    assert sent[1][1].startswith("[Postroom] Recovered: ")


def test_who_was_removed_is_told_nothing_any_more(
    healthy: Mailbox, member: Membership, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Membership.objects.create(
        workspace=member.workspace, user=User.objects.create_user("gone@x.example"), role=member.role, removed_at=now()
    )
    Mailbox.objects.update(failure=Failure.REVOKED)
    evaluate()
    notice = Notice(workspace=member.workspace, alert=Alert.objects.get())
    assert channels.recipients(notice) == [member.address] != [gone.address]


def test_a_notice_that_cannot_be_delivered_holds_no_other_up(
    healthy: Mailbox, member: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        Notice.objects.create(workspace=member.workspace, channel="mail", event="raised", due_at=now())
    tried: list[Notice] = []

    def spoilt(notice: Notice) -> None:
        tried.append(notice)
        raise KeyError("a kind of an older version")

    monkeypatch.setattr(deliver, "_mail", spoilt)
    assert deliver.send_due() == 0
    assert len(tried) == 2
    assert set(Notice.objects.values_list("state", "error")) == {("waiting", "KeyError")}


def test_an_smtp_server_that_is_not_there_is_no_error_of_ours(settings: Any) -> None:
    settings.SMTP_URL = "smtp://127.0.0.1:1"
    with pytest.raises(mailer.NotSent, match="ConnectionRefusedError"):
        mailer.send(["a@x.example"], "s", "t")


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-11-23T07:00", "2026-11-23T10:00", 2),  # before the day begins does not count
        ("2026-11-20T16:00", "2026-11-23T09:00", 3),  # over a weekend
        ("2026-11-21T00:00", "2026-11-22T23:00", 0),
        ("2026-11-23T12:00", "2026-11-23T11:00", 0),  # a clock that was put back
        ("2020-01-01T00:00", "2026-11-27T18:00", 40),  # ages ago: bounded
    ],
)
def test_working_hours(since: str, until: str, hours: float) -> None:
    made = worked(
        datetime.fromisoformat(since + "Z"), datetime.fromisoformat(until + "Z"),
        work_from=8, work_to=18, time_zone="UTC",
    )  # fmt: skip
    assert made == timedelta(hours=hours)


def test_leaving_a_mailbox_with_its_mail_leaves_no_alert(healthy: Mailbox, settle: Callable[..., int]) -> None:
    from postroom.operations import mailbox_hooks

    Mailbox.objects.update(failure=Failure.REVOKED)
    evaluate()
    mailbox_hooks.disconnecting(healthy, delete=False)
    assert kinds() == []
    mailbox_hooks.disconnecting(healthy, delete=True)
    assert not Alert.objects.exists()


def test_a_webhook_that_fails_twice_in_a_row_is_an_alert_until_it_answers(
    healthy: Mailbox, noon: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postroom.operations.doctor import network
    from postroom.operations.doctor.findings import fail, ok

    answers = [fail("webhook", "Webhook", "answers 502", "Look at the proxy.")] * 3 + [ok("webhook", "Webhook", "fine")]
    monkeypatch.setattr(network, "webhook", lambda here: iter([answers.pop(0)]))
    for expected in (0, 1, 0):
        noon.advance(timedelta(minutes=10))
        assert watch.take("webhook", timedelta(minutes=9))
        watch.look_at_webhook()
        assert evaluate()["raised"] == expected
    watch.look_at_webhook()
    assert evaluate()["recovered"] == 1


def test_the_bell_rings_on_every_screen_of_those_it_concerns(
    client: Client, member: Membership, healthy: Mailbox
) -> None:
    client.force_login(member.user)
    assert 'title="Alerts"' not in client.get("/inbox/").content.decode()
    Mailbox.objects.update(failure=Failure.BREAKER)
    evaluate()
    assert 'title="Alerts"' in client.get("/inbox/").content.decode()
    page = client.get("/settings/alerts/").content.decode()
    assert f"{healthy.address} was stopped by the safety brake" in page


def test_settings_of_alerts_are_kept_and_a_bad_address_is_told(client: Client, member: Membership) -> None:
    client.force_login(member.user)
    given = {
        "silent_hours": 4, "silent_any_hours": 30, "work_from": 7, "work_to": 19, "time_zone": "Europe/Berlin",
        "by_mail": "on", "webhook_url": HOOK,
    }  # fmt: skip
    assert client.post("/settings/alerts/", given).status_code == 302
    wish = channels.settings_of(member.workspace)
    assert (wish.silent_hours, wish.time_zone, wish.webhook_url) == (4, "Europe/Berlin", HOOK)
    page = client.get("/settings/alerts/").content.decode()
    secret = outgoing.signing_secret(member.workspace.pk, wish.webhook_salt)
    assert secret in page and secret != outgoing.signing_secret(member.workspace.pk + 1, wish.webhook_salt)
    answer = client.post("/settings/alerts/", {**given, "webhook_url": "http://127.0.0.1/"})
    assert answer.status_code == 422 and "https://" in answer.content.decode()
    client.post("/settings/alerts/secret/")
    assert channels.settings_of(member.workspace).webhook_salt != wish.webhook_salt


def test_a_hundred_mailboxes_that_fail_at_once_are_one_mail_and_one_post(
    healthy: Mailbox, member: Membership, wished: AlertSettings, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMTP_URL = "smtp://127.0.0.1:2525"
    mails: list[tuple[str, str]] = []
    posts: list[dict[str, Any]] = []
    monkeypatch.setattr(mailer, "send", lambda to, subject, text: mails.append((subject, text)))
    monkeypatch.setattr(outgoing, "post", lambda url, body, **_: posts.append(json.loads(body)))
    Mailbox.objects.bulk_create(
        Mailbox(
            workspace=member.workspace, owner=member, provider="memory", address=f"m{number}@x.example",
            state="live", failure=Failure.REVOKED,
        )
        for number in range(100)
    )  # fmt: skip
    assert evaluate()["raised"] == 100
    deliver.send_due()
    assert [subject for subject, _ in mails] == ["[Postroom] 100 alerts at once"]
    assert "100 × A sign-in is needed" in mails[0][1]
    assert posts[0]["summary"]["sign_in"] == 100


@pytest.mark.parametrize(
    "odd", ["\0", "9" * 30, "'\"<b>\r\nX: y", "https://[", "https://a\u200bb.example/", "https://127.1/"]
)
def test_odd_forms_make_no_error_page(client: Client, member: Membership, odd: str) -> None:
    client.force_login(member.user)
    names = ("silent_hours", "silent_any_hours", "work_from", "work_to", "time_zone", "webhook_url")
    assert client.post("/settings/alerts/", dict.fromkeys(names, odd)).status_code == 422
    for given in ({"text": odd}, {"text": "AADSTS50105", "reference": odd}):
        assert client.post("/settings/doctor/explanation/", given).status_code == 200
