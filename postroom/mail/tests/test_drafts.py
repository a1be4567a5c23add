"""A draft written on both sides: equal at rest, no text lost, sent exactly once (product.md SY9)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from postroom.lib import clock
from postroom.mail import commands, drafts
from postroom.mail.models import Composition, Message
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Address, RemoteBody, RemoteMessage
from postroom.providers.errors import Transient
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.source import MemoryMail
from postroom.providers.registry import connector
from postroom.sync import push
from postroom.sync.models import OutboxEntry
from postroom.workspaces.models import Membership

Settle = Callable[..., int]
Rest = Callable[[], None]
TO = [["Ben", "ben@contoso.example"]]


@pytest.fixture
def rest(box: Box, mailbox: Mailbox, settle: Settle) -> Rest:
    """Everything told, everything carried out, the first sync too."""

    def come_to_rest() -> None:
        settle(mailbox)
        for body in box.notifications():
            push.take(connector("memory").notified(body))
        settle(mailbox)

    come_to_rest()
    return come_to_rest


def _later(by: timedelta = timedelta(minutes=2)) -> None:
    assert isinstance(clock._read, clock.Clock)
    clock._read.advance(by)


def _chunks(content: bytes) -> Iterator[bytes]:
    yield content


def _write(mailbox: Mailbox, member: Membership, html: str = "<p>Hello</p>") -> Composition:
    one = commands.compose(mailbox, member, to=[("Ben", "ben@contoso.example")], subject="Offer")
    commands.save(one, html=html)
    return one


def _there(box: Box) -> list[RemoteMessage]:
    return [one for one in box.messages.values() if one.is_draft and one.folder_id == "drafts"]


def _text(message: RemoteMessage) -> str:
    return message.body.content if message.body else ""


def _outlook(box: Box, html: str, subject: str = "From Outlook") -> str:
    return box.deliver(
        subject=subject,
        html=html,
        folder="drafts",
        is_draft=True,
        is_read=True,
        from_=box.address,
        to=[Address("x@y.example")],
    )


def test_what_is_written_here_stands_in_drafts_and_changes_with_us(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    one = _write(mailbox, member)
    commands.attach(one, name="offer.pdf", content_type="application/pdf", chunks=_chunks(b"pdf"))
    rest()
    there = _there(box)
    assert [(m.subject, _text(m), [f.name for f in m.attachments or ()]) for m in there] == [
        ("Offer", "<p>Hello</p>", ["offer.pdf"])
    ]
    one.refresh_from_db()
    commands.save(one, html="<p>Hello again</p>")
    commands.detach(one, list(one.files.all()))
    rest()
    assert [(m.id, _text(m), m.attachments) for m in _there(box)] == [(there[0].id, "<p>Hello again</p>", ())]
    assert box.calls.count("create_draft") == 1


def test_a_pause_in_writing_is_one_request_and_nothing_new_is_none(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    one = _write(mailbox, member)
    for word in ("a", "b", "c"):
        commands.save(one, html=f"<p>{word}</p>")
        _later(timedelta(seconds=1))
    rest()
    assert (box.calls.count("create_draft"), box.calls.count("update_draft")) == (1, 0)
    one.refresh_from_db()
    commands.save(one, html="<p>c</p>")
    rest()
    assert box.calls.count("update_draft") == 0


def _one_way(mailbox: Mailbox) -> Callable[[], object]:
    lifecycle.set_direction(mailbox, Mailbox.Direction.ONE_WAY)
    return lambda: lifecycle.set_direction(mailbox, Mailbox.Direction.TWO_WAY)


def _disconnected(mailbox: Mailbox) -> Callable[[], object]:
    owner = mailbox.owner
    assert owner is not None
    lifecycle.disconnect(mailbox, delete=False)
    grant = connector("memory").authority().grant(mailbox.address)  # type: ignore[attr-defined]
    return lambda: lifecycle.connect(owner, "memory", grant)


@pytest.mark.parametrize("left", [_one_way, _disconnected])
def test_what_is_written_while_nothing_is_saved_there_stands_there_afterwards(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest, left: Callable[[Mailbox], Callable[[], object]]
) -> None:
    one = _write(mailbox, member)
    rest()
    back = left(mailbox)
    commands.save(Composition.objects.get(pk=one.pk), html="<p>Hello, Ben</p>")
    _later()
    rest()
    back()
    _later()
    rest()
    assert [_text(there) for there in _there(box)] == ["<p>Hello, Ben</p>"]


def test_what_is_written_while_it_is_being_saved_is_saved_next(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = _write(mailbox, member)
    rest()
    real = MemoryMail.update_draft

    def meanwhile(self: MemoryMail, *args: Any, **options: Any) -> Any:
        if one.html != "<p>Last word</p>":
            commands.save(one, html="<p>Last word</p>")
        return real(self, *args, **options)

    monkeypatch.setattr(MemoryMail, "update_draft", meanwhile)
    commands.save(one, html="<p>Second thought</p>")
    rest()
    assert [_text(there) for there in _there(box)] == ["<p>Last word</p>"]


def test_a_draft_from_outlook_is_continued_here_and_sent_as_that_very_draft(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    remote_id = _outlook(box, "<p>Begun in <b>Outlook</b></p>")
    rest()
    one = drafts.adopt(Message.objects.select_related("mailbox", "thread").get(remote_id=remote_id), member)
    assert (one.subject, one.to) == ("From Outlook", [["", "x@y.example"]])
    commands.save(one, html="<p>Finished here</p>", to=TO)
    rest()
    assert [(m.id, _text(m)) for m in _there(box)] == [(remote_id, "<p>Finished here</p>")]
    one.refresh_from_db()
    commands.send(one)
    rest()
    assert _there(box) == []
    sent = [m for m in box.messages.values() if m.folder_id == "sent"]
    assert [(m.subject, _text(m)) for m in sent] == [("From Outlook", "<p>Finished here</p>")]
    assert "create_draft" not in box.calls and box.calls.count("send") == 1
    assert not Message.objects.filter(is_draft=True).exists()


def test_sending_while_it_still_waits_to_be_saved_sends_once_and_leaves_no_draft(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    one = _write(mailbox, member)
    rest()
    one.refresh_from_db()
    commands.save(one, html="<p>Last words</p>")
    commands.send(one)
    rest()
    sent = [m for m in box.messages.values() if m.folder_id == "sent"]
    assert ([_text(m) for m in sent], _there(box)) == (["<p>Last words</p>"], [])


def test_a_crash_after_making_the_draft_makes_no_second_also_when_it_is_sent_then(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    box.fail_next(Transient(maybe_done=True), on="create_draft", after=True)
    first = _write(mailbox, member)
    rest()
    assert len(_there(box)) == 1
    box.fail_next(Transient(maybe_done=True), on="create_draft", after=True)
    OutboxEntry.objects.filter(kind="draft").update(due_at=clock.now())
    second = _write(mailbox, member, "<p>Second</p>")
    first.refresh_from_db()
    commands.send(first)
    commands.send(second)
    rest()
    assert sorted(_text(m) for m in box.messages.values() if m.folder_id == "sent") == ["<p>Hello</p>", "<p>Second</p>"]
    assert _there(box) == []


def test_an_edit_in_outlook_comes_here(box: Box, mailbox: Mailbox, member: Membership, rest: Rest) -> None:
    one = _write(mailbox, member)
    rest()
    _later()
    box.change(_there(box)[0].id, body=RemoteBody("html", "<p>Edited there</p>"), subject="Better offer")
    rest()
    one.refresh_from_db()
    assert (one.html, one.subject, one.taken, one.note) == ("<p>Edited there</p>", "Better offer", 1, "")
    assert Composition.objects.count() == 1


@pytest.mark.parametrize("later", ["here", "there"])
def test_if_both_changed_the_later_stays_and_the_other_is_a_second_draft(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest, later: str
) -> None:
    one = _write(mailbox, member)
    rest()
    one.refresh_from_db()
    _later()
    steps = {
        "here": lambda: commands.save(one, html="<p>Ours</p>"),
        "there": lambda: box.change(one.draft_id, body=RemoteBody("html", "<p>Theirs</p>")),
    }
    for side in ("there", "here") if later == "here" else ("here", "there"):
        steps[side]()
        _later(timedelta(seconds=3))
    rest()
    one.refresh_from_db()
    second = Composition.objects.get(split_from=one)
    won, lost = ("Ours", "Theirs") if later == "here" else ("Theirs", "Ours")
    assert (one.html, second.html) == (f"<p>{won}</p>", f"<p>{lost}</p>")
    assert one.note and second.note
    rest()
    assert sorted(_text(m) for m in _there(box)) == ["<p>Ours</p>", "<p>Theirs</p>"]
    assert Composition.objects.count() == 2


def test_thrown_away_here_it_lies_in_deleted_items(box: Box, mailbox: Mailbox, member: Membership, rest: Rest) -> None:
    one = _write(mailbox, member)
    rest()
    one.refresh_from_db()
    commands.discard(one)
    rest()
    assert [(m.folder_id, m.is_draft) for m in box.messages.values()] == [("deleted", True)]
    assert not Composition.objects.exists()


def test_thrown_away_in_outlook_it_goes_here_unless_it_was_written_on(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    gone, kept = _write(mailbox, member), _write(mailbox, member, "<p>Kept</p>")
    rest()
    kept.refresh_from_db()
    commands.save(kept, html="<p>Kept, and more</p>")
    for message in _there(box):
        box.move(message.id, "deleted")
    rest()
    assert not Composition.objects.filter(pk=gone.pk).exists()
    kept.refresh_from_db()
    assert kept.html == "<p>Kept, and more</p>"
    assert [_text(m) for m in _there(box)] == ["<p>Kept, and more</p>"]


def test_sent_in_outlook_it_is_no_draft_any_more(box: Box, mailbox: Mailbox, member: Membership, rest: Rest) -> None:
    one = _write(mailbox, member)
    rest()
    box.post(box.get(_there(box)[0].id))
    rest()
    one.refresh_from_db()
    assert one.state == "sent" and one.sent_message is not None


def test_an_answer_quotes_what_it_answers_once_on_both_sides(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    box.deliver(subject="Question", html="<p>What does it cost?</p>")
    rest()
    one = commands.compose(mailbox, member, answers=Message.objects.get(), how="reply")
    commands.save(one, html="<p>Nothing</p>")
    rest()
    assert _text(_there(box)[0]).count("What does it cost") == 1
    one.refresh_from_db()
    _later()
    box.change(one.draft_id, body=RemoteBody("html", _text(_there(box)[0]).replace("Nothing", "A little")))
    rest()
    one.refresh_from_db()
    assert "A little" in one.html and "What does it cost" not in one.html
    commands.send(one)
    rest()
    sent = next(m for m in box.messages.values() if m.folder_id == "sent")
    assert _text(sent).count("What does it cost") == 1 and "A little" in _text(sent)


def test_a_draft_goes_with_its_author_to_another_mailbox(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    one = _write(mailbox, member)
    rest()
    one.refresh_from_db()
    other = Mailbox.objects.create(
        workspace=mailbox.workspace, owner=member, provider="memory", address="sales@northwind.example", state="live"
    )
    marker = one.marker
    commands.save(one, mailbox=other)
    rest()
    assert [m.folder_id for m in box.messages.values()] == ["deleted"]
    one.refresh_from_db()
    assert (one.draft_id, one.marker != marker) == ("", True)


def test_saving_what_was_read_before_outlook_changed_it_overwrites_nothing(
    box: Box, mailbox: Mailbox, member: Membership, rest: Rest
) -> None:
    """Two transactions of one moment: the author's request read the row, then the engine took over Outlook's text."""
    one = _write(mailbox, member)
    _later()
    rest()
    read_before = Composition.objects.get(pk=one.pk)
    Composition.objects.filter(pk=one.pk).update(html="<p>From Outlook</p>", taken=read_before.taken + 1)
    waiting = OutboxEntry.objects.count()
    with pytest.raises(drafts.Overtaken):
        commands.save(read_before, html="<p>From here</p>")
    one.refresh_from_db()
    assert (one.html, OutboxEntry.objects.count()) == ("<p>From Outlook</p>", waiting)


def test_what_is_being_sent_is_not_rewritten_from_another_window(mailbox: Mailbox, member: Membership) -> None:
    one = _write(mailbox, member)
    Composition.objects.filter(pk=one.pk).update(state=Composition.State.SENDING)
    with pytest.raises(drafts.Overtaken):
        commands.save(one, html="<p>Later</p>")
    one.refresh_from_db()
    assert one.html == "<p>Hello</p>"
