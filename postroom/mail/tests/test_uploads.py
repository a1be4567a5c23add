"""Large files on their way into a draft: written down as they go, gone on with by whoever comes next."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from postroom.mail import commands, outbound
from postroom.mail.models import Composition, CompositionFile, Message
from postroom.mail.outbound import uploads
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import OutgoingAttachment, Uploading
from postroom.providers.errors import Transient
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.source import MemoryMail
from postroom.workspaces.models import Membership

Settle = Callable[..., int]
SESSION = "https://outlook.example/up?authtoken=secret"


class Parts:
    """A provider that takes files in two parts. ``sessions`` is what each attempt was given; ``cut`` ends one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sessions: list[str] = []
        self.cut: Callable[[], object] | None = None
        real = MemoryMail.attach

        def attach(
            source: MemoryMail, draft_id: str, file: OutgoingAttachment, *, session: str = ""
        ) -> Iterator[Uploading]:
            self.sessions.append(session)
            yield Uploading(session=session or SESSION, position=0 if not session else 3)
            cut, self.cut = self.cut, None
            if cut is not None:
                yield Uploading(session=SESSION, position=3)
                cut()
                yield Uploading(session=SESSION, position=5)
            yield from real(source, draft_id, file)

        monkeypatch.setattr(MemoryMail, "attach", attach)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    return Parts(monkeypatch)


@pytest.fixture
def letter(mailbox: Mailbox, member: Membership, settle: Settle) -> Composition:
    settle(mailbox)
    one = commands.compose(mailbox, member, to=[("", "ines@contoso.example")], subject="A film", html="<p>See</p>")
    commands.attach(one, name="film.mp4", content_type="video/mp4", chunks=[b"figures"])
    return one


def fail() -> None:
    raise Transient("the connection is gone")


def test_the_next_attempt_goes_on_where_the_last_one_was_and_nothing_is_left_of_it(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle, parts: Parts
) -> None:
    seen: list[tuple[bytes, int, str]] = []

    def lost() -> None:
        row = CompositionFile.objects.get()
        seen.append((bytes(row.sealed_upload), row.uploaded, outbound.statuses([letter])[letter.pk].why))
        fail()

    parts.cut = lost
    commands.send(letter)
    letter.refresh_from_db()
    settle(mailbox)
    assert parts.sessions == ["", SESSION]
    ((sealed, uploaded, why),) = seen
    assert sealed and b"secret" not in sealed and uploaded == 3
    assert why.startswith("3\xa0bytes of 7\xa0bytes of film.mp4")
    left = CompositionFile.objects.get()
    assert not left.sealed_upload and not left.uploaded
    assert [one.name for one in next(iter(box.messages.values())).attachments or ()] == ["film.mp4"]


def test_what_is_taken_back_while_it_goes_up_stays_one_draft_and_gets_its_file(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle, parts: Parts
) -> None:
    def taken_back() -> None:
        outbound.take_back(letter)
        fail()

    parts.cut = taken_back
    commands.send(letter)
    settle(mailbox, ahead=timedelta(0))
    assert parts.sessions == [""] and not next(iter(box.messages.values())).attachments
    settle(mailbox)
    assert parts.sessions == ["", SESSION]
    (draft,) = box.messages.values()
    assert draft.is_draft and [one.name for one in draft.attachments or ()] == ["film.mp4"]
    assert Composition.objects.count() == 1 and not CompositionFile.objects.get().sealed_upload


def test_an_answer_taken_back_while_it_goes_up_stays_one_draft(
    member: Membership, mailbox: Mailbox, box: Box, settle: Settle, parts: Parts
) -> None:
    """What it quotes stands in the provider's draft, and is ours all the same."""
    box.deliver(subject="Offer", from_="ines@contoso.example")
    settle(mailbox)
    one = commands.compose(mailbox, member, answers=Message.objects.get(), how="reply", html="<p>See</p>")
    commands.attach(one, name="film.mp4", content_type="video/mp4", chunks=[b"figures"])

    def taken_back() -> None:
        outbound.take_back(one)
        fail()

    parts.cut = taken_back
    commands.send(one)
    settle(mailbox, ahead=timedelta(0))
    settle(mailbox)
    (draft,) = [found for found in box.messages.values() if found.is_draft]
    assert [file.name for file in draft.attachments or ()] == ["film.mp4"] and Composition.objects.count() == 1


def test_where_to_go_on_is_good_for_one_file_in_one_draft_only(letter: Composition) -> None:
    file = CompositionFile.objects.get()
    uploads._keep(file, "d1", Uploading(session=SESSION, position=3))()
    file.refresh_from_db()
    assert uploads._session(file, "d1") == SESSION
    assert uploads._session(file, "d2") == ""
