"""The engine and the mirror of mail together, against the in-process provider with its awkward deltas."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from postroom.lib.clock import now
from postroom.mail import commands
from postroom.mail.models import Composition, Conversation, Folder, Known, Message, MessageBody, Thread, ThreadFolder
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Address, FolderRole, RemoteBody
from postroom.providers.errors import NotFound, ReauthNeeded, Refused, Throttled, Transient
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.sync import lanes, push
from postroom.sync.models import Activity, Lane, Notification, OutboxEntry, Quarantined, Subscription, SyncState
from postroom.workspaces.models import Membership

Settle = Callable[..., int]
pytestmark = pytest.mark.django_db


def theirs(box: Box) -> set[tuple[object, ...]]:
    """The truth, in the fields that matter."""
    return {
        (
            m.id, m.folder_id, m.subject, m.is_read, str(m.flag), tuple(sorted(m.categories or ())), m.is_draft,
            hashlib.sha256((m.body.content if m.body else "").encode("utf-8", "surrogatepass")).hexdigest(),
        )
        for m in box.messages.values()
    }  # fmt: skip


def ours(mailbox: Mailbox) -> set[tuple[object, ...]]:
    """What we believe, in the same fields."""
    return {
        (
            m.remote_id, m.folder.remote_id, m.subject, m.is_read, m.flag, tuple(sorted(m.categories)), m.is_draft,
            bytes(m.body.sha256).hex() if hasattr(m, "body") else "",
        )
        for m in Message.objects.filter(mailbox=mailbox).select_related("folder", "body")
    }  # fmt: skip


def folders(mailbox: Mailbox) -> dict[str, tuple[int, int]]:
    return {f.remote_id: (f.total, f.unread) for f in Folder.objects.filter(mailbox=mailbox)}


def notify(box: Box) -> None:
    for body in box.notifications():
        push.take(connector("memory").notified(body))


def in_step(mailbox: Mailbox, box: Box) -> None:
    """Equal, and everything derived from it true."""
    assert ours(mailbox) == theirs(box)
    counted: dict[str, list[int]] = {}
    for m in box.messages.values():
        one = counted.setdefault(m.folder_id or "", [0, 0])
        one[0] += 1
        one[1] += 0 if m.is_read else 1
    assert {k: list(v) for k, v in folders(mailbox).items() if v != (0, 0)} == counted
    for thread in Thread.objects.filter(mailbox=mailbox):
        rows = list(thread.messages.all())
        assert (thread.count, thread.unread) == (len(rows), sum(not m.is_read for m in rows))
        assert thread.last_at == max(m.received for m in rows)
        assert {p.folder_id: p.count for p in thread.places.all()} == {
            f: sum(m.folder_id == f for m in rows) for f in {m.folder_id for m in rows}
        }


# --- history -------------------------------------------------------------------------------------------------------


def test_everything_arrives(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    for number in range(230):
        box.deliver(subject=f"Mail {number}", html=f"<p>{number}</p>", folder="inbox" if number % 3 else "sent")
    settle(mailbox)
    in_step(mailbox, box)
    card = Lane.objects.get(mailbox=mailbox, activity=Activity.BACKFILL).progress
    assert (card["done"], card["total"], card["complete"]) == (230, 230, True)


def test_the_newest_mail_is_there_before_the_history_question_is_answered(
    connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    for number in range(150):
        box.deliver(received=now() - timedelta(hours=number))
    mailbox = connect("")
    settle(mailbox)
    assert MessageBody.objects.count() == 100
    assert Message.objects.count() == 100


def test_what_is_older_than_the_chosen_history_is_known_and_pulled_when_asked(
    connect: Callable[..., Mailbox], box: Box, settle: Settle
) -> None:
    old = [box.deliver(received=now() - timedelta(days=200 + n)) for n in range(150)]
    new = [box.deliver(received=now() - timedelta(days=n)) for n in range(150)]
    mailbox = connect("")
    settle(mailbox)
    lifecycle_choose(mailbox, "90d")
    settle(mailbox)
    recent = {m for m in new if box.messages[m].received > now() - timedelta(days=90)}  # type: ignore[operator]
    assert recent <= set(Message.objects.values_list("remote_id", flat=True))
    assert set(old) <= set(Known.objects.values_list("remote_id", flat=True))
    lifecycle_choose(mailbox, "all")
    settle(mailbox)
    in_step(mailbox, box)
    assert not Known.objects.exists()


def lifecycle_choose(mailbox: Mailbox, history: str) -> None:
    from postroom.mailboxes import lifecycle

    mailbox.refresh_from_db()
    lifecycle.choose_history(mailbox, Mailbox.History(history))


def test_a_paused_history_goes_on_where_it_stopped(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    for _ in range(120):
        box.deliver()
    lanes.set_paused(mailbox.pk, Activity.BACKFILL, True)
    settle(mailbox)
    assert not MessageBody.objects.exists()
    lanes.set_paused(mailbox.pk, Activity.BACKFILL, False)
    settle(mailbox)
    in_step(mailbox, box)


def test_one_unreadable_message_stops_nothing_and_is_set_aside(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    ids = [box.deliver() for _ in range(30)]
    box.spoil(ids[7], "cannot be decoded")
    settle(mailbox)
    assert MessageBody.objects.count() == 29
    assert Quarantined.objects.get().remote_id == ids[7]


@pytest.mark.parametrize(
    "subject", ["nul\0inside", "lone \ud83d surrogate", "x" * 5000, "", "مرحبا بالعالم 🎉", "%s %(a)s {} \\ ' \""]
)
def test_awkward_subjects_are_stored(mailbox: Mailbox, box: Box, settle: Settle, subject: str) -> None:
    box.deliver(subject=subject, html=f"<p>{subject}</p>", preview=subject)
    settle(mailbox)
    assert Message.objects.get().body_state == "stored"


def test_ten_thousand_recipients_are_stored(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    box.deliver(to=[f"p{n}@contoso.example" for n in range(10_000)])
    settle(mailbox)
    assert len(Message.objects.get().to) == 10_000


@pytest.mark.parametrize("year", [1970, 2106])
def test_mail_of_strange_years_is_stored(mailbox: Mailbox, box: Box, settle: Settle, year: int) -> None:
    box.deliver(received=datetime(year, 1, 2, tzinfo=UTC))
    box.deliver()
    settle(mailbox)
    in_step(mailbox, box)


def test_folders_twelve_deep_hang_where_they_belong(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    parent, names = None, [f"Ebene {n} / 📁" for n in range(12)]
    for name in names:
        parent = box.folder(name, parent)
    box.deliver(folder=parent or "")
    settle(mailbox)
    folder, path = Message.objects.get().folder, []
    while folder is not None:
        path.insert(0, folder.name)
        folder = folder.parent  # type: ignore[assignment]
    assert path[-12:] == names


# --- changes at the provider ----------------------------------------------------------------------------------------


@pytest.fixture
def synced(mailbox: Mailbox, box: Box, settle: Settle) -> Mailbox:
    for number in range(20):
        box.deliver(subject=f"Mail {number}")
    settle(mailbox)
    box.notifications()
    return mailbox


def follow(mailbox: Mailbox, settle: Settle) -> None:
    from postroom.sync import mailbox_hooks

    mailbox_hooks.sync_now(mailbox)
    settle(mailbox)


def test_new_mail_arrives_by_push_alone(synced: Mailbox, box: Box, settle: Settle) -> None:
    box.deliver(subject="Just now")
    notify(box)
    assert Notification.objects.exists()
    settle(synced, ahead=timedelta(0))
    assert Message.objects.filter(subject="Just now", body_state="stored").exists()
    assert not Notification.objects.exists()


def test_a_notification_with_a_wrong_secret_is_not_ours(synced: Mailbox, box: Box) -> None:
    Subscription.objects.update(client_state="another")
    box.deliver()
    notify(box)
    assert not Notification.objects.exists()


@pytest.mark.parametrize("act", ["read", "flag", "move", "delete", "there_and_back"])
def test_a_change_is_followed(synced: Mailbox, box: Box, settle: Settle, act: str) -> None:
    message = next(iter(box.messages))
    conversation = Message.objects.get(remote_id=message).thread.conversation_id
    if act == "there_and_back":
        box.move(message, "archive")
        box.move(message, "inbox")
    else:
        getattr(box, act)(message, *(["archive"] if act == "move" else []))
    follow(synced, settle)
    in_step(synced, box)
    assert Conversation.objects.filter(pk=conversation).exists()
    if act == "move":
        assert Message.objects.get(remote_id=message).thread.conversation_id == conversation


def test_folders_come_are_renamed_and_go(synced: Mailbox, box: Box, settle: Settle) -> None:
    folder = box.folder("Kunden")
    message = next(iter(box.messages))
    box.move(message, folder)
    follow(synced, settle)
    in_step(synced, box)
    box.change_folder(folder, name="Customers")
    follow(synced, settle)
    assert Folder.objects.get(remote_id=folder).name == "Customers"
    box.move(message, "inbox")
    box.remove_folder(folder)
    follow(synced, settle)
    in_step(synced, box)
    assert not Folder.objects.filter(remote_id=folder).exists()


def test_a_dead_cursor_lists_again_and_finds_what_happened_meanwhile(synced: Mailbox, box: Box, settle: Settle) -> None:
    ids = list(box.messages)
    before = set(Message.objects.values_list("pk", flat=True))
    box.expire_cursors()
    box.delete(ids[0])
    box.move(ids[1], "archive")
    box.deliver(subject="While we were away")
    follow(synced, settle)
    in_step(synced, box)
    assert (
        before - set(Message.objects.values_list("pk", flat=True))
        and len(before & set(Message.objects.values_list("pk", flat=True))) == len(before) - 1
    )


def test_a_changed_draft_gets_its_new_body(synced: Mailbox, box: Box, settle: Settle) -> None:
    draft = box.deliver(folder="drafts", is_draft=True, html="<p>one</p>")
    follow(synced, settle)
    box.change(draft, body=RemoteBody("html", "<p>two</p>"))
    follow(synced, settle)
    in_step(synced, box)


def test_a_draft_that_was_changed_and_moved_gets_its_new_body_without_being_named(
    synced: Mailbox, box: Box, settle: Settle
) -> None:
    draft = box.deliver(folder="drafts", is_draft=True, html="<p>one</p>")
    follow(synced, settle)
    box.change(draft, body=RemoteBody("html", "<p>two</p>"))
    box.move(draft, "deleted")
    follow(synced, settle)
    in_step(synced, box)


# --- trouble --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["folders", "spine", "pull", "get"])
@pytest.mark.parametrize("trouble", [Transient("502"), Throttled("slow", retry_after=7)])
def test_passing_trouble_is_waited_out(
    mailbox: Mailbox, box: Box, settle: Settle, call: str, trouble: Transient
) -> None:
    for _ in range(60):
        box.deliver()
    box.fail_next(trouble, on=call, times=3)
    settle(mailbox, ahead=timedelta(minutes=10))
    in_step(mailbox, box)
    mailbox.refresh_from_db()
    assert mailbox.health == "healthy"


def test_a_revoked_grant_stops_the_mailbox_and_says_so(synced: Mailbox, box: Box, settle: Settle) -> None:
    box.fail_next(ReauthNeeded("revoked", reason="revoked", code="AADSTS50173"), on="spine")
    follow(synced, settle)
    synced.refresh_from_db()
    assert synced.health == "error"
    assert synced.failure_reference
    assert lanes.claim(synced.pk, "me") is None


# --- changes here ---------------------------------------------------------------------------------------------------


def message_of(box: Box) -> Message:
    return Message.objects.get(remote_id=next(iter(box.messages)))


def test_reading_here_is_read_there(synced: Mailbox, box: Box, settle: Settle, member: Membership) -> None:
    commands.mark_read([message_of(box)], member)
    assert Thread.objects.filter(unread=0).count() == 1
    settle(synced)
    assert box.messages[message_of(box).remote_id].is_read
    in_step(synced, box)


def test_read_and_unread_again_writes_nothing(synced: Mailbox, box: Box, settle: Settle, member: Membership) -> None:
    commands.mark_read([message_of(box)], member)
    commands.mark_read([message_of(box)], member, read=False)
    assert not OutboxEntry.objects.exists()


def test_a_local_change_is_kept_while_it_waits(synced: Mailbox, box: Box, settle: Settle, member: Membership) -> None:
    message = message_of(box)
    commands.set_flag([message], member, flagged=True)
    box.read(message.remote_id)
    notify(box)
    Lane.objects.filter(mailbox=synced, activity=Activity.OUTBOX).update(paused=True)
    settle(synced, ahead=timedelta(0))
    message.refresh_from_db()
    assert (message.flag, message.is_read) == ("flagged", True)
    lanes.set_paused(synced.pk, Activity.OUTBOX, False)
    settle(synced)
    in_step(synced, box)


def test_archive_and_delete_move(synced: Mailbox, box: Box, settle: Settle, member: Membership) -> None:
    first, second = Message.objects.order_by("pk")[:2]
    commands.archive([first], member)
    commands.delete([second], member)
    settle(synced)
    assert box.messages[first.remote_id].folder_id == FolderRole.ARCHIVE
    assert box.messages[second.remote_id].folder_id == FolderRole.DELETED
    in_step(synced, box)


def test_a_refused_change_comes_back_and_is_said(synced: Mailbox, box: Box, settle: Settle, member: Membership) -> None:
    message = message_of(box)
    box.fail_next(Refused("no", code="ErrorAccessDenied"), on="apply.item")
    commands.mark_read([message], member)
    settle(synced, ahead=timedelta(hours=2))
    entry = OutboxEntry.objects.get()
    message.refresh_from_db()
    if entry.state == "failed":
        assert not message.is_read
    in_step(synced, box)


def test_a_change_of_a_message_that_is_gone_is_dropped(
    synced: Mailbox, box: Box, settle: Settle, member: Membership
) -> None:
    message = message_of(box)
    box.delete(message.remote_id)
    commands.mark_read([message], member)
    settle(synced)
    follow(synced, settle)
    in_step(synced, box)


# --- sending --------------------------------------------------------------------------------------------------------


def reply(box: Box, member: Membership) -> commands.Composition:
    composition = commands.compose(
        message_of(box).mailbox, member, answers=message_of(box), how="reply", html="<p>Yes</p>"
    )
    commands.send(composition)
    return composition


def sent_copies(box: Box, composition: commands.Composition) -> list[str]:
    wanted = composition.internet_message_id
    return [m.id for m in box.messages.values() if m.internet_message_id == wanted]


def test_a_reply_is_sent_once_and_seen_in_its_thread(
    synced: Mailbox, box: Box, settle: Settle, member: Membership
) -> None:
    composition = reply(box, member)
    settle(synced)
    composition.refresh_from_db()
    assert composition.state == "sent"
    (copy,) = sent_copies(box, composition)
    assert box.messages[copy].folder_id == FolderRole.SENT
    assert composition.sent_message.thread_id == message_of(box).thread_id  # type: ignore[union-attr]
    follow(synced, settle)
    in_step(synced, box)


@pytest.mark.parametrize("call", ["create_draft", "send", "find_sent", "get"])
@pytest.mark.parametrize("after", [False, True])
def test_trouble_at_any_step_neither_loses_nor_repeats(
    synced: Mailbox, box: Box, settle: Settle, member: Membership, call: str, after: bool
) -> None:
    composition = reply(box, member)
    box.fail_next(Transient("reset", maybe_done=True), on=call, after=after)
    settle(synced, ahead=timedelta(minutes=10))
    composition.refresh_from_db()
    assert composition.state == "sent"
    assert len(sent_copies(box, composition)) == 1
    assert not [m for m in box.messages.values() if m.is_draft]


def test_a_refused_message_goes_back_to_its_author(
    synced: Mailbox, box: Box, settle: Settle, member: Membership
) -> None:
    composition = reply(box, member)
    box.fail_next(Refused("Daily limit reached", code="ErrorExceededMessageLimit"), on="send")
    settle(synced)
    composition.refresh_from_db()
    assert (composition.state, composition.failure) == ("failed", "Daily limit reached")


def test_sending_twice_sends_once(synced: Mailbox, box: Box, settle: Settle, member: Membership) -> None:
    composition = reply(box, member)
    commands.send(composition)
    settle(synced)
    assert len(sent_copies(box, composition)) == 1


def test_a_message_whose_author_left_does_not_hold_up_the_others(
    synced: Mailbox, box: Box, settle: Settle, member: Membership
) -> None:
    gone, composition = reply(box, member), reply(box, member)
    Composition.objects.filter(pk=gone.pk).delete()
    settle(synced)
    assert len(sent_copies(box, composition)) == 1
    assert not OutboxEntry.objects.filter(state__in=OutboxEntry.OPEN).exists()


def test_what_waits_when_a_mailbox_is_disconnected_is_not_sent_when_it_is_connected_again(
    synced: Mailbox, box: Box, settle: Settle, member: Membership, connect: Callable[..., Mailbox]
) -> None:
    composition = reply(box, member)
    lifecycle.disconnect(synced, delete=False)
    composition.refresh_from_db()
    assert (composition.state, "disconnected" in composition.failure) == ("failed", True)
    settle(connect())
    assert not sent_copies(box, composition)


# --- identity -------------------------------------------------------------------------------------------------------


def test_answers_join_their_thread_whatever_comes_first(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    box.deliver(subject="Re: Offer", internet_message_id="<b@x>", in_reply_to="<a@x>", conversation_id="2")
    box.deliver(subject="Offer", internet_message_id="<a@x>", conversation_id="1")
    box.deliver(subject="Re: Offer", internet_message_id="<c@x>", references=("<a@x>", "<b@x>"), conversation_id="3")
    settle(mailbox)
    assert Thread.objects.count() == 1
    assert Thread.objects.get().count == 3
    assert ThreadFolder.objects.get().count == 3


def test_a_message_that_knows_both_makes_two_conversations_one(synced: Mailbox, box: Box, settle: Settle) -> None:
    box.deliver(internet_message_id="<a@x>", conversation_id="1")
    box.deliver(internet_message_id="<b@x>", conversation_id="2")
    follow(synced, settle)
    threads = Thread.objects.count()
    box.deliver(internet_message_id="<c@x>", conversation_id="3", references=("<a@x>", "b@x"))
    follow(synced, settle)
    assert Thread.objects.count() == threads - 1
    in_step(synced, box)


def test_people_are_remembered_but_not_ourselves(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    from postroom.mail.models import Correspondent

    box.deliver(from_=Address("Ines@Contoso.example", "Ines Ribeiro"))
    box.deliver(from_="adele@northwind.example", to=["tom@contoso.example"], folder="sent")
    settle(mailbox)
    found = {c.address: (c.name, c.received, c.sent) for c in Correspondent.objects.all()}
    assert found == {"ines@contoso.example": ("Ines Ribeiro", 1, 0), "tom@contoso.example": ("", 0, 1)}


def test_gone_is_no_error(synced: Mailbox, box: Box, settle: Settle) -> None:
    box.fail_next(NotFound("gone"), on="get")
    box.deliver()
    notify(box)
    settle(synced, ahead=timedelta(minutes=10))
    in_step(synced, box)


def test_a_message_that_left_the_tree_left_the_mailbox(synced: Mailbox, box: Box, settle: Settle) -> None:
    message = next(iter(box.messages))
    box.move(message, box.folder("Recoverable Items"))
    recoverable = box.messages[message].folder_id or ""
    box.folders.pop(recoverable)
    box.folder_log[:] = [entry for entry in box.folder_log if entry.item != recoverable]
    follow(synced, settle)
    assert not Message.objects.filter(remote_id=message).exists()


def test_there_and_back_does_not_hide_what_changed_on_the_way(synced: Mailbox, box: Box, settle: Settle) -> None:
    message = next(iter(box.messages))
    box.move(message, "archive")
    box.flag(message)
    box.read(message)
    box.move(message, "inbox")
    notified = box.notifications()
    assert notified  # lost: the delta alone has to find it
    follow(synced, settle)
    in_step(synced, box)


# --- completeness ---------------------------------------------------------------------------------------------------


def test_what_was_lost_or_left_behind_is_found_by_counting_and_repaired(
    synced: Mailbox, box: Box, settle: Settle
) -> None:
    ids = list(box.messages)
    Message.objects.filter(remote_id=ids[0]).update(remote_id="stale")  # one too many, and one missing
    extra = Message.objects.get(remote_id=ids[1])
    from postroom.mail import store

    store.remove(synced, [extra.remote_id])
    lanes.want(synced.pk, Activity.COVERAGE)
    settle(synced)
    in_step(synced, box)


def test_what_was_set_aside_is_asked_for_again_after_an_upgrade(
    mailbox: Mailbox, box: Box, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [box.deliver() for _ in range(3)]
    box.spoil(ids[1], "cannot be decoded")
    settle(mailbox)
    box.spoiled.clear()
    follow(mailbox, settle)
    assert Quarantined.objects.count() == 1
    monkeypatch.setattr("postroom.__version__", "99.0")
    follow(mailbox, settle)
    assert not Quarantined.objects.exists()
    in_step(mailbox, box)


def test_when_access_is_back_every_folder_is_asked_whenever_its_next_look_was_planned(
    box: Box, connect: Callable[..., Mailbox], settle: Callable[..., int], settings: Any
) -> None:
    settings.POSTROOM_PUBLIC_URL = ""
    mailbox = connect()
    settle(mailbox)
    box.deliver(subject="Meanwhile")
    # A run was cut off after it had looked into every folder, then nothing was allowed for hours.
    SyncState.objects.filter(mailbox=mailbox).update(due_at=now() + timedelta(hours=9))
    Lane.objects.filter(mailbox=mailbox, activity=Activity.LIVE).update(failure="access_lost", due_at=now())
    settle(mailbox)
    assert Message.objects.filter(mailbox=mailbox, subject="Meanwhile").exists()
