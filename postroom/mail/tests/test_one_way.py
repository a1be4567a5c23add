"""A one-way mailbox (CN11): what people send goes out and is kept; nothing else is pulled."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from postroom.mail import commands
from postroom.mail.models import Message
from postroom.mail.sending import enqueue
from postroom.mailboxes import lifecycle
from postroom.mailboxes.models import Mailbox
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.sync import lanes, mailbox_hooks
from postroom.sync.models import Activity, Lane, Subscription
from postroom.workspaces.models import Membership

ONE_WAY, TWO_WAY = Mailbox.Direction.ONE_WAY, Mailbox.Direction.TWO_WAY
Settle = Callable[[Mailbox], int]


@pytest.fixture
def one_way(member: Membership, box: Box) -> Mailbox:
    grant = connector("memory").authority().grant(member.address)  # type: ignore[attr-defined]
    return lifecycle.connect(member, "memory", grant, direction=ONE_WAY)


def subjects(mailbox: Mailbox) -> set[str]:
    return set(Message.objects.filter(mailbox=mailbox).values_list("subject", flat=True))


def test_incoming_mail_is_not_pulled_and_what_is_sent_is_kept(
    one_way: Mailbox, box: Box, member: Membership, settle: Settle
) -> None:
    box.deliver(subject="private")
    settle(one_way)
    draft = commands.compose(one_way, member, to=[("", "gil@contoso.example")], subject="offer")
    enqueue(draft)
    settle(one_way)
    assert subjects(one_way) == {"offer"}
    sent = Message.objects.get()
    assert sent.folder is not None and sent.folder.role == "sent"
    draft.refresh_from_db()
    assert (draft.state, draft.sent_message) == ("sent", sent)


def test_it_has_no_subscription_and_stays_healthy(one_way: Mailbox, settle: Callable[..., int]) -> None:
    settle(one_way, ahead=timedelta(hours=30))
    one_way.refresh_from_db()
    assert (one_way.health, Subscription.objects.count(), one_way.state) == ("healthy", 0, "live")


def test_sync_now_comes_to_an_end(one_way: Mailbox, box: Box, settle: Settle) -> None:
    settle(one_way)
    box.deliver(subject="private")
    ticket = mailbox_hooks.sync_now(one_way)
    settle(one_way)
    result = mailbox_hooks.sync_result(one_way, ticket)
    assert result is not None and (result.new, result.error) == (0, "")


def test_changing_to_one_way_keeps_what_is_here_and_ends_push(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    box.deliver(subject="before")
    settle(mailbox)
    assert Subscription.objects.count() == 1
    lifecycle.set_direction(mailbox, ONE_WAY)
    box.deliver(subject="after")
    settle(mailbox)
    assert (subjects(mailbox), Subscription.objects.count()) == ({"before"}, 0)


def test_changing_back_goes_on_where_it_stopped(mailbox: Mailbox, box: Box, settle: Settle) -> None:
    settle(mailbox)
    lifecycle.set_direction(mailbox, ONE_WAY)
    box.deliver(subject="meanwhile")
    settle(mailbox)
    lifecycle.set_direction(mailbox, TWO_WAY)
    settle(mailbox)
    assert (subjects(mailbox), Subscription.objects.count()) == ({"meanwhile"}, 1)


def test_one_way_from_the_start_asks_for_history_once_it_is_two_way(one_way: Mailbox, box: Box, settle: Settle) -> None:
    box.deliver(subject="old")
    settle(one_way)
    lifecycle.set_direction(one_way, TWO_WAY)
    assert (one_way.state, one_way.history) == ("connecting", "")
    settle(one_way)
    assert subjects(one_way) == {"old"}


def test_a_run_under_the_old_direction_writes_no_more(mailbox: Mailbox) -> None:
    lane = lanes.claim(mailbox.pk, "old run")
    while lane is not None and lane.activity != Activity.LIVE:
        lanes.finish(lane, next_due=None)
        lane = lanes.claim(mailbox.pk, "old run")
    assert lane is not None
    lifecycle.set_direction(mailbox, ONE_WAY)
    with pytest.raises(lanes.LeaseLost):
        lanes.hold(lane)
    assert not Lane.objects.filter(mailbox=mailbox, activity=Activity.BACKFILL, due_at__isnull=False).exists()
