"""From what is wrong to alert rows: new ones are raised, worse ones escalate, those that are over close."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from postroom.lib import live
from postroom.lib.clock import now
from postroom.operations.alerts import channels, findings
from postroom.operations.alerts.findings import Found
from postroom.operations.models import Alert, Notice

Event = Notice.Event
_LOCK = 0x616C6572  # two rounds at once would raise twice; the second one waits and finds nothing to do


def evaluate(at: datetime | None = None) -> dict[str, int]:
    """One round over everything. Returns how many alerts were raised, escalated and recovered."""
    at = at or now()
    return apply(list(findings.all_of_them(at)), at)


@transaction.atomic
def apply(found: Iterable[Found], at: datetime) -> dict[str, int]:
    """Bring the open alerts in line with what was found."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    wanted = {(one.kind, one.mailbox_id): one for one in found}
    opened = {(one.kind, one.mailbox_id): one for one in Alert.objects.filter(closed_at=None)}
    counts = dict.fromkeys((Event.RAISED.value, Event.ESCALATED.value, Event.RECOVERED.value), 0)
    new = Alert.objects.bulk_create(_new(one, at) for key, one in wanted.items() if key not in opened)
    touched: list[tuple[Alert, Event]] = [(alert, Event.RAISED) for alert in new]
    for key, one in wanted.items():
        if key in opened and _worse(opened[key], one, at):
            touched.append((opened[key], Event.ESCALATED))
    for key, alert in opened.items():
        if key not in wanted:
            touched.append((_close(alert, at), Event.RECOVERED))
    for _, event in touched:
        counts[event.value] += 1
    channels.announce(touched)
    for workspace_id in {alert.workspace_id for alert, _ in touched if alert.workspace_id}:
        live.publish(workspace_id, "alerts", {"all": True})
    return counts


def _new(found: Found, at: datetime) -> Alert:
    return Alert(
        workspace_id=found.workspace_id,
        mailbox_id=found.mailbox_id,
        kind=found.kind,
        level=found.level,
        facts=dict(found.facts),
        opened_at=at,
        changed_at=at,
    )


def _worse(alert: Alert, found: Found, at: datetime) -> bool:
    """Keep the figures fresh; True when it got worse. It never gets better step by step: it ends."""
    worse = found.level > alert.level
    facts = dict(found.facts)
    if worse or facts != alert.facts:
        alert.level, alert.facts = max(alert.level, found.level), facts
        alert.changed_at = at if worse else alert.changed_at
        alert.save(update_fields=["level", "facts", "changed_at"])
    return worse


def _close(alert: Alert, at: datetime) -> Alert:
    alert.closed_at = alert.changed_at = at
    alert.save(update_fields=["closed_at", "changed_at"])
    return alert
