"""Push that keeps itself alive, on the in-process provider (SY5, SY6, silence). Over HTTP: tests/proofs."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from postroom.lib import clock
from postroom.lib.clock import now
from postroom.mail.models import Message
from postroom.mail.sync import coverage
from postroom.mailboxes import hooks
from postroom.mailboxes.models import Mailbox
from postroom.providers.errors import Refused, Transient
from postroom.providers.memory.mailbox import Box
from postroom.providers.registry import connector
from postroom.sync import push, runner, schedule
from postroom.sync.models import Activity, Lane, Notification, Subscription, SyncState

Settle = Callable[..., int]


@pytest.fixture
def synced(mailbox: Mailbox, box: Box, settle: Settle) -> Mailbox:
    box.deliver(subject="Old")
    settle(mailbox)
    box.notifications()
    return mailbox


def notify(box: Box) -> None:
    for body in box.notifications():
        push.take(connector("memory").notified(body))


def subjects() -> set[str]:
    return set(Message.objects.values_list("subject", flat=True))


def test_asked_to_reauthorise_it_is_renewed_at_once(synced: Mailbox, box: Box, settle: Settle) -> None:
    before = Subscription.objects.get()
    settle(synced, ahead=timedelta(hours=20))
    box.subscriptions.post(lifecycle="reauthorizationRequired")
    notify(box)
    settle(synced, ahead=timedelta(0))
    after = Subscription.objects.get()
    assert after.remote_id == before.remote_id and after.expires_at > before.expires_at


def test_a_removed_subscription_is_made_again_and_everything_is_looked_at(
    synced: Mailbox, box: Box, settle: Settle
) -> None:
    before = Subscription.objects.get().remote_id
    box.subscriptions.end()
    box.deliver(subject="Between")
    notify(box)
    settle(synced, ahead=timedelta(0))
    assert Subscription.objects.get().remote_id != before
    assert "Between" in subjects()


def test_missed_notifications_lead_to_a_look_at_everything(synced: Mailbox, box: Box, settle: Settle) -> None:
    box.deliver(subject="Missed")
    box.notifications()
    box.subscriptions.post(lifecycle="missed")
    notify(box)
    settle(synced, ahead=timedelta(0))
    assert "Missed" in subjects()
    assert not Notification.objects.exists()


def test_a_renewal_that_fails_for_a_moment_is_tried_again(synced: Mailbox, box: Box, settle: Settle) -> None:
    before = Subscription.objects.get()
    box.fail_next(Transient("busy"), on="renew", times=2)
    box.subscriptions.post(lifecycle="reauthorizationRequired")
    notify(box)
    settle(synced, ahead=timedelta(minutes=1))
    after = Subscription.objects.get()
    assert after.remote_id == before.remote_id and after.expires_at > before.expires_at


def test_a_refusal_is_tried_again_with_growing_patience_and_the_mailbox_stays_healthy(
    synced: Mailbox, box: Box, settle: Settle
) -> None:
    box.subscriptions.end()
    box.fail_next(Refused("no"), on="subscribe", times=3)
    notify(box)
    settle(synced, ahead=timedelta(seconds=10))
    assert hooks.card(synced)["push_note"] == "Microsoft could not reach Postroom"
    synced.refresh_from_db()
    assert synced.health == "healthy"
    settle(synced, ahead=timedelta(minutes=4))
    assert hooks.card(synced)["push"] == "on"


def test_silence_is_noticed_by_the_deltas_and_mended(synced: Mailbox, box: Box, settle: Settle) -> None:
    dead = Subscription.objects.get().remote_id
    settle(synced, ahead=timedelta(hours=1))
    for number in range(3):
        box.deliver(subject=f"Untold {number}", received=now() + timedelta(minutes=number + 1))
    box.notifications()  # lost, every one
    settle(synced, ahead=timedelta(hours=25))
    assert "Untold 2" in subjects()
    row = Subscription.objects.get()
    assert row.remote_id != dead and row.replaces_silent_at is not None
    assert "Postroom resubscribed at" in hooks.card(synced)["push_note"]


def test_a_storm_on_one_message_costs_one_question(synced: Mailbox, box: Box, settle: Settle) -> None:
    first = box.deliver(subject="Busy")
    for number in range(300):
        box.read(first, number % 2 == 0)
    box.calls.clear()
    notify(box)
    settle(synced, ahead=timedelta(0))
    assert box.calls.count("get") == 1


def test_a_storm_over_many_messages_is_read_by_deltas(synced: Mailbox, box: Box, settle: Settle) -> None:
    for number in range(300):
        box.deliver(subject=f"Flood {number}")
    box.calls.clear()
    notify(box)
    settle(synced, ahead=timedelta(seconds=5))
    assert len(subjects()) == 301
    assert box.calls.count("get") < 30


def test_mail_that_completeness_came_upon_untold_makes_deltas_come_more_often_at_once(
    synced: Mailbox, box: Box, settle: Settle
) -> None:
    SyncState.objects.update(due_at=now() + timedelta(hours=12))
    Lane.objects.filter(activity=Activity.LIVE).update(due_at=now() + timedelta(hours=12))
    with clock.frozen(now() + timedelta(minutes=3)):
        box.deliver(subject="Untold")
        box.notifications()  # and all of it is lost
    with clock.frozen(now() + timedelta(minutes=6)):
        coverage.check_now(synced)
        runner.run_mailbox(synced.pk)
        assert "Untold" in subjects() and Subscription.objects.get().unannounced == 1
        assert Lane.objects.get(activity=Activity.LIVE).due_at <= now() + schedule.DOUBT
