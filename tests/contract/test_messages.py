"""Whole messages and changing them, as every connector has to do it."""

from datetime import UTC, datetime, timedelta

import pytest

from postroom.providers.contract import Change, Flag, Gone, RemoteMessage
from postroom.providers.errors import NotFound
from tests.contract.helpers import a_purged_message, pulled
from tests.contract.worlds import World


def test_a_pull_brings_every_message_of_every_folder_once_with_its_body(world: World) -> None:
    folder = world.folder("Elsewhere")
    ids = [world.deliver(body=f"<p>Body {number}</p>", file=b"bytes") for number in range(12)]
    ids += [world.deliver(folder=folder) for _ in range(12)]
    items = pulled(world.source)
    assert sorted(one.id for one in items) == sorted(ids)
    assert all(isinstance(one, RemoteMessage) and one.body and one.headers is not None for one in items)
    whole = next(one for one in items if one.id == ids[5])
    assert isinstance(whole, RemoteMessage)
    assert whole.body is not None
    assert "Body 5" in whole.body.content
    assert [(one.name, one.size) for one in whole.attachments or ()] == [("a.bin", 5)]
    assert (whole.cc, whole.bcc, whole.references, whole.in_reply_to) == ((), (), (), "")


def test_a_pull_keeps_to_its_dates(world: World) -> None:
    ids = {world.deliver() for _ in range(3)}
    now = datetime.now(UTC)
    day = timedelta(days=1)
    assert {one.id for one in pulled(world.source, since=now - day, before=now + day)} == ids
    assert pulled(world.source, since=now + day) == []
    assert pulled(world.source, before=now - day) == []


def test_get_answers_every_id_in_order(world: World) -> None:
    folder = world.folder("Other")
    ids = [world.deliver(subject=str(number)) for number in range(23)]
    world.move(ids[1], folder)
    world.purge(ids[2])
    source = world.source()
    whole = source.get(ids)
    assert [one.id for one in whole] == ids
    assert isinstance(whole[2], Gone)
    assert all(isinstance(one, RemoteMessage) and one.body for one in [*whole[:2], *whole[3:]])
    where = source.get(ids[:3], whole=False)
    assert isinstance(where[1], RemoteMessage)
    assert (where[1].folder_id, where[1].body) == (folder, None)
    assert where[1].change_key
    assert isinstance(where[2], Gone)
    assert source.get([]) == []


def test_bytes_come_whole(world: World) -> None:
    content = bytes(range(256)) * 500
    source = world.source()
    message = source.get([world.deliver(subject="Bytes", file=content)])[0]
    assert isinstance(message, RemoteMessage)
    assert message.attachments
    assert b"".join(source.attachment(message.id, message.attachments[0].id)) == content
    mime = b"".join(source.mime(message.id))
    assert (message.internet_message_id or "?").encode() in mime
    with pytest.raises(NotFound):
        b"".join(source.mime(a_purged_message(world)))


@pytest.mark.parametrize("subject", ["nul \x00 in it", "emoji 😀 עברית", "x" * 3000, " ", "\ufffe \u202e"])
def test_odd_text_arrives_and_can_be_stored(world: World, subject: str) -> None:
    identifier = world.deliver(
        subject=subject.replace("\x00", "\ufffd") if world.connector.name == "memory" else subject
    )
    for message in (*pulled(world.source), *world.source().get([identifier])):
        assert isinstance(message, RemoteMessage)
        assert "\x00" not in (message.subject or "")
        assert (message.subject or "").encode() is not None


def test_changes_are_applied_and_the_message_comes_back_as_it_is_now(world: World) -> None:
    folder = world.folder("Done")
    first, second, gone = world.deliver(), world.deliver(), a_purged_message(world)
    changes = [
        Change(id=first, is_read=True),
        Change(id=second, flag=Flag.FLAGGED, categories=("Red category",)),
        Change(id=gone, is_read=True),
        Change(id=first, move_to=folder),
        Change(id=first, is_read=False),
    ]
    source = world.source()
    applied = source.apply(changes)
    assert [one.id for one in applied] == [one.id for one in changes]
    assert [one.refused is None for one in applied] == [True, True, False, True, True]
    assert isinstance(applied[2].refused, NotFound)
    assert applied[4].message is not None
    assert (applied[4].message.is_read, applied[4].message.folder_id) == (False, folder)
    now = {one.id: one for one in source.get([first, second])}
    assert isinstance(moved := now[first], RemoteMessage)
    assert (moved.folder_id, moved.is_read) == (folder, False)
    assert moved.change_key == applied[4].message.change_key
    assert isinstance(flagged := now[second], RemoteMessage)
    assert (flagged.flag, flagged.categories) == (Flag.FLAGGED, ("Red category",))


def test_applying_twice_is_harmless(world: World) -> None:
    folder = world.folder("Done")
    ids = [world.deliver() for _ in range(25)]
    changes = [Change(id=identifier, move_to=folder) for identifier in ids]
    source = world.source()
    for _ in range(2):
        assert all(one.refused is None for one in source.apply(changes))
    assert source.count(folder).total == 25


def test_a_move_goes_alone(world: World) -> None:
    with pytest.raises(ValueError, match="alone"):
        world.source().apply([Change(id=world.deliver(), is_read=True, move_to="anywhere")])


def test_a_message_is_found_by_its_message_id_wherever_it_lies(world: World) -> None:
    wanted, _ = world.deliver(subject="Offer"), world.deliver(subject="Offer")
    world.move(wanted, world.folder("Elsewhere"))
    source = world.source()
    told = source.get([wanted])[0]
    assert isinstance(told, RemoteMessage)
    found = source.find(internet_message_id=told.internet_message_id or "")
    assert [(one.id, one.folder_id, one.body) for one in found] == [(wanted, told.folder_id, None)]
    assert source.find(internet_message_id="<o'nobody@x.example>") == []


def test_messages_are_found_by_words_of_their_subject(world: World) -> None:
    one, _ = world.deliver(subject="Re: Offer (no. 4711) for Südwest"), world.deliver(subject="Offer 12")
    source = world.source()
    assert [found.id for found in source.find(subject="offer südwest: 4711")] == [one]
    assert source.find(subject="nothing of the kind") == []
    assert source.find(subject="!!") == []
    assert len(source.find(subject="offer", most=1)) == 1
