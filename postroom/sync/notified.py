"""Taking in what a provider posts: checked, noted, answered (SY4, graph.md 3.6); the live lane does the rest.

Nothing here waits for anybody: rows are only added, and the live lane's row is written only when that is news. So the
answer stays quick while a worker stores mail of the same mailbox, and Microsoft's "slow" and "drop" are never reached.
What is noted stays little: a mailbox that cannot work now, or is told more than it can read, gets one line "look at
everything" instead of a line per message.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from time import monotonic
from typing import NamedTuple

from django.db import connection
from django.db.models import F

from postroom.lib.clock import now
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Notified
from postroom.sync import lanes
from postroom.sync.models import Activity, Notification, Stray, Subscription

log = logging.getLogger(__name__)

MOST = 2_000  # notifications noted of one mailbox; what is more becomes "look at everything"
COUNTED_EVERY = 10.0  # seconds between two looks at how many there are
HEARD_EVERY = timedelta(seconds=10)  # how exactly a subscription's last word is kept
_WORKING = (Mailbox.State.CONNECTING, Mailbox.State.LIVE)


def take(items: Sequence[Notified], *, provider: str = "microsoft") -> int:
    """Note what a provider posted and wake the lanes. Returns how many items were for us.

    Unknown subscriptions and wrong client states are left out and counted; the caller answers 202 all the same
    (design.md 4).
    """
    known = _known(items)
    ours: list[Notified] = []
    strays: Counter[str] = Counter()
    for item in items:
        row = known.get(item.subscription_id)
        if row is None:
            strays[Stray.Kind.UNKNOWN] += 1
        elif not _proves(item, row):
            strays[Stray.Kind.WRONG_STATE] += 1
        elif storable(item.message_id):
            ours.append(item)
    if ours:
        _note([item for item in ours if not item.lifecycle], known)
        _lifecycle([item for item in ours if item.lifecycle], known)
    count_strays(provider, strays)
    return len(ours)


class Known(NamedTuple):
    """A subscription of ours, with as much of its mailbox as is asked about here."""

    pk: int
    client_state: str
    mailbox_id: int
    last_notified_at: datetime | None
    unannounced: int
    works: bool  # its mailbox can work now


def _known(items: Iterable[Notified]) -> dict[str, Known]:
    """By the provider's id. Written out: this is asked for every notification there is."""
    named = {item.subscription_id for item in items if storable(item.subscription_id)}
    told: dict[str, list[str]] = {
        "named": list(named),
        "working": list(_WORKING),
        "blocked": list(lanes.BLOCKING_FAILURES),
    }
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, told)
        return {row[0]: Known(*row[1:]) for row in cursor.fetchall()}


_KNOWN = """
    SELECT s.remote_id, s.id, s.client_state, s.mailbox_id, s.last_notified_at, s.unannounced,
           m.state = ANY(%(working)s) AND NOT m.failure = ANY(%(blocked)s)
    FROM sync_subscription s JOIN mailboxes_mailbox m ON m.id = s.mailbox_id WHERE s.remote_id = ANY(%(named)s)
"""


def _proves(item: Notified, row: Known) -> bool:
    return compare_digest(row.client_state.encode(), item.client_state.encode("utf-8", "surrogatepass"))


def storable(text: str) -> bool:
    """PostgreSQL takes neither NUL nor half a character; no id of a provider's has any."""
    return text.isprintable()


# --- messages --------------------------------------------------------------------------------------------------------


def _note(items: Sequence[Notified], known: Mapping[str, Known]) -> None:
    """A line per message, or one for everything; then, when that is kept, a wish for each mailbox that can work."""
    works = {(row := known[item.subscription_id]).mailbox_id: row.works for item in items}
    full = {pk for pk in works if not works[pk]} | _with_too_many([pk for pk in works if works[pk]])
    told = {(known[item.subscription_id].mailbox_id, item.message_id): item.change for item in items}
    _keep([(*key, change) for key, change in told.items() if key[0] not in full])
    if full:
        look_at_everything(*full)
    _heard({item.subscription_id: known[item.subscription_id] for item in items})
    if any(works.values()):
        lanes.want_pushed([pk for pk in works if works[pk]])


def _keep(rows: Sequence[tuple[int, str, str]]) -> None:
    """Rows of (mailbox, message, change), in one statement that commits by itself."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [*([list(column) for column in zip(*rows, strict=True)]), now()])


_KEEP = """
    INSERT INTO sync_notification (mailbox_id, remote_id, change, received_at)
    SELECT told.*, now.* FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS told, (SELECT %s::timestamptz) AS now
"""


def _heard(subscriptions: Mapping[str, Known]) -> None:
    """Push speaks: whatever was in doubt is not. Written now and then only; rows that others hold are left alone."""
    at = now()
    silent = [
        row.pk
        for row in subscriptions.values()
        if row.unannounced or row.last_notified_at is None or at - row.last_notified_at > HEARD_EVERY
    ]
    if silent:
        with connection.cursor() as cursor:
            cursor.execute(_HEARD, {"now": at, "rows": silent})


_HEARD = """
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    free AS (SELECT id FROM sync_subscription WHERE id = ANY(%(rows)s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE sync_subscription s SET last_notified_at = %(now)s, unannounced = 0 FROM free, quick WHERE s.id = free.id
"""


def look_at_everything(*mailbox_ids: int) -> None:
    """One line each that stands for every folder; the next live run asks all their deltas. It does not add up."""
    with connection.cursor() as cursor:
        cursor.execute(_EVERYTHING, {"mailboxes": sorted(mailbox_ids), "now": now()})


_EVERYTHING = f"""
    INSERT INTO sync_notification (mailbox_id, remote_id, change, received_at)
    SELECT told.mailbox_id, '', '{Notification.EVERYTHING}', %(now)s
    FROM unnest(%(mailboxes)s::bigint[]) AS told (mailbox_id)
    WHERE NOT EXISTS (SELECT 1 FROM sync_notification n
                      WHERE n.mailbox_id = told.mailbox_id AND n.change = '{Notification.EVERYTHING}')
"""  # noqa: S608 - our own word

_counted: dict[int, tuple[float, bool]] = {}  # mailbox -> (when it was counted, whether it has too many)


def _with_too_many(mailbox_ids: Collection[int]) -> set[int]:
    """Those of these mailboxes of which so much is noted that a line per message helps nobody."""
    at = monotonic()
    due = [pk for pk in mailbox_ids if at - _counted.get(pk, (-COUNTED_EVERY, False))[0] >= COUNTED_EVERY]
    if due:
        with connection.cursor() as cursor:
            cursor.execute(_FULL, {"mailboxes": due, "most": MOST})
            full = {row[0] for row in cursor.fetchall()}
        _counted.update({pk: (at, pk in full) for pk in due})
    return {pk for pk in mailbox_ids if _counted[pk][1]}


_FULL = """
    SELECT told.id FROM unnest(%(mailboxes)s::bigint[]) AS told (id)
    WHERE EXISTS (SELECT 1 FROM sync_notification n WHERE n.mailbox_id = told.id OFFSET %(most)s - 1)
"""


# --- lifecycle (SY5) -------------------------------------------------------------------------------------------------


def _lifecycle(items: Sequence[Notified], known: Mapping[str, Known]) -> None:
    """Each event once per subscription; the repair itself is the lanes'."""
    events = sorted({(known[i.subscription_id].mailbox_id, i.subscription_id, i.lifecycle) for i in items})
    for mailbox_id, subscription_id, event in events:
        log.info("mailbox %s: push says %s", mailbox_id, event)
        row = known[subscription_id]
        repair, activities = _REPAIRS[event]
        repair(row)
        for activity in activities if row.works else ():
            lanes.want(mailbox_id, activity)


def _reauthorise(row: Known) -> None:
    Subscription.objects.filter(pk=row.pk).update(renew_asked_at=now())


def _removed(row: Known) -> None:
    """It is gone; what happened since cannot have been told."""
    Subscription.objects.filter(pk=row.pk).delete()
    look_at_everything(row.mailbox_id)


def _missed(row: Known) -> None:
    look_at_everything(row.mailbox_id)


_REPAIRS: dict[str, tuple[Callable[[Known], None], tuple[Activity, ...]]] = {
    "reauthorizationRequired": (_reauthorise, (Activity.RENEWAL,)),
    "subscriptionRemoved": (_removed, (Activity.RENEWAL, Activity.LIVE)),
    "missed": (_missed, (Activity.LIVE,)),
}


# --- strays ----------------------------------------------------------------------------------------------------------

STRAYS_KEPT_EVERY = 5.0  # seconds: whoever knocks a thousand times costs one write


@dataclass
class _Unkept:
    """What this process counted and has not stored yet."""

    lock: threading.Lock
    counts: Counter[tuple[str, str]]
    kept_at: float = -STRAYS_KEPT_EVERY


_unkept = _Unkept(threading.Lock(), Counter())


def count_strays(provider: str, kinds: Mapping[str, int]) -> None:
    """Count what was posted and is nobody's, by ``Stray.Kind``; stored at most every few seconds."""
    with _unkept.lock:
        for kind, count in kinds.items():
            _unkept.counts[provider, kind] += count
        if not _unkept.counts or monotonic() - _unkept.kept_at < STRAYS_KEPT_EVERY:
            return
        counts, _unkept.counts, _unkept.kept_at = _unkept.counts, Counter(), monotonic()
    for (named, kind), count in sorted(counts.items()):
        _keep_strays(named, kind, count)


def _keep_strays(provider: str, kind: str, count: int) -> None:
    at = now()
    row, made = Stray.objects.get_or_create(
        provider=provider, day=at.date(), kind=kind, defaults={"count": count, "last_at": at}
    )
    if not made:
        Stray.objects.filter(pk=row.pk).update(count=F("count") + count, last_at=at)


def strays(*, days: int = 7) -> dict[str, int]:
    """What was posted to us and is nobody's in the last days, by kind: for the operators' page and metrics."""
    since = now().date() - timedelta(days=days - 1)
    found: Counter[str] = Counter(dict.fromkeys(Stray.Kind.values, 0))
    for kind, count in Stray.objects.filter(day__gte=since).values_list("kind", "count"):
        found[kind] += count
    return dict(found)
