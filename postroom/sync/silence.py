"""Has push gone silent? Decided from what the deltas find (product.md SY7, "silence detector").

Mail that a living subscription must have announced, and that a delta finds without any word since, is *unannounced*.
One such mail is doubt: the mailbox is looked at more often until the provider speaks again. A few are proof: Postroom
subscribes anew and says so. The decision is pure (`unannounced`, `verdict`); `note` keeps it on the subscription's row.

What is no proof: mail younger than a minute (Microsoft itself says "less than a minute", graph.md 3.4), mail from
before the subscription or from before the last look (it was moved or restored here), our own drafts and sent copies,
and everything while we ourselves were not at work.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes
from postroom.sync.models import Activity, Notification, Subscription

GRACE = timedelta(minutes=1)  # a notification may take so long
ENOUGH = 3  # unannounced mails that prove silence
AGAIN_AFTER = timedelta(hours=1)  # a new subscription is given so long before it is replaced for the same reason
ASLEEP_AFTER = timedelta(hours=25)  # no successful run for so long: it was us who did not listen


@dataclass(frozen=True)
class Arrival:
    """New mail that a delta brought. ``ours``: a draft, or written by the mailbox's own people."""

    received: datetime | None
    ours: bool = False


@dataclass(frozen=True)
class Watch:
    """What is known of the subscription. ``worked_at``: the mailbox's last successful run before this one."""

    made_at: datetime
    expires_at: datetime
    last_notified_at: datetime | None = None
    unannounced: int = 0
    replaces_silent_at: datetime | None = None
    worked_at: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """``count``: unannounced mails by now. ``replace``: subscribe anew."""

    count: int
    replace: bool


def unannounced(arrivals: Iterable[Arrival], watch: Watch, *, looked_before: datetime | None, at: datetime) -> int:
    """How many of these the subscription should have told us of and did not. ``looked_before``: when the folder's
    previous round ended; without one nothing is proven."""
    if looked_before is None or watch.expires_at <= at or _asleep(watch, at):
        return 0
    since = max(looked_before, watch.made_at + GRACE, watch.last_notified_at or watch.made_at)
    return sum(
        one.received is not None and not one.ours and since < one.received < at - GRACE  # later than all we heard
        for one in arrivals
    )


def verdict(watch: Watch, found: int, at: datetime) -> Verdict:
    """What ``found`` more unannounced mails mean."""
    count = watch.unannounced + found
    return Verdict(count, replace=bool(found) and is_proven(count, watch.replaces_silent_at, at))


def is_proven(count: int, replaces_silent_at: datetime | None, at: datetime) -> bool:
    """Whether a subscription with so many unannounced mails has to be replaced."""
    return count >= ENOUGH and not (replaces_silent_at is not None and at - replaces_silent_at < AGAIN_AFTER)


def _asleep(watch: Watch, at: datetime) -> bool:
    return watch.worked_at is None or at - watch.worked_at > ASLEEP_AFTER


# --- on the row ------------------------------------------------------------------------------------------------------


def note(mailbox: Mailbox, arrivals: Iterable[Arrival], *, looked_before: datetime | None) -> bool:
    """Weigh the new mail of one page of a delta, in the page's own transaction. Returns whether some was unannounced:
    then the live lane has to look more often, and is to be asked if it is not the one who found it."""
    news = list(arrivals)
    row = Subscription.objects.filter(mailbox=mailbox).order_by("-expires_at").first() if news else None
    if row is None or Notification.objects.filter(mailbox=mailbox).exists():
        return False  # no push; or it speaks, and what it said is not read yet
    at = now()
    watch = Watch(
        row.made_at,
        row.expires_at,
        row.last_notified_at,
        row.unannounced,
        row.replaces_silent_at,
        mailbox.last_success_at,
    )
    found = unannounced(news, watch, looked_before=looked_before, at=at)
    if not found:
        return False
    judged = verdict(watch, found, at)
    Subscription.objects.filter(pk=row.pk).update(unannounced=F("unannounced") + found)
    if judged.replace:
        lanes.want(mailbox.pk, Activity.RENEWAL)
    return True


def in_doubt(mailbox: Mailbox, at: datetime) -> bool:
    """Whether deltas should make up for a subscription that may be silent, or has only just replaced a silent one."""
    row = Subscription.objects.filter(mailbox=mailbox).order_by("-expires_at").first()
    if row is None:
        return False
    young = row.replaces_silent_at is not None and at - row.replaces_silent_at < AGAIN_AFTER
    return row.unannounced > 0 or (young and row.last_notified_at is None)
