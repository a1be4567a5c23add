"""What deserves an alert right now. Each function is one SQL statement over all workspaces, so a round costs the same
number of queries for ten mailboxes and for ten thousand; deciding is done in Python, and only for the suspicious ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Q

from postroom.mailboxes.failures import NEEDS_SIGN_IN
from postroom.mailboxes.models import Failure, Mailbox
from postroom.operations import beats, dropping, watch
from postroom.operations.alerts import hours
from postroom.operations.models import Alert, AlertSettings, Process
from postroom.sync.models import Quarantined

NOTICE, WARNING, URGENT = Alert.Level.NOTICE, Alert.Level.WARNING, Alert.Level.URGENT
Kind = Alert.Kind
WORKING = (Mailbox.State.LIVE, Mailbox.State.CONNECTING)
GRANT_LIVES = timedelta(days=90)  # an unused refresh token of Microsoft's (graph.md 1.5); using it renews it
DAYS = ((1, URGENT), (7, WARNING), (30, NOTICE))  # product.md AD1
GREW_WITHIN = timedelta(hours=24)
MANY_HELD_BACK = 100
SOON_NO_SUCCESS = timedelta(hours=1)  # nobody's setting is shorter; younger rows need not be looked at
FAILED_LOOPS = 2  # loop-back checks in a row before it is said


class Found(NamedTuple):
    """A reason for an alert: an open one of the same kind and mailbox is the same alert."""

    kind: str
    level: int
    workspace_id: int | None = None
    mailbox_id: int | None = None
    facts: Mapping[str, Any] = {}


def all_of_them(at: datetime) -> Iterator[Found]:
    """Everything that is wrong at this moment."""
    yield from of_mailboxes(at)
    yield from held_back(at)
    yield from grants(at)
    yield from of_the_secret(at.date())
    yield from of_workers(at)
    yield from of_drop_boxes(at)
    yield from of_the_webhook()


def of_mailboxes(at: datetime) -> Iterator[Found]:
    """Silent ones, those that wait for a sign-in, those the brake stopped. The most exact reason only."""
    suspicious = Q(last_success_at__lt=at - SOON_NO_SUCCESS) | Q(last_success_at=None) | ~Q(failure="")
    rows = Mailbox.objects.filter(suspicious, state__in=WORKING).only(
        "pk", "workspace_id", "failure", "failure_detail", "failure_reference", "last_success_at", "connected_at"
    )
    wishes = {one.workspace_id: one for one in AlertSettings.objects.all()}
    for mailbox in rows.iterator():
        wish = wishes.get(mailbox.workspace_id) or AlertSettings(workspace_id=mailbox.workspace_id)
        if found := _of_mailbox(mailbox, wish, at):
            yield found


def _of_mailbox(mailbox: Mailbox, wish: AlertSettings, at: datetime) -> Found | None:
    since = mailbox.last_success_at or mailbox.connected_at
    facts = {"since": since.isoformat(), "failure": mailbox.failure, "reference": mailbox.failure_reference}
    level = _silence(since, wish, at)
    if mailbox.failure == Failure.BREAKER:
        return Found(Kind.BREAKER, URGENT, mailbox.workspace_id, mailbox.pk, facts)
    if mailbox.failure in NEEDS_SIGN_IN:
        return Found(Kind.SIGN_IN, max(level, WARNING), mailbox.workspace_id, mailbox.pk, facts)
    return Found(Kind.SILENT, level, mailbox.workspace_id, mailbox.pk, facts) if level else None


def _silence(since: datetime, wish: AlertSettings, at: datetime) -> int:
    """How bad it is that nothing succeeded since then: 0 not at all."""
    if at - since >= timedelta(hours=wish.silent_any_hours):
        return URGENT
    worked = hours.worked(since, at, work_from=wish.work_from, work_to=wish.work_to, time_zone=wish.time_zone)
    return WARNING if worked >= timedelta(hours=wish.silent_hours) else 0


def held_back(at: datetime) -> Iterator[Found]:
    """Mailboxes whose quarantine grew within a day."""
    grown = Quarantined.objects.filter(at__gte=at - GREW_WITHIN).values("mailbox_id", "mailbox__workspace_id")
    for row in grown.annotate(count=Count("pk")):
        level = URGENT if row["count"] >= MANY_HELD_BACK else WARNING
        yield Found(Kind.QUARANTINE, level, row["mailbox__workspace_id"], row["mailbox_id"], {"count": row["count"]})


def grants(at: datetime) -> Iterator[Found]:
    """Sign-ins that are not used, so that they end: of paused mailboxes mostly, as use renews them."""
    latest = at - GRANT_LIVES + timedelta(days=30)
    rows = Mailbox.objects.filter(
        kind=Mailbox.Kind.OWN, connection__provider="microsoft", connection__access_expires__lt=latest
    ).exclude(state=Mailbox.State.DISCONNECTED)
    for mailbox in rows.exclude(failure__in=NEEDS_SIGN_IN).select_related("connection").iterator():
        assert mailbox.connection is not None and mailbox.connection.access_expires is not None
        days = (mailbox.connection.access_expires + GRANT_LIVES - at).days
        yield Found(Kind.GRANT, level_of_days(days), mailbox.workspace_id, mailbox.pk, {"days": max(days, 0)})


def of_the_secret(today: date) -> Iterator[Found]:
    """The client secret's end, as the operator noted it."""
    ends: date | None = settings.MICROSOFT_CLIENT_SECRET_EXPIRES
    if ends is not None and (level := level_of_days((ends - today).days)):
        yield Found(Kind.SECRET, level, facts={"days": (ends - today).days, "ends": ends.isoformat()})


def level_of_days(days: int) -> int:
    """AD1: 30, 7 and 1 days before an end; 0 for longer."""
    return next((level for limit, level in DAYS if days <= limit), 0)


def of_workers(at: datetime) -> Iterator[Found]:
    """No worker at all (once there was one), or one that fell silent."""
    heard = beats.heard(Process.Kind.WORKER, at)
    if heard.gone:
        yield _missing(Kind.WORKERS, heard)


def of_drop_boxes(at: datetime) -> Iterator[Found]:
    """Members have drop addresses, and nobody takes mail for them, or one of several who did fell silent."""
    known = dropping.taking(at)
    if known is not None and (known.heard.gone or known.is_missed(at)):
        yield _missing(Kind.DROPBOX, known.heard)


def _missing(kind: Kind, heard: beats.Heard) -> Found:
    """Processes that should be there; worse when none is."""
    last = max((one.seen_at for one in heard.gone), default=heard.last.seen_at if heard.last else None)
    facts = {"gone": len(heard.gone), "living": len(heard.living), "last": last.isoformat() if last else ""}
    return Found(kind, WARNING if heard.living else URGENT, facts=facts)


def of_the_webhook() -> Iterator[Found]:
    """The loop-back check failed several times in a row."""
    _, outcome = watch.outcome("webhook")
    if outcome.get("failed", 0) >= FAILED_LOOPS:
        yield Found(Kind.WEBHOOK, WARNING, facts={"why": str(outcome.get("found", ""))[:200]})
