"""What is dropped lands where it belongs, or waits where people see it."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count

from postroom.dropbox import addresses, filing, reception
from postroom.dropbox.models import DropBox, Dropped
from postroom.dropbox.smtp import Envelope
from postroom.dropbox.tests.conftest import ADELE, PEER, Zone, written
from postroom.dropbox.tests.test_mime import CORPUS, torture
from postroom.files import storage
from postroom.mail.models import Attachment, Message
from postroom.records.deals import commands as deals
from postroom.records.people import commands as people
from postroom.timeline.models import Link
from postroom.timeline.tests.world import World

State = Dropped.State
Take = Callable[..., Dropped]


@pytest.fixture
def ben(world: World) -> Any:
    return people.create(world.workspace, by=world.adele, last_name="Ben", addresses=["ben@contoso.example"])


def test_a_copy_of_a_sent_mail_is_filed_on_the_contact_it_was_written_to(world: World, ben: Any, dropped: Take) -> None:
    row = dropped(written())
    assert (row.state, row.reason, row.verdicts["spf"]) == (State.FILED, "", "pass")
    message = row.message
    assert message is not None and message.subject == "Renewal terms" and message.from_address == ADELE
    assert message.mailbox.owner == world.adele and message.body.text.strip() == "As agreed on the telephone."
    assert [link.person for link in Link.objects.filter(conversation=message.thread.conversation)] == [ben]
    assert DropBox.objects.get().filed == 1


def test_files_come_along_and_the_plus_part_names_a_record(world: World, dropped: Take) -> None:
    deal = deals.create(world.workspace, by=world.adele, name="Renewal")
    mail = written()
    mail.add_attachment(b"figures\x00\xff", maintype="application", subtype="pdf", filename="Angebot für Ben.pdf")
    row = dropped(mail, about=f"deal{deal.pk}")
    attachment = Attachment.objects.get(message=row.message)
    assert attachment.name == "Angebot für Ben.pdf" and attachment.blob is not None
    assert b"".join(storage.chunks(attachment.blob)) == b"figures\x00\xff"
    assert Link.objects.get().deal == deal


def test_the_same_mail_twice_is_filed_once(dropped: Take) -> None:
    mail = written()
    first, again = dropped(mail), dropped(b"Received: from elsewhere\r\n" + bytes(mail))
    assert (first.state, again.state) == (State.FILED, State.DOUBLE)
    assert Message.objects.count() == 1


def test_what_a_mailbox_of_the_member_has_already_is_linked_and_not_stored_again(world: World, dropped: Take) -> None:
    deal = deals.create(world.workspace, by=world.adele, name="Renewal")
    mail = written()
    here = world.mail(ADELE, "ben@contoso.example")
    Message.objects.filter(pk=here.pk).update(internet_message_id=mail["Message-ID"])
    row = dropped(mail, about=f"deal-{deal.pk}")
    assert row.message == here and Message.objects.count() == 1
    assert Link.objects.get().conversation == here.thread.conversation


def test_the_secret_address_is_kept_out_of_what_is_stored(drop: DropBox, dropped: Take) -> None:
    secret = addresses.address_of(drop)
    row = dropped(written(to=f"Ben <ben@contoso.example>, {secret}"))
    assert row.message is not None and row.message.to == [["Ben", "ben@contoso.example"]]
    assert secret.partition("@")[0] not in str(Message.objects.values())
    assert DropBox.objects.get().leaked_at is not None


@pytest.mark.parametrize(
    ("mail", "sender", "peer", "reason"),
    [
        (written(), ADELE, "198.51.100.66", "Nothing proves"),
        (written(sender="Eve <eve@evil.example>"), "adele+x@northwind.example", "198.51.100.66", "Nothing proves"),
        (written(sender="Eve <eve@evil.example>"), "forwarding-noreply@google.com", PEER, "none of your addresses"),
        (written(sender=f"{ADELE}, eve@evil.example"), ADELE, PEER, "no author, or several"),
        (written(sender=f'"{ADELE}" <eve@evil.example>'), "x@evil.example", PEER, "none of your addresses"),
    ],
)
def test_what_is_not_proven_to_be_the_members_waits(
    mail: EmailMessage, sender: str, peer: str, reason: str, dropped: Take
) -> None:
    row = dropped(mail, sender=sender, peer=peer)
    assert row.state == State.HELD and reason in row.reason and Message.objects.count() == 0


def test_while_the_dns_is_silent_it_is_tried_again_and_then_waits_for_somebody(zone: Zone, dropped: Take) -> None:
    zone.silent = True
    row = dropped(written())
    assert row.state == State.NEW and row.due_at > row.taken_at
    for _ in range(filing.QUESTIONS):
        Dropped.objects.update(due_at=row.taken_at)
        filing.take(row.pk)
    row.refresh_from_db()
    assert row.state == State.HELD and "DNS" in row.reason


def test_a_mail_that_ends_whoever_works_on_it_waits_in_the_end(dropped: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object, **__: object) -> None:
        raise RuntimeError("of ours")

    monkeypatch.setattr(filing.placing, "place", bug)
    row = dropped(written())
    for _ in range(filing.ATTEMPTS):
        Dropped.objects.update(due_at=row.taken_at)
        filing.take(row.pk)
    row.refresh_from_db()
    assert row.state == State.HELD and row.reason == "It could not be read or stored."


def test_loops_and_automatic_mail_are_counted_and_not_filed(dropped: Take) -> None:
    circle = b"Received: from a by b\r\n" * 60 + bytes(written())
    answer = written(sender="ben@contoso.example", Auto_Submitted="auto-replied", subject="Automatic reply: away")
    assert dropped(circle).state == State.LOOP
    assert dropped(written(X_Postroom_Loop="1")).state == State.LOOP
    assert dropped(answer).state == State.AUTOMATIC
    own = written(subject="Out of office on Friday")
    assert dropped(own).state == State.FILED
    box = DropBox.objects.get()
    assert (box.loops, box.automatic, box.filed) == (2, 1, 1) and Message.objects.count() == 1


def test_who_waits_can_be_filed_or_discarded_by_somebody(world: World, ben: Any, dropped: Take) -> None:
    row, other = dropped(written(), peer="198.51.100.66"), dropped(written(subject="Spam"), peer="198.51.100.66")
    assert filing.by_hand(row, by=world.adele)
    filing.discard(other, by=world.adele)
    row.refresh_from_db()
    assert row.state == State.FILED and row.settled_by == world.adele and Link.objects.get().person == ben
    assert other.state == State.DISCARDED and Message.objects.count() == 1


def test_an_address_that_is_added_is_one_of_the_members_once_it_proves_itself(
    zone: Zone, drop: DropBox, dropped: Take
) -> None:
    zone.publish("home.example", "TXT", f"v=spf1 ip4:{PEER} -all".encode())
    sender = addresses.add_sender(drop, "Adele@Home.example")
    row = dropped(written(sender="adele@home.example"), sender="adele@home.example")
    sender.refresh_from_db()
    assert row.state == State.FILED and sender.proved_at is not None


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mail is not here")
def test_whatever_is_taken_is_filed_or_waits_and_what_waits_can_be_filed(
    world: World, drop: DropBox, tmp_path: Path
) -> None:
    """A part of the torture set, on the whole way behind the receiver."""
    text, envelope = tmp_path / "text", Envelope(via="lmtp", peer=PEER, sender=ADELE)
    some = [raw for number, (_, raw) in enumerate(torture()) if number % 30 == 0]
    for raw in some:
        text.write_bytes(raw)
        assert reception.keep(envelope, addresses.address_of(drop), text, len(raw)).is_good
    for pk in filing.due():
        filing.take(pk)
    states = dict(Dropped.objects.values_list("state").annotate(n=Count("pk")))
    assert sum(states.values()) == len(some) > 25
    assert set(states) <= {"filed", "held", "automatic", "loop", "double"}
    waiting = Dropped.objects.filter(state=State.HELD)
    assert not waiting.filter(reason="").exists() and waiting.exists()
    assert all(filing.by_hand(row, by=world.adele) for row in waiting.select_related("box__mailbox", "raw"))
    assert not Dropped.objects.filter(state__in=(State.HELD, State.NEW)).exists()
    assert Message.objects.count() > 15
