"""Through a real Postfix: encrypted, every recipient, the limits it announces, and no certificate of anybody else's."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from postroom.mail import commands
from postroom.mail.outbound import servers
from postroom.mail.tests.conftest import box, connect, mailbox, member, settle
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import Refused, Transient
from postroom.providers.memory.mailbox import Box
from postroom.providers.smtp import Server, Session
from postroom.workspaces.models import Membership
from tests.platform.mail_server import MailServer, Taken, mail_server
from tests.platform.postfix import Mta, missing, postfix
from tests.platform.waiting import eventually

__all__ = ["box", "connect", "mailbox", "member", "settle"]

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "-")
HEAD = (
    b"From: ada@northwind.example\r\nTo: ben@contoso.example\r\nMessage-ID: <1@x.example>\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
)


@pytest.fixture(scope="module")
def behind() -> Iterator[MailServer]:
    """Where Postfix hands on what it took."""
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def mta(behind: MailServer) -> Iterator[Mta]:
    with postfix(to=behind.port, refuse=["gone@contoso.example"]) as running:
        yield running


@pytest.fixture
def ready(mailbox: Mailbox, settle: Callable[..., int]) -> Mailbox:
    settle(mailbox)
    return mailbox


@pytest.fixture
def trusted(mta: Mta, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Its certificate is one we trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(mta.certificate))
    return Server(host="127.0.0.1", port=mta.port, security="starttls")


def test_a_message_arrives_as_it_was_handed_over(trusted: Server, behind: MailServer) -> None:
    text = HEAD + b"\r\n.\r\n..two dots\r\n" + b"x" * 900 + b"\r\nlast line without an end"
    people = ["ben@contoso.example", "hidden@contoso.example", "gone@contoso.example"]
    with Session(trusted) as session:
        assert session.largest == 2_000_000
        refused = session.begin("ada@northwind.example", people, size=len(text))
        session.finish([text[at : at + 50] for at in range(0, len(text), 50)])
    assert list(refused) == ["gone@contoso.example"] and "5.1.1" in refused["gone@contoso.example"]

    def arrived() -> list[Taken]:
        return [one for one in behind.messages if b"Message-ID: <1@x.example>" in one.content]

    eventually(
        lambda: {person for one in arrived() for person in one.recipients} == set(people[:2]),
        seconds=20,
        what="Postfix hands it on",
    )
    taken = arrived()[0]
    message = message_from_bytes(taken.content, policy=default)
    assert taken.sender == "ada@northwind.example" and message["Subject"] == "Grüße"
    assert message["Message-ID"] == "<1@x.example>" and message["Bcc"] is None
    body = taken.content.partition(b"\r\n\r\n")[2]
    assert body == b".\r\n..two dots\r\n" + b"x" * 900 + b"\r\nlast line without an end\r\n"


def test_what_is_larger_than_it_takes_is_not_begun(trusted: Server) -> None:
    with pytest.raises(Refused) as refused, Session(trusted) as session:
        session.begin("ada@northwind.example", ["ben@contoso.example"], size=2_000_001)
    assert refused.value.code == "smtp_size"


def test_it_is_not_spoken_to_in_the_clear_or_under_anothers_certificate(mta: Mta) -> None:
    with pytest.raises(Transient) as untrusted, Session(Server(host="127.0.0.1", port=mta.port, security="starttls")):
        pass
    assert untrusted.value.code == "smtp_tls"
    with pytest.raises(Transient), Session(Server(host="127.0.0.1", port=mta.port, security="none")) as session:
        session.begin("ada@northwind.example", ["ben@contoso.example"], size=10)


def test_a_port_that_is_not_encrypted_from_the_start_is_found_out(mta: Mta) -> None:
    with pytest.raises(Transient) as trouble, Session(Server(host="127.0.0.1", port=mta.port, security="tls")):
        pass
    assert trouble.value.code == "smtp_tls"


def test_a_mailbox_at_its_limit_sends_through_it_and_has_the_copy(
    ready: Mailbox,
    member: Membership,
    box: Box,
    settle: Callable[..., int],
    trusted: Server,
    behind: MailServer,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.POSTROOM_MAIL_HOSTS = ["127.0.0.1"]
    where = {"host": trusted.host, "port": trusted.port, "security": trusted.security}
    servers.save(member.workspace, password=None, domains=["northwind.example"], steps_in=True, **where)

    def arrives(taken: Taken) -> None:
        if box.address in taken.recipients:
            message = message_from_bytes(taken.content, policy=default)
            box.deliver(subject=message["Subject"], from_=box.address, internet_message_id=message["Message-ID"])

    monkeypatch.setattr(behind, "delivered", arrives)
    box.may_send = 0
    one = commands.compose(ready, member, to=[("", "ben@contoso.example")], subject="Grüße", html="<p>Größe</p>")
    commands.send(one)
    settle(ready, ahead=timedelta(seconds=5))
    eventually(lambda: any(not m.is_draft for m in box.messages.values()), seconds=20, what="the copy comes back")
    settle(ready)
    one.refresh_from_db()
    assert one.state == "sent" and one.via == "127.0.0.1"
    assert one.sent_message is not None and one.sent_message.folder.role == "sent"
