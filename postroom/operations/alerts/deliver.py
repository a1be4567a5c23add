"""Sending notices: taken under a lease, sent outside of any transaction, tried again with growing patience."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta

from django.db import transaction

from postroom.lib.clock import now
from postroom.operations.alerts import mailer, outgoing
from postroom.operations.alerts.channels import recipients, settings_of
from postroom.operations.alerts.words import Words, absolute, in_sum, words
from postroom.operations.models import Alert, Notice

log = logging.getLogger(__name__)

PATIENCE = (60, 300, 1800, 7200, 21600)  # seconds before the next attempt, by attempts so far
LEASE = timedelta(minutes=5)
AT_ONCE = 20
SUBJECTS = {
    Notice.Event.RAISED: "{title}",
    Notice.Event.ESCALATED: "More urgent: {title}",
    Notice.Event.RECOVERED: "Recovered: {title}",
}
State = Notice.State


def send_due(at: datetime | None = None) -> int:
    """Send what is due. Returns how many were delivered."""
    return sum(_one(notice) for notice in _take(at or now()))


def _one(notice: Notice) -> bool:
    """A notice nobody can deliver holds none of the others up."""
    try:
        return deliver(notice)
    except Exception as problem:
        log.exception("notice %s could not be delivered", notice.pk)
        _failed(notice, type(problem).__name__)
        return False


@transaction.atomic
def _take(at: datetime) -> list[Notice]:
    """Lease some notices; another process skips them."""
    rows = Notice.objects.select_for_update(skip_locked=True).filter(state=State.WAITING, due_at__lte=at)
    found = list(rows.order_by("due_at")[:AT_ONCE])
    Notice.objects.filter(pk__in=[one.pk for one in found]).update(due_at=at + LEASE)
    return found


def deliver(notice: Notice) -> bool:
    """One attempt; stores how it went."""
    try:
        if notice.channel == Notice.Channel.MAIL:
            _mail(notice)
        else:
            _post(notice)
    except (mailer.NotSent, outgoing.NotDelivered) as problem:
        _failed(notice, str(problem))
        return False
    notice.state, notice.due_at, notice.error = State.SENT, None, ""
    notice.attempts += 1
    notice.save(update_fields=["state", "due_at", "error", "attempts"])
    return True


def _failed(notice: Notice, why: str) -> None:
    given_up = notice.attempts >= len(PATIENCE) or notice.event == Notice.Event.TEST
    notice.state = State.FAILED if given_up else State.WAITING
    notice.due_at = None if given_up else now() + timedelta(seconds=PATIENCE[notice.attempts])
    notice.attempts, notice.error = notice.attempts + 1, why[:200]
    notice.save(update_fields=["state", "due_at", "error", "attempts"])
    log.warning("notice %s by %s was not delivered: %s", notice.pk, notice.channel, why)


def _mail(notice: Notice) -> None:
    to = recipients(notice)
    said = _said(notice)
    if not to or said is None:
        return
    subject = SUBJECTS[Notice.Event(notice.event)].format(title=said.title)
    over = notice.event == Notice.Event.RECOVERED
    text = "This is over; nothing has to be done.\n" if over else f"{said.text}\n\nWhat to do: {said.todo}\n"
    mailer.send(to, f"[Postroom] {subject}", f"{subject}\n\n{text}\n{absolute(said.path)}\n")


def _said(notice: Notice) -> Words | None:
    """The words of its alert, or of many that turned at once."""
    if notice.alert is not None:
        return words(notice.alert)
    return in_sum(notice.summary) if notice.summary else None


def _post(notice: Notice) -> None:
    wish = settings_of(notice.workspace_id or 0)
    if not wish.webhook_url:
        return  # taken back meanwhile
    assert notice.workspace_id is not None
    secret = outgoing.signing_secret(notice.workspace_id, wish.webhook_salt)
    outgoing.post(wish.webhook_url, payload(notice), secret=secret, delivery=notice.pk)


def payload(notice: Notice) -> bytes:
    """What a webhook gets: JSON."""
    body: dict[str, object] = {
        "event": f"alert.{notice.event}",
        "delivery": notice.pk,
        "created_at": notice.created_at.isoformat(),
    }
    if notice.summary:
        body["summary"] = {**notice.summary, "url": absolute(in_sum(notice.summary).path)}
    if notice.alert is not None:
        body["alert"] = _alert(notice.alert)
    return json.dumps(body, ensure_ascii=False).encode()


def _alert(alert: Alert) -> dict[str, object]:
    said = words(alert)
    return {
        "id": alert.pk,
        "kind": alert.kind,
        "level": Alert.Level(alert.level).name.lower(),
        "title": said.title,
        "text": said.text,
        "todo": said.todo,
        "url": absolute(said.path),
        "mailbox": {"id": alert.mailbox_id, "address": alert.mailbox.address} if alert.mailbox else None,
        "opened_at": alert.opened_at.isoformat(),
        "closed_at": alert.closed_at.isoformat() if alert.closed_at else None,
    }
