"""What the engine does when a mailbox is connected, paused, reconnected or left (``settings.MAILBOX_HOOKS``)."""

from typing import Any

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes, push
from postroom.sync.models import Activity, Lane, OutboxEntry, Quarantined, Subscription, SyncState


def connected(mailbox: Mailbox) -> None:
    """Start at once: newest mail, push, and what is already waiting to go out."""
    lanes.ensure(mailbox.pk)
    for activity in (Activity.OUTBOX, Activity.LIVE, Activity.RENEWAL, Activity.BACKFILL):
        lanes.want(mailbox.pk, activity)


def history_chosen(mailbox: Mailbox) -> None:
    Lane.objects.filter(mailbox=mailbox, activity=Activity.BACKFILL).update(paused=False)
    lanes.want(mailbox.pk, Activity.BACKFILL)


def reconnected(mailbox: Mailbox) -> None:
    """Go on where it stopped; whatever happened meanwhile comes with the deltas (MA2)."""
    Lane.objects.filter(mailbox=mailbox).update(attempts=0)
    SyncState.objects.filter(mailbox=mailbox).update(due_at=now())
    connected(mailbox)


def sync_now(mailbox: Mailbox) -> None:
    """Deltas of every folder and a look at the subscription (SY8)."""
    SyncState.objects.filter(mailbox=mailbox).update(due_at=now())
    for activity in (Activity.OUTBOX, Activity.LIVE, Activity.RENEWAL):
        lanes.want(mailbox.pk, activity)


def pause(mailbox: Mailbox) -> None:
    lanes.set_paused(mailbox.pk, Activity.BACKFILL, True)


def resume(mailbox: Mailbox) -> None:
    lanes.set_paused(mailbox.pk, Activity.BACKFILL, False)


def cancel(mailbox: Mailbox) -> None:
    """Stop pulling history; what is here stays, and a longer range can be pulled any time (CN13)."""
    Lane.objects.filter(mailbox=mailbox, activity=Activity.BACKFILL).update(due_at=None, paused=False, cursor={})


def disconnecting(mailbox: Mailbox, *, delete: bool) -> None:
    """Leave the provider's side clean. With ``delete`` nothing of the engine's rows stays either."""
    push.unsubscribe(mailbox)
    Lane.objects.filter(mailbox=mailbox).update(due_at=None)
    if delete:
        for model in (Lane, SyncState, Subscription, OutboxEntry, Quarantined):
            model.objects.filter(mailbox=mailbox).delete()


def card(mailbox: Mailbox) -> dict[str, Any]:
    """What the Settings card and the sync card show of the engine."""
    found = {lane.activity: lane for lane in Lane.objects.filter(mailbox=mailbox)}
    backfill, renewal = found.get(Activity.BACKFILL), found.get(Activity.RENEWAL)
    subscription = Subscription.objects.filter(mailbox=mailbox, expires_at__gt=now()).first()
    return {
        "backfill": _backfill(backfill) if backfill else None,
        "realtime": "on" if subscription else str((renewal.progress if renewal else {}).get("push") or "starting"),
        "subscription_expires": subscription.expires_at if subscription else None,
        "waiting": OutboxEntry.objects.filter(mailbox=mailbox, state__in=["waiting", "working"]).count(),
        "quarantined": Quarantined.objects.filter(mailbox=mailbox).count(),
        "working": any(lane.lease_until and lane.lease_until > now() for lane in found.values()),
        "last": (found[Activity.LIVE].progress.get("last") if Activity.LIVE in found else None),
    }


def _backfill(lane: Lane) -> dict[str, Any]:
    progress = lane.progress
    running = lane.due_at is not None or lane.lease_until is not None
    return {
        "done": progress.get("done", 0),
        "total": progress.get("total", 0),
        "rate": progress.get("rate"),
        "seconds_left": progress.get("seconds_left"),
        "folders": progress.get("folders", []),
        "complete": bool(progress.get("complete")) and not running,
        "paused": lane.paused,
        "running": running and not lane.paused,
        "failure": lane.failure,
    }
