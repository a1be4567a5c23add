"""Everything is here, and what is not is found and mended: comparing ids with the provider (SY15)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from postroom.lib.clock import now
from postroom.mail import brake, comparing, folder_changes
from postroom.mail.checks import FolderCheck, Sighting
from postroom.mail.models import Folder, Known, Message
from postroom.mail.sync import coverage
from postroom.mail.tests.test_sync import in_step
from postroom.mailboxes.models import Failure, Mailbox
from postroom.mailboxes.session import open_mail
from postroom.providers.errors import CursorExpired, Transient
from postroom.providers.memory.mailbox import Box
from postroom.sync import contract, lanes, runner
from postroom.sync.models import Activity, Lane, SyncState

Settle = Callable[..., int]
pytestmark = pytest.mark.django_db


@pytest.fixture
def synced(mailbox: Mailbox, box: Box, settle: Settle) -> Mailbox:
    for number in range(120):
        box.deliver(subject=f"Mail {number}")
    for number in range(10):
        box.deliver(subject=f"Sent {number}", folder="sent")
    settle(mailbox)
    box.notifications()
    return mailbox


def check(mailbox: Mailbox, settle: Settle) -> FolderCheck:
    coverage.check_now(mailbox)
    settle(mailbox)
    return FolderCheck.objects.get(mailbox=mailbox, folder__remote_id="inbox")


def lose(*remote_ids: str) -> None:
    """As if a bug of ours had dropped rows: nothing else knows."""
    from postroom.mail import store

    for one in remote_ids:
        store.remove(Message.objects.get(remote_id=one).mailbox, [one])


def test_a_mailbox_that_has_everything_says_so(synced: Mailbox, box: Box, settle: Settle) -> None:
    found = check(synced, settle)
    assert (found.theirs, found.ours, found.missing, found.extra, found.wrong) == (120, 120, 0, 0, 0)
    assert found.checked_at is not None
    assert comparing.summary(synced).words == "100 %"
    assert not Sighting.objects.exists()


def test_what_is_missing_is_fetched_and_counted(synced: Mailbox, box: Box, settle: Settle) -> None:
    lose("m1", "m5", "m9") if "m1" in box.messages else lose(*list(box.messages)[:3])
    found = check(synced, settle)
    assert (found.missing, found.repaired, found.ours) == (3, 3, 120)
    in_step(synced, box)
    assert comparing.summary(synced).words == "97.69 %, 3 repaired"


def test_what_is_too_much_is_asked_for_and_moved_or_removed(synced: Mailbox, box: Box, settle: Settle) -> None:
    gone, moved, *_ = [one.id for one in box.within("inbox")]
    del box.messages[gone]  # no log entry: the delta will never tell
    box.messages[moved] = box.messages[moved].__class__(
        **{
            **{f: getattr(box.messages[moved], f) for f in box.messages[moved].__struct_fields__},
            "folder_id": "archive",
        }
    )
    check(synced, settle)
    assert comparing.summary(synced).repaired == 2
    in_step(synced, box)


@pytest.mark.parametrize(
    ("field", "value"), [("is_read", True), ("flag", "flagged"), ("categories", ["Blue"]), ("change_key", "other")]
)
def test_a_wrong_state_at_equal_counts_is_refreshed(
    synced: Mailbox, box: Box, settle: Settle, field: str, value: Any
) -> None:
    Message.objects.filter(remote_id=box.within("inbox")[3].id).update(**{field: value, "modified": now()})
    found = check(synced, settle)
    assert (found.wrong, found.repaired, found.missing) == (1, 1, 0)
    assert {(m.remote_id, m.is_read, m.flag, m.change_key) for m in Message.objects.all()} == {
        (m.id, m.is_read, str(m.flag), m.change_key) for m in box.messages.values()
    }


def test_a_message_in_the_wrong_folder_is_put_right(synced: Mailbox, box: Box, settle: Settle) -> None:
    row = Message.objects.get(remote_id=box.within("inbox")[3].id)
    row.folder = Folder.objects.get(remote_id="archive")
    row.save(update_fields=["folder"])
    check(synced, settle)
    assert Message.objects.get(pk=row.pk).folder.remote_id == "inbox"


def test_a_local_change_on_its_way_is_no_difference(synced: Mailbox, box: Box, settle: Settle) -> None:
    from postroom.mail import commands

    row = Message.objects.get(remote_id=box.within("inbox")[0].id)
    box.fail_next(Transient(), on="apply", times=50)
    commands.change([row], is_read=True) if hasattr(commands, "change") else None
    found = check(synced, settle)
    assert found.wrong == 0


def test_a_difference_that_is_no_mail_is_said_and_left_alone(
    synced: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = box.counted
    monkeypatch.setattr(box, "counted", lambda folder: _more(counted(folder), 2 if folder == "inbox" else 0))
    found = check(synced, settle)
    assert (found.theirs, found.ours, found.not_mail, found.missing) == (122, 120, 2, 0)
    assert comparing.summary(synced).words == "100 %"
    box.calls.clear()
    night(synced, settle)
    assert "spine" not in box.calls, "a difference that is explained is not listed again"


def _more(folder: Any, by: int) -> Any:
    from msgspec import structs

    return structs.replace(folder, total=folder.total + by)


def night(mailbox: Mailbox, settle: Settle) -> None:
    SyncState.objects.filter(mailbox=mailbox).update(due_at=now() + timedelta(days=30))
    lanes.want(mailbox.pk, Activity.COVERAGE)
    settle(mailbox)


def test_a_quiet_night_costs_counts_only(synced: Mailbox, box: Box, settle: Settle) -> None:
    box.calls.clear()
    night(synced, settle)
    assert "spine" not in box.calls
    assert box.calls.count("count") == SyncState.objects.exclude(scope="").count()


def test_counts_that_differ_at_night_compare_the_ids_of_that_folder(synced: Mailbox, box: Box, settle: Settle) -> None:
    lose(box.within("inbox")[0].id)
    night(synced, settle)
    in_step(synced, box)
    assert FolderCheck.objects.filter(checked_at__isnull=False).count() == 1


def test_every_folder_has_its_ids_compared_within_two_weeks(synced: Mailbox, box: Box, settle: Settle) -> None:
    FolderCheck.objects.all().delete()
    night(synced, settle)
    FolderCheck.objects.update(since=now() - timedelta(days=8))
    for _ in range(7):
        night(synced, settle)
    assert not FolderCheck.objects.filter(checked_at__isnull=True).exists()


def test_a_comparison_goes_on_where_it_was_killed(
    synced: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(*[one.id for one in box.within("inbox")[::10]])
    coverage.check_now(synced)
    box.calls.clear()
    for _ in range(40):  # one step, then the process is gone
        lane = lanes.claim(synced.pk, "w")
        if lane is None:
            break
        stopped = iter([False, True, True])
        runner.run_lane(lane, stopping=lambda stopped=stopped: next(stopped, True))  # type: ignore[misc]
    settle(synced)
    in_step(synced, box)
    pages = box.calls.count("spine")
    assert pages <= 120 // box.page + 2 * SyncState.objects.count() + 6, "no page twice"


def test_it_steps_aside_for_live_mail(synced: Mailbox, box: Box, settle: Settle) -> None:
    coverage.check_now(synced)
    lane = lanes.claim(synced.pk, "w")
    assert lane is not None
    while lane.activity != Activity.COVERAGE:
        runner.run_lane(lane)
        lane = lanes.claim(synced.pk, "w")
        assert lane is not None
    lanes.want(synced.pk, Activity.LIVE)
    runner.run_lane(lane)
    assert Lane.objects.get(mailbox=synced, activity=Activity.COVERAGE).due_at is not None
    assert FolderCheck.objects.filter(wanted=True).exists()
    settle(synced)
    assert not FolderCheck.objects.filter(wanted=True).exists()


def test_the_live_cursor_of_a_folder_is_not_touched(synced: Mailbox, box: Box, settle: Settle) -> None:
    SyncState.objects.filter(mailbox=synced).update(due_at=now() + timedelta(days=30))
    before = dict(SyncState.objects.values_list("scope", "cursor"))
    check(synced, settle)
    assert dict(SyncState.objects.values_list("scope", "cursor")) == before


def test_a_listing_whose_cursor_dies_begins_again(synced: Mailbox, box: Box, settle: Settle) -> None:
    box.fail_next(CursorExpired(), on="spine")
    lose(box.within("inbox")[0].id)
    assert check(synced, settle).missing == 1
    in_step(synced, box)


def test_what_is_older_than_the_history_is_compared_too(
    connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    for days in range(150):
        box.deliver(received=now() - timedelta(days=days))
    mailbox = connect("30d")
    settle(mailbox)
    known = list(Known.objects.values_list("remote_id", flat=True))
    assert known
    Known.objects.filter(remote_id=known[0]).delete()
    del box.messages[known[1]]
    found = check(mailbox, settle)
    assert (found.missing, found.extra, found.repaired) == (1, 1, 2)
    assert set(Known.objects.values_list("remote_id", flat=True)) == set(known) - {known[1]}


def test_what_cannot_be_read_is_missing_with_a_reason(synced: Mailbox, box: Box, settle: Settle) -> None:
    lost = box.within("inbox")[0].id
    lose(lost)
    box.spoil(lost)
    found = check(synced, settle)
    assert (found.missing, found.repaired, found.unread, found.not_mail) == (1, 0, 1, 0)
    assert comparing.summary(synced).words == "99.23 %, 1 set aside"


def test_repairing_away_most_of_a_mailbox_stops_and_asks(synced: Mailbox, box: Box, settle: Settle) -> None:
    for one in list(box.within("inbox")):
        del box.messages[one.id]
    coverage.check_now(synced)
    settle(synced)
    synced.refresh_from_db()
    assert synced.failure == Failure.BREAKER
    assert brake.asking(synced) is not None
    assert Message.objects.filter(folder__remote_id="inbox").count() == 120


def test_a_folder_that_nobody_follows_is_found_and_followed(synced: Mailbox, box: Box, settle: Settle) -> None:
    """What is not in the list of folders to follow is counted by nothing: completeness itself must notice."""
    SyncState.objects.filter(mailbox=synced, scope="sent").delete()
    box.deliver(subject="Missed", folder="sent")
    box.notifications()
    check(synced, settle)
    settle(synced)
    assert SyncState.objects.get(mailbox=synced, scope="sent").phase == SyncState.Phase.FOLLOWING
    assert Message.objects.filter(subject="Missed").exists()


def test_a_folder_that_is_still_to_be_made_is_followed_once_it_has_its_own_name(
    synced: Mailbox, box: Box, settle: Settle
) -> None:
    """Until the provider knows it there is nothing to list: it would be asked for, and denied, for ever."""
    folder_changes.create(synced, None, name="Offers")
    run = contract.Run(lane=Lane(mailbox=synced, activity=Activity.COVERAGE), mailbox=synced, source=open_mail(synced))
    assert coverage._unfollowed(run) == []
    settle(synced)
    made = Folder.objects.get(mailbox=synced, name="Offers").remote_id
    assert SyncState.objects.get(mailbox=synced, scope=made).phase == SyncState.Phase.FOLLOWING
