"""A mail on its whole way: a real Postfix, set up as docs/drop-boxes.md says, hands it to us, and it is filed."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from postroom.dropbox import addresses, filing, reception, running
from postroom.dropbox.models import DropBox, Dropped
from postroom.dropbox.tests.conftest import ADELE, Zone, listening
from postroom.dropbox.tests.test_verdicts import key, signed
from postroom.mail.models import Message
from postroom.records.people import commands as people
from postroom.timeline.models import Link
from postroom.timeline.tests.world import World, build
from tests.architecture.house import ROOT
from tests.platform.postfix import missing, postfix
from tests.platform.waiting import eventually

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing() or "-"),
    pytest.mark.django_db(transaction=True),
]


def documented(*, lmtp: int, policy: int) -> str:
    """The lines of main.cf that the guide gives, with our ports, name and certificate."""
    guide = (ROOT / "docs" / "drop-boxes.md").read_text()
    block = next(one for one in re.findall(r"```\n(.*?)```", guide, re.DOTALL) if "relay_transport" in one)
    for old, new in (
        ("in.example.com.pem", "certificate.pem"),
        ("in.example.com.key", "certificate.pem"),
        ("/etc/ssl", "{home}"),
        ("in.example.com", "in.postroom.example"),
        ("]:8024", f"]:{lmtp}"),
        (":8025", f":{policy}"),
    ):
        assert old in block, old
        block = block.replace(old, new)
    return str(block)


@pytest.fixture
def world(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.MEDIA_ROOT = tmp_path / "files"
    zone = Zone()
    zone.publish("s1._domainkey.northwind.example", "TXT", key()[1])
    monkeypatch.setattr(filing, "resolver", zone)
    monkeypatch.setattr(reception.jobs, "soon", lambda pk: None)
    monkeypatch.setattr(reception, "_with_fresh_connection", _once)
    return build()


def _once(work: Any) -> Any:
    """Threads that end with their test leave no connection to its database."""
    try:
        return work()
    finally:
        connections.close_all()


@pytest.fixture
def mta(world: World) -> Iterator[int]:
    with ExitStack() as stack:
        lmtp, policy = (stack.enter_context(listening(running.handler(kind))) for kind in ("lmtp", "policy"))
        running_mta = stack.enter_context(postfix(to=9, more=documented(lmtp=lmtp, policy=policy)))
        yield running_mta.port


def test_a_mail_is_filed_on_the_contact_and_strangers_are_refused_while_they_wait(mta: int, world: World) -> None:
    ben = people.create(world.workspace, by=world.adele, last_name="Ben", addresses=["ben@contoso.example"])
    address = addresses.address_of(addresses.open_box(world.adele))
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", mta, timeout=30) as client:
        client.starttls(context=unchecked)
        client.ehlo("mail.northwind.example")
        client.mail("eve@evil.example")
        assert client.rcpt(address)[0] == 550
        client.rset()
        client.mail(ADELE)
        code, words = client.rcpt(f"log-{'a' * 24}@in.postroom.example")
        assert code == 550 and b"5.1.1" in words
        assert client.rcpt("ben@contoso.example")[0] in (454, 550, 554)  # nobody's relay
        assert client.rcpt(address)[0] == 250
        assert client.data(signed("northwind.example"))[0] == 250
    row = eventually(Dropped.objects.first, seconds=30, what="Postfix hands it on")
    assert (row.sender, row.peer, row.helo, row.via) == (ADELE, "127.0.0.1", "mail.northwind.example", "lmtp")
    filing.take(row.pk)
    row.refresh_from_db()
    assert (row.state, row.reason, row.verdicts["dkim"]) == ("filed", "", "pass")
    message = Message.objects.get()
    assert message.subject == "Renewal terms"
    assert [link.person for link in Link.objects.filter(conversation=message.thread.conversation)] == [ben]
    assert DropBox.objects.get().turned_away == 1


def test_while_we_cannot_answer_senders_are_told_to_come_again(
    mta: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = addresses.address_of(addresses.open_box(world.adele))

    def away(*_: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(reception, "asked", away)
    with smtplib.SMTP("127.0.0.1", mta, timeout=30) as client:
        client.ehlo("mail.northwind.example")
        client.mail(ADELE)
        assert client.rcpt(address)[0] == 451
    assert not Dropped.objects.exists()
