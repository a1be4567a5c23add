"""Sending, as every connector has to do it."""

from collections.abc import Callable

import pytest

from postroom.providers.contract import Address, Change, FolderRole, RemoteMessage
from postroom.providers.errors import Refused, Transient
from tests.contract.helpers import arrived, eventually, file, folder_of, outgoing, sent_of
from tests.contract.worlds import World


def test_a_message_is_drafted_found_sent_and_found_again(world: World) -> None:
    source, out = world.source(), outgoing(world, bcc=(Address("eve@contoso.example"),))
    assert source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id) is None
    draft = source.create_draft(out)
    list(source.attach(draft.id, file(b"pdf")))
    found = source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
    assert found is not None
    assert (found.id, found.is_draft, [one.name for one in found.attachments or ()]) == (draft.id, True, ["offer.pdf"])
    source.send(draft.id)
    sent = sent_of(world, out)
    assert sent.folder_id == folder_of(source, FolderRole.SENT)
    assert (sent.internet_message_id, sent.subject) == (out.internet_message_id, "Offer")
    received = arrived(world)
    assert received.internet_message_id == out.internet_message_id
    assert received.bcc == ()
    assert received.body is not None
    assert "Here it is" in received.body.content
    assert [one.name for one in received.attachments or ()] == ["offer.pdf"]


@pytest.mark.parametrize("how", ["reply", "reply_all", "forward"])
def test_an_answer_belongs_to_the_conversation(world: World, how: str) -> None:
    source = world.source()
    question = source.get([world.deliver(subject="Question")])[0]
    assert isinstance(question, RemoteMessage)
    out = outgoing(world, answers=question.id, how=how, subject="Re: Question")
    draft = source.create_draft(out)
    found = source.find_sent(marker=out.marker, internet_message_id="<never@x>")
    assert found is not None
    assert found.id == draft.id, "the marker is on the draft of an answer too"
    source.send(draft.id)
    sent = sent_of(world, out)
    if how != "forward":
        assert sent.conversation_id == question.conversation_id
        assert arrived(world, "Re: Question").in_reply_to == question.internet_message_id


def test_a_message_to_oneself_is_found_in_sent_items(world: World) -> None:
    source, out = world.source(), outgoing(world, to=(Address(world.address),))
    source.send(source.create_draft(out).id)
    sent_of(world, out)
    eventually(lambda: source.count(folder_of(source, FolderRole.INBOX)).total or None)
    assert sent_of(world, out).folder_id == folder_of(source, FolderRole.SENT)


def test_a_large_file_arrives_whole(world: World) -> None:
    content = bytes(range(256)) * 20_000  # 5 MB: two parts of an upload
    source, out = world.source(), outgoing(world)
    draft = source.create_draft(out)
    list(source.attach(draft.id, file(content)))
    found = source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
    assert found is not None
    assert found.attachments
    assert b"".join(source.attachment(found.id, found.attachments[0].id)) == content


def test_a_deleted_draft_is_not_found_among_the_drafts_and_deleting_again_is_done(world: World) -> None:
    source, out = world.source(), outgoing(world)
    draft = source.create_draft(out)
    source.delete_draft(draft.id)
    source.delete_draft(draft.id)
    found = source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
    assert found is None or found.folder_id == folder_of(source, FolderRole.DELETED)


def test_a_draft_without_recipients_is_refused(world: World) -> None:
    source = world.source()
    draft = source.create_draft(outgoing(world, to=()))
    with pytest.raises(Refused):
        source.send(draft.id)


@pytest.mark.parametrize("step", ["create_draft", "send"])
@pytest.mark.parametrize("after", [False, True])
def test_a_write_that_broke_may_be_done_and_can_be_looked_up(world: World, step: str, after: bool) -> None:
    source, out = world.source(), outgoing(world)
    draft = None if step == "create_draft" else source.create_draft(out)
    world.trouble(step, after=after)
    with pytest.raises(Transient) as caught:
        if draft is None:
            source.create_draft(out)
        else:
            source.send(draft.id)
    assert caught.value.maybe_done
    if after and step == "send":
        assert sent_of(world, out).is_draft is False
    found = source.find_sent(marker=out.marker, internet_message_id=out.internet_message_id)
    assert (found is not None) is (after or step == "send")
    if found and found.is_draft:
        source.send(found.id)
        assert sent_of(world, out)


@pytest.mark.parametrize("step", ["spine", "pull", "get", "apply"])
def test_a_passing_trouble_is_survived_or_said_to_be_passing(world: World, step: str) -> None:
    identifier = world.deliver()
    source = world.source()
    inbox = folder_of(source, FolderRole.INBOX)
    world.trouble(step)
    calls: dict[str, Callable[[], object]] = {
        "spine": lambda: source.spine(inbox),
        "pull": lambda: source.pull(),
        "get": lambda: source.get([identifier]),
        "apply": lambda: source.apply([Change(id=identifier, is_read=True)]),
    }
    for _ in range(2):
        try:
            calls[step]()
            break
        except Transient:
            continue
    else:
        pytest.fail("it did not pass")


def test_who_is_away_is_told_before_a_message_is_sent(world: World) -> None:
    source = world.source()
    assert [(one.address, one.away) for one in source.tips([world.colleague])] == [(world.colleague, "")]
    world.away("<p>Back on Monday</p>")
    told = {one.address: one.away for one in source.tips([world.colleague, "ines@elsewhere.example"])}
    assert told == {world.colleague: "<p>Back on Monday</p>", "ines@elsewhere.example": ""}
