"""Taking a message back, sending it later, and what its author sees meanwhile (product.md SE6, SE7)."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from postroom.lib import clock
from postroom.mail import commands, drafts, outbound, schedule, sending, signatures, store
from postroom.mail.models import Composition, Message
from postroom.mail.prepare import prepare
from postroom.mailboxes.models import Failure, Mailbox
from postroom.providers.errors import Transient
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.source import MemoryMail
from postroom.sync.models import OutboxEntry
from postroom.workspaces.models import Membership

Settle = Callable[..., int]
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def letter(mailbox: Mailbox, member: Membership, settle: Settle) -> Composition:
    settle(mailbox)
    return commands.compose(
        mailbox, member, to=[("Ines", "ines@contoso.example")], subject="Offer", html="<p>Dear Ines</p>"
    )


def status(one: Composition) -> outbound.Status:
    one.refresh_from_db()
    return outbound.statuses([one])[one.pk]


def sent(box: Box) -> list[str]:
    return [one.subject for one in box.messages.values() if not one.is_draft]


def delete_each_copy_at_once(box: Box, monkeypatch: pytest.MonkeyPatch, *, then: Exception | None = None) -> None:
    """Whatever is sent goes out, and before we look its copy is deleted for good; ``then``: what we hear of it."""
    real = MemoryMail.send

    def sent_and_deleted(self: MemoryMail, draft_id: str) -> None:
        real(self, draft_id)
        for message_id in [key for key, one in box.messages.items() if not one.is_draft]:
            box.delete(message_id)
        if then is not None:
            raise then

    monkeypatch.setattr(MemoryMail, "send", sent_and_deleted)


def test_a_copy_that_was_deleted_for_good_before_we_saw_it_is_not_looked_for_for_ever(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_each_copy_at_once(box, monkeypatch)
    commands.send(letter)
    settle(mailbox)
    assert status(letter).kind == "sending"
    settle(mailbox, ahead=timedelta(minutes=11))
    assert status(letter).kind == "sent" and not box.messages
    assert not OutboxEntry.objects.filter(state__in=OutboxEntry.OPEN).exists()


def test_of_what_went_out_as_the_connection_was_lost_and_has_no_copy_any_more_the_author_decides(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_each_copy_at_once(box, monkeypatch, then=Transient("connection lost"))
    commands.send(letter)
    settle(mailbox, ahead=timedelta(minutes=15))
    assert len(box.sent) == 1
    assert status(letter).kind == "held" and "may have gone out" in status(letter).why


def test_the_draft_that_somebody_listed_while_it_was_being_sent_goes_with_it(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = MemoryMail.send

    def listed_and_sent(self: MemoryMail, draft_id: str) -> None:
        store.put(mailbox, [prepare(box.messages[draft_id], own_addresses=frozenset())])
        real(self, draft_id)

    monkeypatch.setattr(MemoryMail, "send", listed_and_sent)
    commands.send(letter)
    settle(mailbox, ahead=timedelta(seconds=1))  # before anybody tells us of it
    assert status(letter).kind == "sent"
    assert [one.is_draft for one in Message.objects.filter(mailbox=mailbox)] == [False]


# --- taking back ---------------------------------------------------------------------------------------------------


def test_a_message_waits_as_long_as_it_can_be_taken_back(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle
) -> None:
    commands.send(letter, undo=10)
    settle(mailbox, ahead=timedelta(seconds=9))
    assert not sent(box) and status(letter).kind == "undo" and status(letter).may_cancel
    settle(mailbox, ahead=timedelta(seconds=15))
    assert sent(box) == ["Offer"] and status(letter).kind == "sent"


def test_what_was_taken_back_is_a_draft_and_never_goes_out(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle
) -> None:
    commands.send(letter, undo=10)
    outbound.take_back(letter)
    outbound.take_back(letter)  # twice does no harm
    settle(mailbox, ahead=timedelta(minutes=5))
    assert not sent(box) and status(letter).kind == "draft" and letter.html == "<p>Dear Ines</p>"
    commands.send(letter)
    settle(mailbox)
    assert sent(box) == ["Offer"] and len(box.messages) == 1


def test_who_comes_after_the_hand_over_is_told_so(letter: Composition, mailbox: Mailbox, box: Box) -> None:
    commands.send(letter)
    OutboxEntry.objects.filter(subject_key=drafts.key(letter)).update(step="sending", state="working")
    with pytest.raises(outbound.TooLate):
        outbound.take_back(letter)
    assert not status(letter).may_cancel and letter.state == Composition.State.SENDING


@pytest.mark.parametrize("moment", ["create_draft", "attach"])
def test_taken_back_while_it_is_being_written_at_the_provider_it_stays_one_draft(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    commands.attach(letter, name="offer.txt", content_type="text/plain", chunks=[b"figures"])
    real = getattr(MemoryMail, moment)

    def meanwhile(self: MemoryMail, *told: object, **more: object) -> object:
        outbound.take_back(letter)
        return real(self, *told, **more)

    commands.send(letter)
    OutboxEntry.objects.filter(kind="draft").delete()
    with monkeypatch.context() as patched:
        patched.setattr(MemoryMail, moment, meanwhile)
        settle(mailbox, ahead=timedelta(seconds=1))
    settle(mailbox)
    assert not sent(box) and len(box.messages) == 1 and status(letter).kind == "draft"
    commands.send(letter)
    settle(mailbox)
    assert sent(box) == ["Offer"] and len(box.messages) == 1
    assert Composition.objects.count() == 1


def test_who_presses_undo_while_the_attempt_begins_wins_or_is_told(letter: Composition, mailbox: Mailbox) -> None:
    """Both write the same row on the same condition: whoever is second finds it changed."""
    entry = sending.enqueue(letter)
    outbound.take_back(letter)
    sending._reached(entry, "begun")()
    assert entry.state != OutboxEntry.State.WORKING
    assert OutboxEntry.objects.get(pk=entry.pk).state == OutboxEntry.State.DONE


# --- later ---------------------------------------------------------------------------------------------------------


def test_it_goes_out_at_the_time_that_was_chosen_and_once(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle
) -> None:
    at = clock.now() + timedelta(hours=15)
    commands.send(letter, at=at, zone="Europe/Berlin")
    settle(mailbox, ahead=timedelta(hours=14))
    found = status(letter)
    assert (found.kind, found.until, letter.send_zone) == ("scheduled", at, "Europe/Berlin") and not sent(box)
    settle(mailbox, ahead=timedelta(hours=16))
    assert sent(box) == ["Offer"] and status(letter).kind == "sent"


@pytest.mark.parametrize(("late", "kind"), [(timedelta(minutes=59), "sent"), (timedelta(minutes=61), "held")])
def test_after_a_downtime_it_asks_when_its_time_is_long_past(
    letter: Composition, mailbox: Mailbox, box: Box, settle: Settle, late: timedelta, kind: str
) -> None:
    commands.send(letter, at=clock.now() + timedelta(hours=1), zone="UTC")
    with clock.frozen(clock.now() + timedelta(hours=1) + late):
        settle(mailbox, ahead=timedelta(seconds=30))
        assert status(letter).kind == kind and len(sent(box)) == (kind == "sent")


def test_what_is_held_is_sent_or_changed(letter: Composition, mailbox: Mailbox, box: Box, settle: Settle) -> None:
    Composition.objects.filter(pk=letter.pk).update(state="held")
    letter.refresh_from_db()
    outbound.take_back(letter)
    assert letter.state == Composition.State.DRAFT
    Composition.objects.filter(pk=letter.pk).update(state="held")
    letter.refresh_from_db()
    commands.send(letter)
    settle(mailbox)
    assert sent(box) == ["Offer"]


@pytest.mark.parametrize(
    ("now", "key", "wall"),
    [
        (
            datetime(2026, 3, 28, 12, tzinfo=UTC),
            "tomorrow",
            "2026-03-29T06:00:00+00:00",
        ),  # summer time begins that night
        (datetime(2026, 3, 27, 12, tzinfo=UTC), "monday", "2026-03-30T06:00:00+00:00"),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), "tomorrow", "2026-10-25T07:00:00+00:00"),  # and ends
        (datetime(2026, 3, 30, 23, tzinfo=UTC), "monday", "2026-04-06T06:00:00+00:00"),  # Tuesday there already
        (datetime(2026, 3, 30, 12, tzinfo=UTC), "monday", "2026-04-06T06:00:00+00:00"),  # on a Monday: the next
    ],
)
def test_eight_is_eight_on_the_wall_across_a_change_of_the_clocks(now: datetime, key: str, wall: str) -> None:
    assert schedule.chosen(key, "", at=now, zone=BERLIN).isoformat() == wall


def test_a_time_that_does_not_exist_is_after_the_change_and_nonsense_is_said() -> None:
    now = datetime(2026, 3, 28, 12, tzinfo=UTC)
    found = schedule.chosen("own", "2026-03-29T02:30", at=now, zone=BERLIN)
    assert found.astimezone(BERLIN).time() == time(3, 30)
    for typed in ("", "tomorrow", "2026-03-28T12:59", "2030-01-01T08:00", "9999-12-31T23:59"):
        with pytest.raises(schedule.CannotSchedule):
            schedule.chosen("own", typed, at=now, zone=BERLIN)


# --- what is seen --------------------------------------------------------------------------------------------------


def test_while_the_mailbox_needs_a_new_sign_in_it_says_so(letter: Composition, mailbox: Mailbox) -> None:
    commands.send(letter)
    Mailbox.objects.filter(pk=mailbox.pk).update(failure=Failure.REAUTH)
    letter.mailbox.refresh_from_db()
    found = status(letter)
    assert found.label == "Waits for a new sign-in" and mailbox.address in found.why and found.may_cancel


def test_what_is_tried_again_says_when(
    letter: Composition, mailbox: Mailbox, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise Transient(status=503)

    commands.send(letter)
    monkeypatch.setattr(MemoryMail, "create_draft", broken)
    settle(mailbox, ahead=timedelta(seconds=1))
    found = status(letter)
    assert found.kind == "waiting" and found.until is not None and found.may_cancel


# --- signatures ----------------------------------------------------------------------------------------------------


def test_the_signature_goes_below_the_text_and_is_made_safe(
    mailbox: Mailbox, member: Membership, box: Box, settle: Settle
) -> None:
    signatures.set_for(mailbox, "<p><b>Adele</b></p><script>alert(1)</script>")
    settle(mailbox)
    made = commands.compose(mailbox, member, to=[("", "ines@contoso.example")], subject="Offer", html="<p>Hi</p>")
    commands.send(made)
    settle(mailbox)
    html = next(one.body.content for one in box.messages.values() if one.body)
    assert html.index("Hi") < html.index("<b>Adele</b>") and "script" not in html
    assert signatures.made_safe("Adele\n1 > 0") == "Adele<br>1 &gt; 0"


def test_a_message_that_cannot_be_read_holds_up_no_other_and_says_so_in_the_end(
    letter: Composition,
    mailbox: Mailbox,
    member: Membership,
    box: Box,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = commands.compose(mailbox, member, to=[("Ines", "ines@contoso.example")], subject="Other", html="<p>x</p>")
    tail = sending.tail_of

    def poisoned(run: object, composition: Composition) -> str:
        if composition.pk == letter.pk:
            raise ValueError("a mistake of ours")
        return tail(run, composition)  # type: ignore[arg-type]

    monkeypatch.setattr(sending, "tail_of", poisoned)
    for one in (letter, other):
        commands.send(one)
    settle(mailbox)
    assert sent(box) == ["Other"]
    mailbox.refresh_from_db()
    assert not mailbox.failure
    settle(mailbox, ahead=timedelta(days=1))
    letter.refresh_from_db()
    assert (letter.state, letter.failure) == ("failed", sending.OUR_MISTAKE)
