"""A history that is paused or stopped before it came to every folder: new mail arrives all the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from postroom.lib import clock
from postroom.mail.models import Known, Message
from postroom.mail.sync import backfill
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import CursorExpired, Transient
from postroom.providers.memory.mailbox import Box
from postroom.providers.memory.source import MemoryMail
from postroom.sync import lanes, mailbox_hooks
from postroom.sync.models import Activity, SyncState

Settle = Callable[..., int]
pytestmark = pytest.mark.django_db


@pytest.fixture
def unpushed(settings: Any, connect: Callable[..., Mailbox], box: Box) -> Mailbox:
    """Nobody tells us anything, as of a shared mailbox; nothing has run yet."""
    made = connect("all")
    settings.POSTROOM_PUBLIC_URL = ""
    for number in range(3):
        box.deliver(subject=f"Old {number}")
    return made


def arrives(mailbox: Mailbox, box: Box, settle: Settle) -> bool:
    settle(mailbox)
    box.deliver(subject="News")
    assert isinstance(clock._read, clock.Clock)
    clock._read.advance(timedelta(minutes=30))
    settle(mailbox)
    return Message.objects.filter(subject="News").exists()


def test_new_mail_arrives_while_the_history_is_paused(unpushed: Mailbox, box: Box, settle: Settle) -> None:
    mailbox_hooks.pause(unpushed)
    assert arrives(unpushed, box, settle)


def test_new_mail_arrives_when_the_history_was_stopped(unpushed: Mailbox, box: Box, settle: Settle) -> None:
    mailbox_hooks.cancel(unpushed)
    assert arrives(unpushed, box, settle)


def test_a_history_that_was_stopped_can_be_pulled_later(unpushed: Mailbox, box: Box, settle: Settle) -> None:
    mailbox_hooks.cancel(unpushed)
    settle(unpushed)
    unpushed.refresh_from_db()
    assert Mailbox.History.ALL in lifecycle.wider(unpushed)
    lifecycle.choose_history(unpushed, Mailbox.History.ALL)
    settle(unpushed)
    assert Message.objects.filter(subject__startswith="Old", body_state="stored").count() == 3


def test_stopping_takes_the_lane_from_a_run_that_is_under_way(unpushed: Mailbox) -> None:
    lanes.want(unpushed.pk, Activity.BACKFILL)
    unpushed.lanes.exclude(activity=Activity.BACKFILL).update(due_at=None)
    lane = lanes.claim(unpushed.pk, "somebody")
    assert lane is not None
    mailbox_hooks.cancel(unpushed)
    with pytest.raises(lanes.LeaseLost):
        lanes.hold(lane)


def test_what_was_only_noted_and_went_while_the_cursor_was_lost_is_noted_no_more(
    connect: Callable[..., Mailbox], box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older than the chosen history it has no row of its own; a new listing does not name it, and that says it all."""
    monkeypatch.setattr(backfill, "NEWEST", 0)
    when = clock.now() - timedelta(days=200)
    stays, goes = (box.deliver(received=when, folder="archive") for _ in range(2))
    mailbox = connect("30d")
    settle(mailbox)
    assert set(Known.objects.values_list("remote_id", flat=True)) == {stays, goes}
    box.delete(goes)
    box.notifications()
    box.expire_cursors()
    lanes.set_paused(mailbox.pk, Activity.COVERAGE, True)  # which counts and so may notice, but not when counts agree
    SyncState.objects.filter(mailbox=mailbox, scope="archive").update(due_at=clock.now())
    lanes.want(mailbox.pk, Activity.LIVE)
    settle(mailbox)
    assert set(Known.objects.values_list("remote_id", flat=True)) == {stays}


def test_a_first_listing_that_had_to_start_over_and_was_interrupted_is_gone_on_with(
    unpushed: Mailbox, box: Box, settle: Settle
) -> None:
    box.fail_next(CursorExpired(), on="spine")
    box.fail_next(Transient("the connection was lost"), on="spine")
    settle(unpushed, ahead=timedelta(minutes=5))
    folders = SyncState.objects.filter(mailbox=unpushed, resource="mail").exclude(scope="")
    assert set(folders.values_list("phase", flat=True)) == {SyncState.Phase.FOLLOWING}


def test_what_was_deleted_between_the_first_look_and_the_first_listing_is_gone_here_too(
    connect: Callable[..., Mailbox], box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest mail is shown before its folder is listed, and before anybody tells of changes."""
    stays, goes = (box.deliver(folder="archive") for _ in range(2))
    real = MemoryMail.spine

    def spine(self: MemoryMail, folder_id: str, *args: Any, **options: Any) -> Any:
        if folder_id == "archive" and goes in box.messages:
            assert Message.objects.filter(remote_id=goes).exists()
            box.delete(goes)
            box.notifications()
        return real(self, folder_id, *args, **options)

    monkeypatch.setattr(MemoryMail, "spine", spine)
    mailbox = connect("all")
    lanes.set_paused(mailbox.pk, Activity.COVERAGE, True)  # which counts and so may notice, but not when counts agree
    settle(mailbox)
    assert set(Message.objects.values_list("remote_id", flat=True)) == {stays}
