"""Assigning, commenting, snoozing, and who hears of it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from postroom.lib.clock import frozen, now
from postroom.mail import deeds
from postroom.mail.models import Conversation, Thread
from postroom.mailboxes.models import Mailbox
from postroom.timeline.models import Assignment, Comment, Notice, Snooze
from postroom.timeline.team import commands, mentions, notices, queries, readers, snoozes, undoing
from postroom.workspaces.models import Membership

Deliver = Callable[..., Thread]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, Any], list[int] | None]]]:
    """(topic, payload, members) of every live event."""
    heard: list[tuple[str, dict[str, Any], list[int] | None]] = []

    def publish(workspace: int, topic: str, payload: dict[str, Any], *, members: Any = None) -> None:
        heard.append((topic, json.loads(json.dumps(payload)), None if members is None else sorted(members)))

    for module in (readers, notices, snoozes):
        monkeypatch.setattr(module, "publish", publish)
    return heard  # type: ignore[return-value]


def kinds(member: Membership) -> list[str]:
    return [one.kind for one in notices.newest(member)]


def test_only_who_reads_a_conversation_can_have_it(
    deliver: Deliver, member: Membership, ben: Membership, zoe: Membership
) -> None:
    conversation = deliver("Offer").conversation_id
    assert commands.assign([conversation], ben, by=member) == {conversation: None}
    with pytest.raises(commands.CannotRead, match="Zoe Lind cannot read this mailbox"):
        commands.assign([conversation], zoe, by=member)
    assert Assignment.objects.get().to == ben
    assert kinds(ben) == ["assigned"]
    assert kinds(member) == []


def test_events_go_to_readers_alone(
    deliver: Deliver, member: Membership, ben: Membership, zoe: Membership, said: list[Any]
) -> None:
    conversation = deliver("Offer").conversation_id
    said.clear()
    commands.write(conversation, "Hold the price?", by=ben)
    commands.is_here(conversation, ben)
    snoozes.snooze([conversation], ben, until=now() + timedelta(hours=1))
    assert [(topic, members) for topic, _, members in said] == [
        ("team", sorted([member.pk, ben.pk])),
        ("presence", sorted([member.pk, ben.pk])),
        ("team", [ben.pk]),
    ]


def test_a_mention_tells_and_one_of_a_stranger_is_refused(
    deliver: Deliver, member: Membership, ben: Membership, zoe: Membership
) -> None:
    conversation = deliver("Offer").conversation_id
    comment = commands.write(conversation, "@ben okafor, can we? Ask @nobody or ben@x.example", by=member)
    assert [one.pk for one in comment.mentions.all()] == [ben.pk]
    assert kinds(ben) == ["mention"]
    with pytest.raises(commands.CannotRead, match="Share the mailbox"):
        commands.write(conversation, "@Zoe look", by=member)
    with pytest.raises(commands.NothingSaid):
        commands.write(conversation, " \0 ", by=member)
    assert Comment.objects.count() == 1


def test_who_commented_hears_of_the_next_and_each_kind_can_be_turned_off(
    deliver: Deliver, member: Membership, ben: Membership
) -> None:
    conversation = deliver("Offer").conversation_id
    commands.write(conversation, "One", by=member)
    commands.write(conversation, "Two", by=ben)
    assert kinds(member) == ["comment"]
    notices.wish(member, [notices.Kind.MENTION])
    commands.write(conversation, "Three", by=ben)
    commands.write(conversation, "@adele four", by=ben)
    assert len(kinds(member)) == 2
    assert kinds(member)[0] == "mention"
    notices.read(member)
    assert notices.unread_count(member) == 0


def test_notices_of_what_one_may_no_longer_read_are_gone(
    deliver: Deliver, member: Membership, ben: Membership, mailbox: Mailbox
) -> None:
    commands.assign([deliver("Offer").conversation_id], ben, by=member)
    mailbox.members.remove(ben)
    assert kinds(ben) == []
    assert notices.unread_count(ben) == 0


def test_a_deleted_comment_comes_back_within_the_hour(deliver: Deliver, ben: Membership) -> None:
    conversation = deliver("Offer").conversation_id
    comment = commands.write(conversation, "Oops", by=ben)
    commands.delete(comment)
    assert queries.comments(conversation) == []
    commands.delete(comment, deleted=False)
    assert len(queries.comments(conversation)) == 1
    commands.delete(comment)
    with frozen(now() + timedelta(hours=2)):
        assert commands.forget_deleted()
    assert not Comment.objects.exists()


def test_a_snooze_ends_by_the_clock_once_and_says_so(deliver: Deliver, ben: Membership) -> None:
    conversation = deliver("Offer").conversation_id
    until = now() + timedelta(hours=1)
    snoozes.snooze([conversation], ben, until=until)
    assert queries.hidden(queries.slept(ben)) == ([conversation], {})
    assert snoozes.wake_due() == 0
    with frozen(until):
        assert queries.hidden(queries.slept(ben)) == ([], {conversation: until})  # also before the job has run
        assert [snoozes.wake_due(), snoozes.wake_due()] == [1, 0]
        assert kinds(ben) == ["woke"]


def test_an_answer_wakes_what_waits_for_one_and_nothing_else(
    deliver: Deliver, member: Membership, ben: Membership
) -> None:
    thread = deliver("Offer")
    until = now() + timedelta(days=3000)
    for who, unless in ((ben, True), (member, False)):
        snoozes.snooze([thread.conversation_id], who, until=until, unless_answered=unless)
    reply = {"in_reply_to": thread.messages.get().internet_message_id, "received": now() + timedelta(minutes=1)}
    deliver("Re: Offer", from_="ines@contoso.example", **reply)
    assert Snooze.objects.get(member=ben).answered
    assert queries.hidden(queries.slept(member))[0] == [thread.conversation_id]
    assert kinds(ben) == ["woke"]


def test_who_is_waited_for_wakes_it_in_whatever_they_write(deliver: Deliver, ben: Membership) -> None:
    conversation = deliver("Offer").conversation_id
    until = now() + timedelta(days=3000)
    snoozes.snooze([conversation], ben, until=until, writes="ines@contoso.example")
    later = now() + timedelta(minutes=1)
    deliver("Other people", from_="bob@contoso.example", received=later)
    deliver("Automatic reply: away", from_="ines@contoso.example", received=later)
    assert Snooze.objects.get().woke_at is None
    deliver("Something else", from_="Ines@contoso.example", received=later)
    assert Snooze.objects.get().answered
    assert kinds(ben) == ["woke"]


def test_undo_puts_back_what_is_still_as_it_was_left(deliver: Deliver, member: Membership, ben: Membership) -> None:
    first, second = deliver("One").conversation_id, deliver("Two").conversation_id
    before = commands.assign([first, second], ben, by=member)
    deed = undoing.note(member, "Assigned", undoing.ASSIGNED, before, ben.pk)
    commands.assign([second], member, by=ben)
    assert deed is not None
    assert deeds.undo(deed, member, []).others == 1
    assert list(Assignment.objects.values_list("conversation", "to")) == [(second, member.pk)]
    until = now() + timedelta(hours=3)
    slept = snoozes.snooze([first], ben, until=until)
    deed = undoing.note(ben, "Snoozed", undoing.SNOOZED, slept, list(snoozes.Wake(until.isoformat(), False)))
    assert deed is not None
    assert deeds.undo(deed, ben, []).others == 1
    assert queries.hidden(queries.slept(ben)) == ([], {})


def test_what_was_said_in_two_conversations_that_become_one_stays(
    deliver: Deliver, member: Membership, ben: Membership
) -> None:
    kept = deliver("One").conversation_id
    others = [Conversation.objects.create(workspace=member.workspace).pk for _ in range(2)]
    for one in (kept, *others):
        Assignment.objects.create(workspace=member.workspace, conversation_id=one, to=ben)
        Comment.objects.create(workspace=member.workspace, conversation_id=one, author=ben, text="Yes")
        Snooze.objects.create(
            workspace=member.workspace, conversation_id=one, member=ben, until=now() + timedelta(days=1)
        )
    Assignment.objects.filter(conversation=kept).delete()
    snoozes.on_merged([(one, kept) for one in others])
    Conversation.objects.filter(pk__in=others).delete()
    assert [kind.objects.filter(conversation=kept).count() for kind in (Assignment, Comment, Snooze)] == [1, 3, 1]


def test_presence_ends_by_itself_and_a_draft_being_written_says_replying(
    deliver: Deliver, member: Membership, ben: Membership
) -> None:
    from postroom.mail import commands as mail

    thread = deliver("Offer")
    commands.is_here(thread.conversation_id, ben)
    assert [one.replying for one in queries.here(thread.conversation_id, besides=member)] == [False]
    assert queries.here(thread.conversation_id, besides=ben) == []
    mail.compose(thread.mailbox, ben, answers=thread.messages.get(), how="reply")
    assert [one.replying for one in queries.here(thread.conversation_id, besides=member)] == [True]
    with frozen(now() + timedelta(minutes=2)):
        assert queries.here(thread.conversation_id, besides=member) == []


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-04T10:10", ["today 13:30", "tomorrow 08:00", "monday 08:00", "week 08:00"]),
        ("2026-03-01T20:00", ["tomorrow 08:00", "week 08:00"]),
        ("2026-03-02T08:00", ["today 11:00", "tomorrow 08:00", "monday 08:00"]),
    ],
)
def test_presets_are_moments_of_the_members_own_day(at: str, expected: list[str]) -> None:
    with timezone.override("Europe/Berlin"):
        found = snoozes.presets(timezone.make_aware(datetime.fromisoformat(at)))
        told = [f"{one.key} {timezone.localtime(one.until):%H:%M}" for one in found if not one.unless_answered]
    assert told == expected


def test_a_typed_moment_is_read_or_refused() -> None:
    assert snoozes.moment("2030-01-02T03:04") == datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    assert [snoozes.moment(one) for one in ("", "soon", "9999-12-31T23:59", "0001-01-01T00:00+14:00")] == [
        None, None, None, snoozes.moment("0001-01-01T00:00+14:00"),
    ]  # fmt: skip


def test_short_names_count_where_they_are_nobody_elses(colleague_of: Callable[..., Membership]) -> None:
    ben, other = colleague_of("Ben Okafor"), colleague_of("Benita Ben")
    pieces = mentions.pieces("@Ben Okafor and @benita.", [ben, other])
    assert [(text, who) for text, who in pieces] == [
        ("@Ben Okafor", ben), (" and ", None), ("@benita", other), (".", None),
    ]  # fmt: skip


def test_lists_and_counts_are_of_open_readable_conversations(
    deliver: Deliver, member: Membership, ben: Membership, mailbox: Mailbox
) -> None:
    threads = [deliver(f"Mail {number}", minutes=number) for number in range(3)]
    ids = [one.conversation_id for one in threads]
    commands.assign(ids, ben, by=member)
    commands.write(ids[0], "@ben yours", by=member)
    snoozes.snooze(ids[1:2], ben, until=now() + timedelta(days=1))
    assert queries.counts(ben, [mailbox.pk]) == (3, 1, 1)
    assert queries.counts(ben, []) == (0, 0, 0)
    end = (datetime(9999, 1, 1, tzinfo=UTC), 2**60)
    assert [row[0] for row in queries.page("mine", ben, [mailbox.pk], after=end, limit=9)] == [
        one.pk for one in reversed(threads)
    ]
    assert len(queries.page("mentions", ben, [mailbox.pk], after=end, limit=9, unread=True)) == 1
    assert queries.page("snoozed", ben, [mailbox.pk], after=end, limit=9, flagged=True) == []
    assert Notice.objects.filter(member=ben).count() == 4
