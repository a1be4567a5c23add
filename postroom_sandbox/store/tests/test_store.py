from __future__ import annotations

import random
from itertools import pairwise

import pytest

from postroom_sandbox.clock import iso, parse_iso, seconds_of
from postroom_sandbox.graph.tests.client import mail
from postroom_sandbox.store.changes import CREATED, READ_STATE, REMOVED, UPDATED, ChangeLog, Entry
from postroom_sandbox.store.conversations import SPLIT_AFTER
from postroom_sandbox.store.ids import MailboxIds
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.store.tree import NameTaken
from postroom_sandbox.world import World

ALICE, BERT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def mailbox(world: World) -> Mailbox:
    with world.operation():
        return world.mailbox(world.users.add("ada@contoso.example", "Ada"))


def test_ids_lead_back_to_their_numbers_and_to_no_other_mailbox() -> None:
    ours, theirs = MailboxIds(ALICE), MailboxIds(BERT)
    for number in (1, 77, 2**31, 2**40):
        assert ours.place_of(ours.default(7, number)) == (7, number)
        assert ours.sequence_of(ours.immutable(number)) == number
        assert ours.conversation_of(ours.conversation(number)) == number
        assert theirs.place_of(ours.default(7, number)) is None
        assert theirs.sequence_of(ours.immutable(number)) is None
    assert ours.folder_of(ours.folder(9)) == 9
    assert ours.attachment_of(ours.default(1, 2), ours.attachment(ours.default(1, 2), 3)) == 3
    assert ours.attachment_of(ours.default(1, 4), ours.attachment(ours.default(1, 2), 3)) is None


def test_ids_have_the_lengths_of_real_ones() -> None:
    ids = MailboxIds(ALICE)
    assert len(ids.default(1, 1)) == 152 and ids.default(1, 1).startswith("AAMkA")
    assert len(ids.immutable(1)) == 76 and ids.immutable(1).startswith("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A")
    assert len(ids.change_key(1)) == 40


def test_the_log_tells_each_placement_once_with_its_strongest_change() -> None:
    log = ChangeLog()
    for entry in (
        Entry(1, CREATED, 1, 1),
        Entry(2, READ_STATE, 1, 1),
        Entry(3, READ_STATE, 2, 2),
        Entry(4, UPDATED, 2, 2),
        Entry(5, READ_STATE, 2, 2),
        Entry(6, READ_STATE, 3, 3),
        Entry(7, REMOVED, 1, 1),
    ):
        log.add(entry)
    told = {entry.sequence: entry.kind for entry in log.between(0, 9)}
    assert told == {1: REMOVED, 2: UPDATED, 3: READ_STATE}
    assert [entry.kind for entry in log.between(0, 2)] == [CREATED]
    assert log.between(7, 9) == []


def test_replies_share_a_conversation_even_without_their_parent(world: World, mailbox: Mailbox) -> None:
    with world.operation():
        late = world.transport.deliver(mailbox, mail(number=3, headers="References: <m1@outside.example>\r\n"))
        other = world.transport.deliver(mailbox, mail(number=2, headers="In-Reply-To: m1@outside.example\r\n"))
        parent = world.transport.deliver(mailbox, mail(number=1))
        stranger = world.transport.deliver(mailbox, mail(number=9))
    assert late.conversation == other.conversation == parent.conversation != stranger.conversation


def test_a_very_long_conversation_is_split(world: World, mailbox: Mailbox) -> None:
    with world.operation():
        messages = [
            world.transport.deliver(mailbox, mail(number=number, headers="References: <root@x>\r\n"))
            for number in range(SPLIT_AFTER + 5)
        ]
    assert len({message.conversation for message in messages[:SPLIT_AFTER]}) == 1
    assert len({message.conversation for message in messages}) == 2
    assert messages[-1].conversation == messages[SPLIT_AFTER].conversation


def test_counts_and_order_hold_through_any_history(world: World, mailbox: Mailbox) -> None:
    chance = random.Random(4)
    folders = [mailbox.tree[name] for name in ("inbox", "archive", "deleteditems", "junkemail")]
    with world.operation():
        for number in range(120):
            raw = mail(number=number)
            world.transport.file(mailbox, raw, chance.choice(folders), received=chance.randrange(10**9), is_read=False)
        for _ in range(600):
            message = chance.choice(list(mailbox.messages.values()))
            act = chance.randrange(4)
            if act == 0:
                mailbox.move(message, chance.choice(folders))
            elif act == 1:
                mailbox.set_read(message, chance.random() < 0.5)
                mailbox.touch(message, read_state_only=True)
            elif act == 2 and len(mailbox.messages) > 60:
                mailbox.delete(message)
            else:
                mailbox.copy(message, chance.choice(folders))
    for folder in mailbox.tree:
        items = folder.messages.items
        assert all(one.order() < two.order() for one, two in pairwise(items))
        assert folder.unread == sum(not message.is_read for message in items)
        assert all(message.folder is folder and mailbox.places[message.place] is message for message in items)
    assert len(mailbox.all) == sum(len(f.messages) for f in mailbox.tree if f.well_known != "recoverableitemsdeletions")


def test_the_same_mail_in_two_mailboxes_is_stored_once(world: World, mailbox: Mailbox) -> None:
    with world.operation():
        other = world.mailbox(world.users.add("bob@contoso.example", "Bob"))
        one, two = world.transport.deliver(mailbox, mail()), world.transport.deliver(other, mail())
    assert one.content == two.content


def test_names_are_unique_among_siblings_only(mailbox: Mailbox) -> None:
    inbox = mailbox.tree["inbox"]
    mailbox.tree.create("Deals", inbox)
    with pytest.raises(NameTaken):
        mailbox.tree.create("DEALS", inbox)
    assert mailbox.tree.create("Deals", mailbox.tree["archive"]).path == "Archive/Deals"


@pytest.mark.parametrize("seconds", [0, -1, 2**32, -11_644_473_600, 253_402_300_799, 1_795_186_800])
def test_instants_are_written_and_read_alike(seconds: int) -> None:
    assert seconds_of(parse_iso(iso(seconds))) == seconds
    assert len(iso(seconds)) == 20
