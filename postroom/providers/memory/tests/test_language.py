"""The language of the in-process provider, as tests of the engine use it. The contract itself is in tests/contract."""

from typing import Any

import pytest

from postroom.providers.budget import budget_of
from postroom.providers.contract import Address, Change, Flag, RemoteMessage, Removed, Unusable
from postroom.providers.errors import Refused, Throttled, Transient
from postroom.providers.memory import Memory
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.source import MemoryMail


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def box(memory: Memory) -> Box:
    return memory.mailbox("ana@northwind.example")


@pytest.fixture
def source(memory: Memory, box: Box) -> MemoryMail:
    return open_(memory)


def open_(memory: Memory, key: str = "memory:language") -> MemoryMail:
    token = memory.accounts.grant("ana@northwind.example").access_token
    found = memory.mail(token=lambda *, rejected=None, claims=None: token, mailbox_key=key)
    assert isinstance(found, MemoryMail)
    return found


def listed(source: MemoryMail, folder: str = "inbox") -> str:
    page = source.spine(folder)
    while page.done is None:
        page = source.spine(folder, page.next)
    return page.done


def changes(source: MemoryMail, cursor: str, folder: str = "inbox") -> list[Any]:
    found, page = [], source.spine(folder, cursor)
    while True:
        found += page.items
        if page.done is not None:
            return found
        page = source.spine(folder, page.next)


def test_a_failure_happens_as_often_as_was_said_and_where(box: Box, source: MemoryMail) -> None:
    box.fail_next(Throttled(retry_after=3), on="pull", times=2)
    source.count("inbox")
    for _ in range(2):
        with pytest.raises(Throttled):
            source.pull()
    assert source.pull().items == ()


def test_a_failure_after_the_work_leaves_the_work_done(box: Box, source: MemoryMail) -> None:
    message = box.deliver()
    box.fail_next(Transient(maybe_done=True), on="apply", after=True)
    with pytest.raises(Transient):
        source.apply([Change(id=message, is_read=True)])
    assert box.get(message).is_read is True


def test_an_awkward_delta_starts_empty_repeats_rows_and_replays_the_past(box: Box, source: MemoryMail) -> None:
    past = box.deliver()
    first = source.spine("inbox")
    assert (first.items, first.done) == ((), None)
    cursor = listed(source)
    old, new = box.deliver(subject="old"), box.deliver(subject="new")
    rows = [one.id for one in changes(source, cursor)]
    assert set(rows) == {past, old, new}
    assert len(rows) > len(set(rows))


def test_a_change_of_state_arrives_as_a_sparse_row(box: Box, source: MemoryMail) -> None:
    message = box.deliver(subject="Offer")
    cursor = listed(source)
    box.read(message)
    box.flag(message)
    row = changes(source, cursor)[-1]
    box.awkward = False
    plain = changes(source, cursor)[-1]
    assert (plain.subject, plain.is_read, plain.flag) == ("Offer", True, Flag.FLAGGED)
    assert (row.is_read, row.flag) in [(True, Flag.FLAGGED), (True, None)]


def test_a_plain_box_tells_each_change_once(box: Box, source: MemoryMail) -> None:
    box.awkward = False
    gone, kept = box.deliver(), box.deliver()
    cursor = listed(source)
    box.delete(gone)
    box.read(kept)
    found = changes(source, cursor)
    assert found[0] == Removed(gone)
    assert found[1] == RemoteMessage(
        id=kept, **{n: getattr(found[1], n) for n in found[1].__struct_fields__ if n != "id"}
    )
    assert len(found) == 2


def test_a_spoiled_message_never_stops_its_page(box: Box, source: MemoryMail) -> None:
    bad, good = box.deliver(), box.deliver()
    box.spoil(bad, "broken")
    assert {type(one) for one in source.pull().items} == {Unusable, RemoteMessage}
    assert source.get([bad, good])[0] == Unusable(bad, "broken")


def test_mail_reaches_the_other_mailboxes_of_its_world_in_the_thread_it_answers(memory: Memory, box: Box) -> None:
    ben = memory.mailbox("ben@northwind.example")
    question = ben.deliver(subject="Question", internet_message_id="<q@x>")
    draft = box.deliver(
        folder="drafts",
        is_draft=True,
        to=["BEN@northwind.example"],
        bcc=(Address("ben@northwind.example"),),
        in_reply_to="<q@x>",
        files={"a": b"bytes"},
    )
    sent = box.post(box.get(draft))
    assert sent.id != draft, "a draft's id is not that of the sent copy"
    answer = next(one for one in ben.within("inbox") if one.id != question)
    assert answer.conversation_id == ben.get(question).conversation_id
    assert answer.bcc == ()
    assert ben.files[answer.id, (answer.attachments or ())[0].id] == b"bytes"


def test_calls_are_counted_like_a_real_provider_counts_them(box: Box, memory: Memory) -> None:
    source, budget = open_(memory, "memory:counted"), budget_of("memory:counted")
    source.pull()
    source.roles()
    assert budget.requests == 2
    assert box.calls == ["pull", "roles"]


def test_a_folder_goes_with_all_that_is_in_it(box: Box, source: MemoryMail) -> None:
    parent = box.folder("Parent")
    message = box.deliver(folder=box.folder("Child", parent))
    box.remove_folder(parent)
    assert message not in box.messages
    with pytest.raises(Refused):
        box.folder("A")
        box.folder("A")
