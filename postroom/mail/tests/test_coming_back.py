"""What comes back after sending (product.md SE11): matched to message and address, believed only where it fits."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from postroom.lib import clock
from postroom.mail import commands, content, outbound
from postroom.mail.models import Composition, Message
from postroom.mail.outbound import coming_back, limits, returns
from postroom.mail.ways import DeadAddress, Returned
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.records.people import commands as people
from postroom.sync import mailbox_hooks
from postroom.workspaces.models import Membership

Settle = Callable[..., int]
THEM, GONE = "ben@contoso.example", "gone@contoso.example"


def report(about: str, *lost: str, status: str = "5.1.1", action: str = "failed", returned: str = "headers") -> bytes:
    """As RFC 3464 has it; the returned part as headers or as a whole message."""
    each = "".join(
        f"\r\nFinal-Recipient: rfc822; {one}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} no\r\n"
        for one in lost
    )
    kind = "text/rfc822-headers" if returned == "headers" else "message/rfc822"
    back = f"Message-ID: {about}\r\nSubject: Offer\r\n" + ("" if returned == "headers" else "\r\nDear Ben\r\n")
    return (
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n{each}\r\n"
        f"--b\r\nContent-Type: {kind}\r\n\r\n{back}\r\n--b--\r\n"
    ).encode()


EXCHANGE = (
    "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@northwind.example>\r\n"
    "X-MS-Exchange-Message-Is-Ndr:\r\nIn-Reply-To: {about}\r\nReferences: <old@x.example> {about}\r\n"
    "Content-Type: text/html\r\n\r\n<p>Your message to gone@contoso.example couldn't be delivered.</p>"
    "<p>gone wasn't found at contoso.example. Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'</p>"
)


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """The text of reports, by subject, as the provider would give it."""
    found: dict[str, bytes] = {}
    monkeypatch.setattr(content, "original", lambda message: iter([found[message.subject]]))
    yield found


@pytest.fixture
def sent(mailbox: Mailbox, member: Membership, settle: Settle) -> Composition:
    settle(mailbox)
    one = commands.compose(mailbox, member, to=[("Ben", THEM), ("", GONE)], subject="Offer", html="<p>x</p>")
    commands.send(one)
    settle(mailbox)
    one.refresh_from_db()
    return one


@pytest.fixture
def arrives(mailbox: Mailbox, box: Box, settle: Settle, raw: dict[str, bytes]) -> Callable[..., Message]:
    def arrive(subject: str, text: bytes = b"", **told: Any) -> Message:
        raw[subject] = text
        headers = {"content-type": "multipart/report; report-type=delivery-status"}
        box.deliver(subject=subject, **{"from_": "mailer-daemon@mx.example", "headers": headers, **told})
        mailbox_hooks.sync_now(mailbox)
        settle(mailbox)
        return Message.objects.select_related("mailbox", "body").get(subject=subject)

    return arrive


def found() -> list[tuple[str, str, str]]:
    return [(row.address, row.what, row.why) for row in Returned.objects.order_by("address")]


@pytest.mark.parametrize("returned", ["headers", "whole"])
def test_a_report_marks_the_message_and_the_address(
    sent: Composition, arrives: Callable[..., Message], returned: str
) -> None:
    message = arrives("Returned", report(sent.internet_message_id, GONE, returned=returned))
    assert coming_back.take(message) == coming_back.take(message) == 1
    assert found() == [(GONE, "failed", "there is no such mailbox")]
    assert DeadAddress.objects.get().address == GONE
    assert returns.dead(message.mailbox.workspace_id, [GONE.upper(), THEM]).keys() == {GONE}
    status = outbound.statuses([sent])[sent.pk]
    assert status.kind == "returned" and status.why == f"Not delivered to {GONE}: there is no such mailbox."


def test_exchange_says_it_for_people_only(sent: Composition, arrives: Callable[..., Message]) -> None:
    text = EXCHANGE.format(about=sent.internet_message_id)
    message = arrives("Undeliverable: Offer", text.encode(), html=text.partition("\r\n\r\n")[2], headers={})
    assert message.kind == Message.Kind.BOUNCE
    assert coming_back.take(message) == 1 and found()[0][:2] == (GONE, "failed")


def test_a_delay_is_no_failure_and_a_failure_after_it_counts(
    sent: Composition, arrives: Callable[..., Message]
) -> None:
    late = report(sent.internet_message_id, GONE, status="4.4.1", action="delayed")
    coming_back.take(arrives("Delayed", late))
    assert found()[0][1] == "delayed" and not DeadAddress.objects.exists()
    coming_back.take(arrives("Failed", report(sent.internet_message_id, GONE, status="5.4.7")))
    assert found()[0][1] == "failed" and not DeadAddress.objects.exists()  # the server was away, not the address


@pytest.mark.parametrize("about", ["<never@sent.example>", ""])
def test_a_report_about_what_was_never_sent_says_nothing(
    sent: Composition, arrives: Callable[..., Message], about: str
) -> None:
    assert coming_back.take(arrives("Forged", report(about, THEM))) == 0 and not found()


def test_a_report_says_nothing_about_whom_it_was_not_written_to(
    sent: Composition, arrives: Callable[..., Message]
) -> None:
    coming_back.take(arrives("Forged", report(sent.internet_message_id, "ceo@contoso.example", GONE)))
    assert [one[0] for one in found()] == [GONE]


def test_what_cannot_be_taken_apart_says_nothing(sent: Composition, arrives: Callable[..., Message]) -> None:
    for number, text in enumerate((b"", b"\xff\x00" * 100, b"Content-Type: multipart/report; boundary=\r\n\r\n--\r\n")):
        assert coming_back.take(arrives(f"Odd {number}", text)) == 0


def test_an_automatic_reply_is_known_at_once_and_hides_no_failure(
    sent: Composition, arrives: Callable[..., Message]
) -> None:
    told = {"headers": {"auto-submitted": "auto-replied"}, "in_reply_to": sent.internet_message_id}
    arrives("Automatic reply: Offer", from_=THEM, html="<p>I am away until 3 December 2026.</p>", **told)
    assert found()[0][:2] == (THEM, "away")
    assert outbound.statuses([sent])[sent.pk].kind == "sent"  # it did arrive
    Returned.objects.update(what="failed")
    arrives("Automatic reply: Offer again", from_=THEM, **told)
    assert found()[0][1] == "failed"


def test_mail_from_an_address_shows_that_it_is_alive(
    sent: Composition, arrives: Callable[..., Message], box: Box
) -> None:
    coming_back.take(arrives("Returned", report(sent.internet_message_id, GONE)))
    assert DeadAddress.objects.exists()
    arrives("I am back", from_=GONE.title(), headers={})
    assert not DeadAddress.objects.exists()


def test_a_report_that_the_limit_was_reached_closes_the_way(
    sent: Composition, arrives: Callable[..., Message], mailbox: Mailbox
) -> None:
    coming_back.take(arrives("Limit", report(sent.internet_message_id, GONE, status="5.1.90")))
    assert limits.standing(mailbox).until == clock.now() + timedelta(days=1)
    assert not DeadAddress.objects.exists()  # it is not the address's fault


def test_a_stored_report_is_queued_to_be_read(
    sent: Composition,
    arrives: Callable[..., Message],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    queued: list[int] = []
    from postroom.mail import jobs

    monkeypatch.setattr(jobs.read_report, "defer", lambda **told: queued.append(told["message_id"]))
    with django_capture_on_commit_callbacks(execute=True):
        message = arrives("Returned", report(sent.internet_message_id, GONE))
    assert queued == [message.pk]


def test_the_screens_say_it(
    sent: Composition, arrives: Callable[..., Message], member: Membership, client: Any
) -> None:
    """On the message, in the outbox, on the contact, and to whoever writes to the address again."""
    coming_back.take(arrives("Returned", report(sent.internet_message_id, GONE)))
    person = people.create(member.workspace, by=member, first_name="Gone", addresses=[GONE])
    again = commands.compose(sent.mailbox, member, to=[("", GONE)], subject="Again", html="<p>x</p>")
    client.force_login(member.user)
    assert sent.sent_message is not None
    for path, says in (
        (reverse("inbox:thread", args=[sent.sent_message.thread_id]), f"Not delivered to {GONE}: there is no such"),
        (reverse("inbox:outbox"), f"Not delivered to {GONE}: there is no such mailbox"),
        (person.get_absolute_url(), "Mail to it came back: there is no such mailbox"),
        (reverse("inbox:draft", args=[again.pk]), f"{GONE}: mail to it came back"),
    ):
        assert says in client.get(path).content.decode(), path
