"""The brake: what it takes for a mailbox to stop, and what a decision does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.lib.clock import now
from postroom.mail import brake
from postroom.mail.breaker import OF_A_FOLDER, OF_THE_MAILBOX, What, unusual
from postroom.mail.checks import Brake, Churn, FolderCheck, Kept, Sighting
from postroom.mail.models import Folder, Message
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Failure, Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.sync import mailbox_hooks
from postroom.sync.models import SyncState
from postroom.workspaces.models import Membership

Settle = Callable[..., int]

LEFT = st.dictionaries(
    st.tuples(st.sampled_from(["inbox", "sent", "f1"]), st.sampled_from(list(What))), st.integers(0, 4000), max_size=6
)
SIZES = st.dictionaries(st.sampled_from(["inbox", "sent", "f1"]), st.integers(0, 9000), max_size=3)
SMALLEST = min(OF_A_FOLDER.floor, *(limit.floor for limit in OF_THE_MAILBOX.values()))


@given(LEFT, LEFT, SIZES)
def test_what_trips_is_never_below_a_floor(
    done: dict[tuple[str, What], int], coming: dict[tuple[str, What], int], present: dict[str, int]
) -> None:
    if unusual(done, coming, present):
        assert sum(done.values()) + sum(coming.values()) >= SMALLEST


@given(LEFT, SIZES)
def test_nothing_coming_never_trips(done: dict[tuple[str, What], int], present: dict[str, int]) -> None:
    assert unusual(done, {}, present) is None


@given(LEFT, LEFT, SIZES, st.integers(1, 500))
def test_what_trips_still_trips_when_more_is_removed(
    done: dict[tuple[str, What], int], coming: dict[tuple[str, What], int], present: dict[str, int], more: int
) -> None:
    if unusual(done, coming, present) is What.REMOVED:
        worse = {**coming, ("inbox", What.REMOVED): coming.get(("inbox", What.REMOVED), 0) + more}
        assert unusual(done, worse, present) is not None


@given(st.integers(100, 3000), st.integers(1, 40))
def test_small_pages_trip_like_one_large_one(size: int, pages: int) -> None:
    """A window, not a page: the whole mailbox removed in pieces stops on the way."""
    gone, step, tripped = 0, max(1, size // pages), None
    while gone < size and tripped is None:
        take = min(step, size - gone)
        tripped = unusual({("inbox", What.REMOVED): gone}, {("inbox", What.REMOVED): take}, {"inbox": size - gone})
        gone += take
    assert tripped is What.REMOVED


@pytest.mark.parametrize(
    ("what", "count", "size", "trips"),
    [
        (What.MOVED, 500, 600, False),  # a person files 500 mails
        (What.MOVED, 2500, 3000, True),
        (What.BINNED, 400, 500, False),
        (What.BINNED, 1500, 2000, True),
        (What.REMOVED, 99, 99, False),  # a small mailbox
        (What.REMOVED, 120, 10_000, False),
        (What.REMOVED, 2100, 10_000, True),
    ],
)
def test_what_is_unusual(what: What, count: int, size: int, trips: bool) -> None:
    assert (unusual({}, {("inbox", what): count}, {"inbox": size, "sent": 0}) is not None) is trips


def test_a_folder_suddenly_nearly_empty_is_unusual_in_a_large_mailbox() -> None:
    assert unusual({}, {("f1", What.REMOVED): 130}, {"inbox": 50_000, "f1": 140}) is What.REMOVED


# --- with the engine ------------------------------------------------------------------------------------------------


@pytest.fixture
def full(mailbox: Mailbox, box: Box, settle: Settle) -> Mailbox:
    for number in range(150):
        box.deliver(subject=f"Mail {number}")
    for number in range(20):
        box.deliver(subject=f"Sent {number}", folder="sent")
    settle(mailbox)
    box.notifications()
    return mailbox


def follow(mailbox: Mailbox, settle: Settle) -> None:
    mailbox_hooks.sync_now(mailbox)
    settle(mailbox)
    mailbox.refresh_from_db()


def empty(box: Box, folder: str = "inbox", *, but: int = 3) -> list[str]:
    doomed = [one.id for one in box.within(folder)][but:]
    for one in doomed:
        box.delete(one)
    return doomed


def test_a_wiped_inbox_stops_before_anything_is_removed(full: Mailbox, box: Box, settle: Settle) -> None:
    doomed = empty(box)
    follow(full, settle)
    assert full.failure == Failure.BREAKER
    stopped = brake.asking(full)
    assert stopped is not None
    assert sorted(stopped.ids) == sorted(doomed)
    removed_before = 150 - Message.objects.filter(mailbox=full, folder__remote_id="inbox").count()
    assert removed_before < 100, "only what was within the limit"
    assert full.failure_detail == "147 of 150 messages of Inbox would be removed"


def test_it_is_right_lets_exactly_these_go_once(full: Mailbox, box: Box, settle: Settle, member: Membership) -> None:
    empty(box)
    follow(full, settle)
    assert brake.go_on(full, by=member)
    settle(full)
    full.refresh_from_db()
    assert full.failure == ""
    assert {m.remote_id for m in Message.objects.filter(mailbox=full)} == set(box.messages)
    for number in range(400):
        box.deliver(subject=f"Again {number}")
    follow(full, settle)
    empty(box, but=0)
    follow(full, settle)
    assert full.failure == Failure.BREAKER, "the permission was for those, not for ever"


def test_keep_what_is_here_keeps_it_and_goes_on(full: Mailbox, box: Box, settle: Settle, member: Membership) -> None:
    doomed = empty(box)
    follow(full, settle)
    assert brake.keep(full, by=member)
    settle(full)
    box.deliver(subject="Afterwards")
    follow(full, settle)
    assert full.failure == ""
    assert Message.objects.filter(mailbox=full).count() == 171
    assert Message.objects.filter(subject="Afterwards").exists()
    assert Kept.objects.filter(mailbox=full).count() == len(doomed)
    assert not SyncState.objects.filter(resource="mail").exclude(phase="following").exists()


def test_a_relisting_that_misses_most_rows_stops(full: Mailbox, box: Box, settle: Settle) -> None:
    empty(box)
    box.expire_cursors()
    follow(full, settle)
    assert full.failure == Failure.BREAKER
    assert Message.objects.filter(mailbox=full).count() == 170


def test_a_removed_folder_is_asked_about_and_stops(full: Mailbox, box: Box, settle: Settle) -> None:
    folder = box.folder("Customers")
    for _ in range(140):
        box.deliver(folder=folder)
    follow(full, settle)
    box.remove_folder(folder)
    follow(full, settle)
    assert full.failure == Failure.BREAKER
    assert Message.objects.filter(mailbox=full, folder__remote_id=folder).count() == 140
    assert full.failure_detail == "140 of 140 messages of one folder would be removed", "its name is the owner's"


def test_a_folder_missing_from_a_new_tree_takes_no_mail_that_is_still_there(
    full: Mailbox, box: Box, settle: Settle
) -> None:
    folder = box.folder("Customers")
    ids = [box.deliver(folder=folder) for _ in range(5)]
    follow(full, settle)
    for one in ids[:4]:
        box.move(one, "archive")
    box.remove_folder(folder)
    box.expire_cursors()
    follow(full, settle)
    kept = Message.objects.filter(remote_id__in=ids)
    assert {m.remote_id for m in kept} == set(ids[:4])
    assert {m.folder.remote_id for m in kept} == {"archive"}


def test_emptying_deleted_items_is_nobodys_business(full: Mailbox, box: Box, settle: Settle) -> None:
    for _ in range(300):
        box.deliver(folder="deleted")
    follow(full, settle)
    empty(box, "deleted", but=0)
    follow(full, settle)
    assert full.failure == ""
    assert not Message.objects.filter(folder__remote_id="deleted").exists()


def test_filing_an_inbox_is_normal_and_counted_for_a_day(full: Mailbox, box: Box, settle: Settle) -> None:
    for one in box.within("inbox"):
        box.move(one.id, "archive")
    follow(full, settle)
    assert full.failure == ""
    assert sum(Churn.objects.filter(what="moved").values_list("count", flat=True)) == 150
    assert Churn.objects.filter(at__gt=now() - timedelta(hours=1)).exists()


def test_a_stopped_mailbox_stays_stopped_whatever_asks_for_work(full: Mailbox, box: Box, settle: Settle) -> None:
    empty(box)
    follow(full, settle)
    before = Message.objects.count()
    for _ in range(3):
        follow(full, settle)
    assert (Message.objects.count(), full.failure) == (before, Failure.BREAKER)
    assert Brake.objects.count() == 1


def test_killed_while_it_looks_it_trips_again(
    full: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(box)
    once = iter([RuntimeError("killed")])
    stopped = brake._stopped

    def dies(*args: object) -> object:
        for death in once:
            raise death
        return stopped(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(brake, "_stopped", dies)
    follow(full, settle)
    assert full.failure == Failure.BREAKER
    assert Message.objects.filter(mailbox=full).count() == 170
    assert not Churn.objects.exists(), "what was rolled back was not counted"


def test_a_storm_of_deletions_named_one_by_one_is_seen_as_a_whole(full: Mailbox, box: Box, settle: Settle) -> None:
    from postroom.providers.registry import connector
    from postroom.sync import push

    for number in range(400):
        box.deliver(subject=f"More {number}")
    follow(full, settle)
    box.notifications()
    empty(box)
    for body in box.notifications():
        push.take(connector("memory").notified(body))
    settle(full)
    full.refresh_from_db()
    assert full.failure == Failure.BREAKER
    assert Message.objects.filter(mailbox=full, folder__remote_id="inbox").count() == 550


def test_disconnecting_never_trips_and_leaves_no_row(full: Mailbox, box: Box, settle: Settle) -> None:
    folder = Folder.objects.get(mailbox=full, role="inbox")
    FolderCheck.objects.get_or_create(folder=folder, defaults={"mailbox": full})
    Sighting.objects.create(folder=folder, remote_id="m1")
    Kept.objects.create(mailbox=full, remote_id="m1")
    Churn.objects.create(mailbox=full, folder="inbox", what="moved", at=now(), count=1)
    empty(box)
    follow(full, settle)
    assert Brake.objects.exists()
    lifecycle.disconnect(full, delete=True)
    for model in (Message, FolderCheck, Sighting, Kept, Churn, Brake):
        assert not model.objects.exists(), model  # type: ignore[attr-defined]
