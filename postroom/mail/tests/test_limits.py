"""A mailbox that may send no more (product.md SE8): the workspace's mail server steps in, or messages wait."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from postroom.lib import clock
from postroom.mail import commands, outbound
from postroom.mail.models import Composition
from postroom.mail.outbound import limits, servers
from postroom.mail.ways import Allowance, DeadAddress, MailServer, Returned
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import SendingLimit
from postroom.providers.memory.mailbox import Box
from postroom.sync.models import OutboxEntry
from postroom.workspaces.models import Membership
from tests.platform import mail_server as platform

Settle = Callable[..., int]
DAY = timedelta(days=1)


@pytest.fixture
def relay(box: Box, settings: Any) -> Iterator[platform.MailServer]:
    """A mail server that brings what it takes to the mailbox where it is for that one."""
    settings.POSTROOM_MAIL_HOSTS = ["127.0.0.1"]

    def arrives(taken: platform.Taken) -> None:
        if box.address in taken.recipients:
            message = message_from_bytes(taken.content, policy=default)
            sender = message["From"].addresses[0]
            box.deliver(
                subject=message["Subject"],
                from_=sender.addr_spec,
                to=[one.addr_spec for one in message["To"].addresses],
                internet_message_id=message["Message-ID"],
            )

    with platform.mail_server() as server:
        server.delivered = arrives
        yield server


@pytest.fixture
def server(relay: platform.MailServer, member: Membership) -> MailServer:
    fields = {"host": "127.0.0.1", "port": relay.port, "security": "none", "username": "postroom"}
    return servers.save(member.workspace, password="secret", domains=["northwind.example"], steps_in=True, **fields)


@pytest.fixture
def ready(mailbox: Mailbox, settle: Settle) -> Mailbox:
    settle(mailbox)
    return mailbox


def write(mailbox: Mailbox, member: Membership, number: int = 1, **told: Any) -> Composition:
    to = told.pop("to", [("", f"person{number}@contoso.example")])
    one = commands.compose(mailbox, member, to=to, subject=f"Offer {number}", html="<p>Dear you</p>")
    commands.save(one, **told)
    commands.send(one)
    return one


def status(one: Composition) -> outbound.Status:
    one.refresh_from_db()
    return outbound.statuses([one])[one.pk]


def times_out(box: Box, relay: platform.MailServer) -> Counter[str]:
    """How often each message left, by its Message-ID, both ways together."""
    by_relay = [message_from_bytes(one.content)["Message-ID"] for one in relay.messages]
    return Counter([one.internet_message_id or "" for one in box.sent] + by_relay)


def in_drafts(box: Box) -> list[str]:
    return [one.id for one in box.messages.values() if one.is_draft]


def test_the_limit_in_the_middle_of_fifty_sends_the_rest_by_the_server_and_each_once(
    ready: Mailbox, member: Membership, box: Box, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    box.may_send = 20
    written = [write(ready, member, number) for number in range(50)]
    settle(ready, ahead=timedelta(minutes=10))
    assert times_out(box, relay) == Counter({one.internet_message_id: 1 for one in written})
    assert len(box.sent) == 20 and len(relay.messages) == 30
    assert {status(one).kind for one in written} == {"sent"} and not in_drafts(box)
    assert [bool(one.via) for one in written] == [False] * 20 + [True] * 30
    assert "127.0.0.1" in status(written[-1]).why
    assert all(
        one.sent_message and one.sent_message.folder.role == "sent" for one in written
    )  # also what the server took
    assert limits.standing(ready).until == limits._row(ready).reached_at + DAY  # type: ignore[union-attr, operator]
    with clock.frozen(clock.now() + timedelta(hours=25)):
        tomorrow = write(ready, member, 99)
        settle(ready, ahead=timedelta(minutes=10))
        assert status(tomorrow).kind == "sent" and not tomorrow.via and len(box.sent) == 21


def test_without_a_server_to_step_in_they_are_held_and_go_out_the_next_day(
    ready: Mailbox, member: Membership, box: Box, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    MailServer.objects.update(steps_in=False)
    box.may_send = 2
    written = [write(ready, member, number) for number in range(5)]
    settle(ready, ahead=timedelta(hours=2))
    found = [status(one) for one in written]
    assert [one.kind for one in found] == ["sent", "sent", "waiting", "waiting", "waiting"]
    assert found[4].label == "Held" and "sent as much as it may" in found[4].why and found[4].may_cancel
    assert found[4].until is not None and found[4].until > clock.now() + timedelta(hours=20)
    settle(ready, ahead=timedelta(hours=25))
    assert len(box.sent) == 4  # two a day
    settle(ready, ahead=timedelta(hours=50))
    assert {status(one).kind for one in written} == {"sent"} and not relay.messages
    assert set(times_out(box, relay).values()) == {1}


def test_what_is_held_goes_out_as_soon_as_the_server_may_step_in(
    ready: Mailbox, member: Membership, box: Box, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    MailServer.objects.update(steps_in=False)
    box.may_send = 0
    one = write(ready, member)
    settle(ready)
    assert status(one).label == "Held"
    MailServer.objects.update(steps_in=True)
    limits.release(ready.workspace_id)
    settle(ready)
    assert status(one).kind == "sent" and len(relay.messages) == 1


def test_a_message_for_a_certain_time_that_the_limit_holds_is_not_asked_about(
    ready: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    box.may_send = 0
    one = commands.compose(ready, member, to=[("", "ben@contoso.example")], subject="Later", html="<p>x</p>")
    commands.send(one, at=clock.now() + timedelta(hours=1), zone="UTC")
    settle(ready, ahead=timedelta(hours=3))
    assert status(one).label == "Held"
    box.may_send = None
    settle(ready, ahead=timedelta(hours=26))
    assert status(one).kind == "sent"


def test_the_limit_an_admin_set_is_kept_to_before_the_provider_says_no(
    ready: Mailbox, member: Membership, box: Box, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    limits.set_for(ready, route="own", daily=4)
    for number in range(5):
        write(ready, member, number)
        settle(ready)
    assert (len(box.sent), len(relay.messages)) == (3, 2)
    assert limits.standing(ready).written == 3  # what the server carried is not the provider's


def test_a_mailbox_can_always_go_through_the_server(
    ready: Mailbox, member: Membership, box: Box, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    limits.set_for(ready, route="server", daily=None)
    one = write(ready, member, bcc=[["", "hidden@contoso.example"]])
    commands.attach(one, name="late.txt", content_type="text/plain", chunks=[b"not any more"])
    settle(ready)
    taken = relay.messages[0]
    assert taken.sender == box.address and set(taken.recipients) == {
        "person1@contoso.example",
        "hidden@contoso.example",
        box.address,
    }
    assert b"hidden@" not in taken.content and status(one).kind == "sent" and not box.sent


def test_where_the_server_may_not_send_for_the_domain_answers_come_to_the_mailbox(
    ready: Mailbox, member: Membership, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    MailServer.objects.update(domains=["other.example"], sender="crm@other.example")
    limits.set_for(ready, route="server", daily=None)
    one = write(ready, member)
    settle(ready)
    message = message_from_bytes(relay.messages[0].content, policy=default)
    assert message["From"].addresses[0].addr_spec == relay.messages[0].sender == "crm@other.example"
    assert message["Reply-To"].addresses[0].addr_spec == ready.address and status(one).kind == "sent"


@pytest.mark.parametrize(("when", "kind"), [("before", "held"), ("after", "sent")])
def test_a_connection_lost_at_the_end_is_found_out_by_the_copy_or_asked_about(
    ready: Mailbox,
    member: Membership,
    box: Box,
    relay: platform.MailServer,
    server: MailServer,
    settle: Settle,
    when: str,
    kind: str,
) -> None:
    limits.set_for(ready, route="server", daily=None)
    relay.break_off = when
    one = write(ready, member)
    settle(ready, ahead=timedelta(minutes=30))
    assert status(one).kind == kind and len(relay.messages) == (when == "after")
    if kind == "held":
        assert "may have gone out, or not" in status(one).why
        commands.send(one)
        settle(ready)
    assert status(one).kind == "sent" and set(times_out(box, relay).values()) == {1} and not in_drafts(box)


def test_who_the_server_refuses_is_named_and_the_others_get_it(
    ready: Mailbox, member: Membership, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    limits.set_for(ready, route="server", daily=None)
    relay.unknown.add("gone@contoso.example")
    one = write(ready, member, to=[("", "gone@contoso.example"), ("", "ben@contoso.example")])
    settle(ready)
    assert status(one).kind == "returned" and one.state == "sent"
    assert [(row.address, row.what, row.why) for row in Returned.objects.all()] == [
        ("gone@contoso.example", "failed", "there is no such mailbox")
    ]
    assert DeadAddress.objects.get().address == "gone@contoso.example"


def test_a_server_that_takes_nobody_or_is_gone_gives_the_message_back_or_waits(
    ready: Mailbox, member: Membership, box: Box, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    limits.set_for(ready, route="server", daily=None)
    relay.unknown.add("gone@contoso.example")
    one = write(ready, member, to=[("", "gone@contoso.example")])
    settle(ready)
    assert status(one).kind == "failed" and "No address was taken" in one.failure and not relay.messages
    relay.replies["AUTH"] = "535 5.7.8 no"
    two = write(ready, member, 2)
    settle(ready, ahead=timedelta(seconds=1))
    server.refresh_from_db()
    assert (
        status(two).kind == "waiting"
        and server.failure == "smtp_auth"
        and "password" in servers.in_words(server.failure)
    )
    del relay.replies["AUTH"]
    settle(ready)
    assert status(two).kind == "sent" and len(relay.messages) == 1


def test_taken_back_before_the_server_has_it_nothing_goes_out(
    ready: Mailbox, member: Membership, relay: platform.MailServer, server: MailServer, settle: Settle
) -> None:
    limits.set_for(ready, route="server", daily=None)
    one = write(ready, member)
    outbound.take_back(one)
    settle(ready)
    assert status(one).kind == "draft" and not relay.messages
    OutboxEntry.objects.filter(kind="send").update(step="server", state="working")
    Composition.objects.update(state="sending")
    one.refresh_from_db()
    with pytest.raises(outbound.TooLate):
        outbound.take_back(one)


def test_the_refusal_of_an_hour_lasts_an_hour(ready: Mailbox) -> None:
    limits.reached(ready, SendingLimit(code="ErrorExceededHourlyMessageLimit", retry_after=3600))
    assert Allowance.objects.get().until == clock.now() + timedelta(hours=1)


# --- the server's row ----------------------------------------------------------------------------------------------


def test_a_password_is_sealed_and_never_goes_to_another_server(member: Membership, server: MailServer) -> None:
    assert b"secret" not in bytes(server.sealed_password) and servers._server(server).password == "secret"
    kept = servers.save(member.workspace, password=None, host=server.host, port=server.port, username="postroom")
    assert servers._server(kept).password == "secret"
    moved = servers.save(member.workspace, password=None, host="evil.example", port=server.port, username="postroom")
    assert servers._server(moved).password == ""


def test_a_server_in_a_private_network_is_not_spoken_to_unless_the_operator_says_so(
    server: MailServer, relay: platform.MailServer, settings: Any
) -> None:
    assert servers.test(server) == ""
    settings.POSTROOM_MAIL_HOSTS = []
    assert "private network" in servers.test(server)
