"""Who may write where, and that nothing is acknowledged before it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postroom.accounts.keys import keyring
from postroom.dropbox import addresses, policy, reception
from postroom.dropbox.models import DropBox, Dropped
from postroom.dropbox.smtp import OK, TAKEN, Envelope
from postroom.dropbox.tests.conftest import ADELE, Client, Desk, listening
from postroom.files import storage
from postroom.timeline.tests.world import World


def test_an_address_is_long_random_and_found_by_it_alone(world: World, drop: DropBox) -> None:
    address = addresses.address_of(drop)
    local, _, domain = address.partition("@")
    assert local.startswith("log-") and len(local) == 28 and domain == "in.postroom.example"
    assert addresses.box_of(address.upper()) == drop
    assert addresses.named(f"{local}+deal-42@{domain}") == (bytes(drop.token_key or b""), "deal-42")
    wrong = [f"{local[:-1]}@{domain}", f"{local}x@{domain}", f"{local}@else.example", f"x@{domain}", local, "", "@"]
    assert [addresses.box_of(one) for one in wrong] == [None] * 7
    assert local.partition("-")[2].encode() not in bytes(drop.sealed_token)


def test_who_may_write_is_a_matter_of_the_return_path(world: World, drop: DropBox) -> None:
    address = addresses.address_of(drop)
    addresses.add_sender(drop, "adele@home.example")
    good = [ADELE, ADELE.upper(), "adele+caf_=x=y@northwind.example", "adele@home.example"]
    assert [reception.asked(one, address) for one in good] == [OK] * 4
    bad = ["bob@northwind.example", "", "adele@northwind.example.evil.example", "eve@evil.example"]
    assert [reception.asked(one, address) for one in bad] == [reception.STRANGER] * 4
    assert reception.asked(ADELE, f"log-{'a' * 24}@in.postroom.example") == reception.UNKNOWN
    assert DropBox.objects.get().turned_away == 4


def test_an_address_that_was_changed_or_closed_is_unknown(world: World, drop: DropBox) -> None:
    before = addresses.address_of(drop)
    now = addresses.address_of(addresses.open_box(world.adele))
    assert (reception.asked(ADELE, before), reception.asked(ADELE, now)) == (reception.UNKNOWN, OK)
    addresses.close_box(DropBox.objects.get())
    assert reception.asked(ADELE, now) == reception.UNKNOWN and addresses.address_of(DropBox.objects.get()) == ""


def test_a_process_is_wanted_since_the_first_open_address_of_a_member(world: World, settings: Any) -> None:
    assert addresses.open_since() is None
    first, second = addresses.open_box(world.adele), addresses.open_box(world.bob)
    assert addresses.open_since() == first.made_at
    addresses.close_box(first)
    assert addresses.open_since() == second.made_at
    world.bob.removed_at = second.made_at
    world.bob.save()
    assert addresses.open_since() is None
    addresses.open_box(world.adele)
    settings.POSTROOM_DROPBOX_DOMAIN = ""
    assert addresses.open_since() is None


def test_who_is_no_member_any_more_has_no_address(world: World, drop: DropBox) -> None:
    address = addresses.address_of(drop)
    world.adele.removed_at = drop.made_at
    world.adele.save()
    assert reception.asked(ADELE, address) == reception.UNKNOWN


def test_a_flood_for_one_address_waits_at_its_sender(
    drop: DropBox, dropped: Callable[..., Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped(b"Subject: one\r\n\r\n")
    monkeypatch.setattr(reception, "MAILS_AN_HOUR", 1)
    assert reception.asked(ADELE, addresses.address_of(drop)) == reception.BUSY


def test_text_and_envelope_are_kept_before_it_is_taken(drop: DropBox, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"Subject: x\r\n\r\n\xff\x00")
    envelope = Envelope(via="lmtp", peer="192.0.2.9", helo="mail\x00.example", sender=ADELE)
    local, _, domain = addresses.address_of(drop).partition("@")
    assert reception.keep(envelope, f"{local}+deal-4@{domain}", text, 16) == TAKEN
    row = Dropped.objects.get()
    assert row.raw is not None and b"".join(storage.chunks(row.raw)) == text.read_bytes()
    assert (row.state, row.sender, row.about, row.peer) == ("new", ADELE, "deal-4", "192.0.2.9")
    assert DropBox.objects.get().used_at == row.taken_at


def test_the_secrets_follow_the_keys(drop: DropBox, monkeypatch: pytest.MonkeyPatch) -> None:
    address = addresses.address_of(drop)
    assert addresses.reseal() == 0
    monkeypatch.setattr(type(keyring()), "is_current", lambda *_: False)
    assert addresses.reseal() == 1 and addresses.address_of(DropBox.objects.get()) == address


@pytest.mark.parametrize(
    ("recipient", "broken", "answer"),
    [
        ("good@in.test", False, "action=OK"),
        ("bad@in.test", False, "action=550 5.1.1 No such address here"),
        ("good@in.test", True, "action=451 4.3.0 Not now, please try again later"),
    ],
)
def test_a_mail_server_is_told_while_its_client_waits(recipient: str, broken: bool, answer: str) -> None:
    desk = Desk()
    desk.broken = broken

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await policy.serve(desk, reader, writer)

    with listening(answered) as port:
        client = Client(port)
        for _ in range(2):
            client.say(f"request=smtpd_access_policy\nsender=ana@x.example\nrecipient={recipient}\n\n".encode())
            assert [client.hear(), client.hear()] == [answer, ""]
        client.close()


def test_the_desk_answers_for_each_recipient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def keep(envelope: Envelope, recipient: str, text: Path, size: int) -> Any:
        if recipient == "b":
            raise OSError("no room")
        return TAKEN

    monkeypatch.setattr(reception, "keep", keep)
    monkeypatch.setattr(reception, "close_old_connections", lambda: None)
    envelope = Envelope(via="lmtp", recipients=["a", "b", "a", "c"])
    replies = asyncio.run(reception.Reception().deliver(envelope, tmp_path, 1))
    assert [reply.code for reply in replies] == [250, 451, 250, 250]
