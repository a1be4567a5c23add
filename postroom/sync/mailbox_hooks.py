"""What the engine does when a mailbox is connected, paused, reconnected or left (``settings.MAILBOX_HOOKS``)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.utils.timezone import localtime

from postroom.lib.clock import now
from postroom.mailboxes.hooks import Card, Progress, Seen, SyncResult
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes, push
from postroom.sync.models import Activity, Lane, Notification, OutboxEntry, Quarantined, Subscription, SyncState
from postroom.sync.notified import HEARD_EVERY
from postroom.workspaces.models import Membership

ERASED_AT_ONCE = 2000


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


def direction_changed(mailbox: Mailbox) -> None:
    """Runs under the old direction lose their lanes, except that what is being sent goes out (CN11). Two-way goes on
    where it stopped; one-way ends push and pulls nothing more."""
    if mailbox.direction == Mailbox.Direction.TWO_WAY:
        reconnected(mailbox)
        return
    pulling = Lane.objects.filter(mailbox=mailbox).exclude(activity=Activity.OUTBOX)
    pulling.update(fence=F("fence") + 1, lease_until=None, lease_owner="", due_at=None, failure="")
    for activity in (Activity.LIVE, Activity.RENEWAL):
        lanes.want(mailbox.pk, activity)


def sync_now(mailbox: Mailbox) -> str:
    """Deltas of every folder and a look at the subscription (SY8). The ticket is what the live lane must have seen."""
    SyncState.objects.filter(mailbox=mailbox).update(due_at=now())
    push.ask_to_renew(mailbox)
    for activity in (Activity.OUTBOX, Activity.LIVE, Activity.RENEWAL):
        lanes.want(mailbox.pk, activity)
    return str(Lane.objects.values_list("wanted", flat=True).get(mailbox=mailbox, activity=Activity.LIVE))


def sync_result(mailbox: Mailbox, ticket: str) -> SyncResult | None:
    if not ticket.isdecimal() or len(ticket) > 18:
        return None  # none of ours
    lane = Lane.objects.get(mailbox=mailbox, activity=Activity.LIVE)
    if lane.seen >= int(ticket):
        last = lane.progress.get("last") or {}
        return SyncResult(new=last.get("new", 0), changed=last.get("changed", 0), removed=last.get("removed", 0))
    mailbox.refresh_from_db(fields=["failure", "failure_detail"])
    if lane.failure or mailbox.failure in lanes.BLOCKING_FAILURES:  # whichever lane met it: no lane runs now
        return SyncResult(error=mailbox.failure_detail or _WAITING.get(lane.failure, _WAITING[""]))
    return None


_WAITING = {
    "throttled": "Microsoft asks us to slow down; sync goes on by itself in a moment.",
    "": "The mailbox did not answer. Nothing is lost; Postroom tries again by itself.",
}


def pause(mailbox: Mailbox) -> None:
    lanes.set_paused(mailbox.pk, Activity.BACKFILL, True)
    lanes.want(mailbox.pk, Activity.LIVE)  # which lists meanwhile what was not listed yet


def resume(mailbox: Mailbox) -> None:
    lanes.set_paused(mailbox.pk, Activity.BACKFILL, False)


def cancel(mailbox: Mailbox) -> None:
    """Stop pulling history; what is here stays, and a longer range can be pulled any time (CN13).

    From now on it is a mailbox of new mail only. Its folders are still listed to their end: without that nobody could
    tell what is new in them.
    """
    asked = Mailbox.objects.filter(pk=mailbox.pk).exclude(history="")
    asked.update(history=Mailbox.History.NONE, since=F("connected_at"))
    lane = Lane.objects.filter(mailbox=mailbox, activity=Activity.BACKFILL)
    lane.update(fence=F("fence") + 1, lease_until=None, lease_owner="", paused=False, cursor={})  # from a run under way
    lanes.want(mailbox.pk, Activity.BACKFILL)


def disconnecting(mailbox: Mailbox, delete: bool) -> None:
    """Leave the provider's side clean, and stop."""
    push.unsubscribe(mailbox)
    Lane.objects.filter(mailbox=mailbox).update(due_at=None)


def erase_some(mailbox: Mailbox, contacts: bool) -> int:
    """A portion of the engine's rows of a mailbox that is being deleted."""
    for model in (Notification, OutboxEntry, Quarantined, SyncState, Subscription, Lane):
        some = model.objects.filter(mailbox=mailbox).order_by("pk").values_list("pk", flat=True)[:ERASED_AT_ONCE]
        if ids := list(some):
            return int(model.objects.filter(pk__in=ids).delete()[0])
    return 0


def test_look(mailbox: Mailbox, member: Membership, message: int, since: datetime) -> dict[str, Seen]:
    """Whether push is on, and whether it has told us of anything since the test began."""
    push_on = Subscription.objects.filter(mailbox=mailbox, expires_at__gt=now()).first()
    if push_on is None:
        return {}
    heard = push_on.last_notified_at
    told = heard is not None and heard >= since - HEARD_EVERY  # in a storm it is not written each time
    return {"push": Seen(), **({"notified": Seen(heard, "Pushed by Microsoft.")} if told else {})}


def cards(mailboxes: Sequence[Mailbox]) -> dict[int, Card]:
    """What the Settings cards and the sync card show of the engine."""
    of_it = {"mailbox": OuterRef("pk")}
    aside = Quarantined.objects.filter(**of_it).order_by().values("mailbox")
    first = push.living().filter(**of_it).order_by("pk")
    rows: Iterable[Any] = Mailbox.objects.filter(pk__in=[one.pk for one in mailboxes]).annotate(
        held=Subquery(aside.annotate(number=Count("pk")).values("number")),
        told_lanes=ArraySubquery(Lane.objects.filter(**of_it).values(told=_LANE)),
        told_push=Subquery(first.values("pk")[:1]),
        push_ends=Subquery(first.values("expires_at")[:1]),
        push_missed=Subquery(first.values("unannounced")[:1]),
        push_mended=Subquery(first.values("replaces_silent_at")[:1]),
    )
    return {row.pk: _card(row, {lane["activity"]: Lane(**lane) for lane in row.told_lanes}) for row in rows}


# Of a lane what a card needs; of its moments only whether there are any.
_LANE = JSONObject(
    **{one: one for one in ("activity", "progress", "wanted", "seen", "failure", "due_at", "lease_until", "paused")}
)


def _card(row: Any, found: Mapping[str, Lane]) -> Card:
    subscription = row.told_push and Subscription(
        expires_at=row.push_ends, unannounced=row.push_missed, replaces_silent_at=row.push_mended
    )
    live, renewal = found.get(Activity.LIVE), found.get(Activity.RENEWAL)
    return {
        "progress": _progress(found.get(Activity.BACKFILL)),
        "syncing": bool(live and live.wanted > live.seen and not live.failure),
        "quarantined": row.held or 0,
        "push": "on" if subscription else "polling",
        "push_note": _silence_note(subscription) if subscription else _push_note(row, renewal),
        "push_renews_at": subscription.expires_at - push.RENEW_BEFORE if subscription else None,
    }


SAID_FOR = timedelta(days=2)  # how long a mended silence stays on the card


def _silence_note(subscription: Subscription) -> str:
    """What became of a push that went silent; times in the reader's zone."""
    mended = subscription.replaces_silent_at
    if mended is not None and now() - mended < SAID_FOR:
        day = "" if now() - mended < timedelta(hours=12) else f"{localtime(mended):%d %b} "
        return f"Microsoft stopped notifying; Postroom resubscribed at {day}{localtime(mended):%H:%M}"
    return "checking that Microsoft still notifies" if subscription.unannounced else ""


def _push_note(mailbox: Mailbox, renewal: Lane | None) -> str:
    state = str((renewal.progress if renewal else {}).get("push") or "starting")
    if mailbox.kind == Mailbox.Kind.SHARED:
        return "shared mailboxes are looked at every few seconds while somebody reads them, otherwise every few minutes"
    return {"no_public_url": "no public URL", "refused": "Microsoft could not reach Postroom"}.get(state, "starting")


def _progress(lane: Lane | None) -> Progress | None:
    if lane is None or not lane.progress.get("total"):
        return None
    running = lane.due_at is not None or lane.lease_until is not None
    if lane.progress.get("complete") or not (running or lane.paused):
        return None
    known = lane.progress
    return {
        "done": known["done"],
        "total": known["total"],
        "rate": known.get("rate") or 0.0,
        "eta": known.get("eta"),
        "paused": lane.paused,
        "folders": known.get("folders", []),
    }
