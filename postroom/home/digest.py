"""The daily mail: what Home shows, at an hour the member chose, through the installation's own mail server (SMTP_URL).

Who is due stands in the member's row; a job every few minutes only looks. Taking a row is a lease with a fence, as in
the sync engine. Handing the mail over is the one step nobody can look up afterwards: that it happens is committed
before it, so a worker that dies costs at most one mail and never sends one twice.
"""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from postroom.home import today
from postroom.home.models import Desk
from postroom.inbox.accounts import accounts_of
from postroom.lib.clock import now
from postroom.mail.schedule import instant, zone_of
from postroom.operations.alerts import mailer
from postroom.operations.alerts.words import absolute
from postroom.workspaces.models import Membership

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
PATIENCE = (300, 1800, 7200)  # seconds before a mail the server refused is tried again, by attempts so far
AT_ONCE = 50
TOO_LATE = timedelta(hours=10)  # a morning's mail that is not out by then waits for the next morning


def is_possible() -> bool:
    """Whether the installation has a mail server of its own."""
    return bool(settings.SMTP_URL)


def next_due(desk: Desk, member: Membership, at: datetime) -> datetime:
    """The next time the wall's clock of the member says the chosen hour."""
    zone = zone_of(member.user.time_zone)
    day, clock = at.astimezone(zone).date(), time(desk.digest_hour)
    found = instant(day, clock, zone)
    return found if found > at else instant(day + timedelta(days=1), clock, zone)


# --- wishes --------------------------------------------------------------------------------------------------------


def of(member: Membership) -> Desk:
    """The member's row, or the defaults (unsaved)."""
    return Desk.objects.filter(member=member).first() or Desk(member=member, workspace_id=member.workspace_id)


def wish(member: Membership, *, on: bool, hour: int, without: list[str]) -> Desk:
    """Send it daily at ``hour`` without these sections, or no longer."""
    desk = of(member)
    desk.digest, desk.digest_hour, desk.digest_off = on, hour, without
    desk.digest_due_at = next_due(desk, member, now()) if on else None
    desk.digest_attempts, desk.digest_failure = 0, ""
    desk.save()
    return desk


def ask(member: Membership) -> Desk:
    """One more, now; also when there is nothing to say."""
    desk = of(member)
    desk.digest_asked, desk.digest_due_at, desk.digest_attempts, desk.digest_failure = True, now(), 0, ""
    desk.save()
    return desk


# --- sending -------------------------------------------------------------------------------------------------------


def send_due() -> int:
    """Send what is due. Returns how many went out; doubled or late runs do no harm."""
    return sum(_safely(desk) for desk in _take()) if is_possible() else 0


@transaction.atomic
def _take() -> list[Desk]:
    """Lease some rows; another worker skips them."""
    moment = now()
    rows = Desk.objects.select_for_update(skip_locked=True, of=["self"]).filter(digest_due_at__lte=moment)
    known = rows.select_related("member__user", "member__workspace", "member__role")
    found = list(known.order_by("digest_due_at")[:AT_ONCE])
    ids = [one.pk for one in found]
    Desk.objects.filter(pk__in=ids).update(digest_due_at=moment + LEASE, digest_fence=F("digest_fence") + 1)
    for one in found:
        one.digest_fence += 1
    return found


def _safely(desk: Desk) -> bool:
    """A mail nobody can make holds none of the others up."""
    try:
        return _one(desk)
    except Exception as problem:
        log.exception("the daily mail of member %s could not be made", desk.member_id)
        _again(desk, type(problem).__name__)
        return False


def _one(desk: Desk) -> bool:
    member = desk.member
    if not _may_have(member):
        Desk.objects.filter(pk=desk.pk).update(digest_due_at=None)
        return False
    if not desk.digest_asked and not _is_time(desk, member):
        _settle(desk)
        return False
    said = compose(member, desk)
    if said is None and not desk.digest_asked:
        _settle(desk)
        return False
    subject, text, html = said or _nothing(member)
    if not _settle(desk):  # committed before the server hears of it: whatever happens now, it is not sent again
        return False  # somebody else took it meanwhile
    try:
        mailer.send([member.address], subject, text, html=html)
    except mailer.NotSent as problem:
        if problem.unclear:  # it may be on its way: better none than two
            Desk.objects.filter(pk=desk.pk).update(digest_failure=str(problem)[:100])
        else:
            _again(desk, str(problem))
        return False
    Desk.objects.filter(pk=desk.pk).update(digest_sent_at=now(), digest_attempts=0, digest_failure="")
    return True


def _may_have(member: Membership) -> bool:
    return member.removed_at is None and member.workspace.deleted_at is None and member.user.is_active


def _is_time(desk: Desk, member: Membership) -> bool:
    """It is the chosen hour or a little later, and this day had none: the member may have moved to another zone."""
    zone, moment = zone_of(member.user.time_zone), now()
    local = moment.astimezone(zone)
    due = instant(local.date(), time(desk.digest_hour), zone)
    sent = desk.digest_sent_at
    return due <= moment < due + TOO_LATE and (sent is None or sent.astimezone(zone).date() < local.date())


def _after(desk: Desk) -> datetime | None:
    return next_due(desk, desk.member, now()) if desk.digest else None


def _settle(desk: Desk) -> bool:
    """Nothing more today. Returns whether it was still ours to say so."""
    mine = Desk.objects.filter(pk=desk.pk, digest_fence=desk.digest_fence)
    return bool(mine.update(digest_due_at=_after(desk), digest_asked=False))


def _again(desk: Desk, why: str) -> None:
    """The server did not take it: another time today, and a few times only."""
    attempts = min(desk.digest_attempts, len(PATIENCE))
    told: dict[str, Any] = {"digest_attempts": attempts + 1, "digest_failure": why[:100]}
    if attempts < len(PATIENCE):
        told |= {"digest_due_at": now() + timedelta(seconds=PATIENCE[attempts]), "digest_asked": desk.digest_asked}
    else:
        told |= {"digest_due_at": _after(desk), "digest_asked": False, "digest_attempts": 0}
    Desk.objects.filter(pk=desk.pk, digest_fence=desk.digest_fence).update(**told)
    log.warning("the daily mail of member %s was not taken: %s", desk.member_id, why)


# --- what it says --------------------------------------------------------------------------------------------------


def compose(member: Membership, desk: Desk) -> tuple[str, str, str] | None:
    """(subject, text, HTML) in the member's own time; None when there is nothing to say."""
    with timezone.override(zone_of(member.user.time_zone)):
        found = today.today(member, accounts_of(member))
        sections = [one for one in found.sections if one.key not in desk.digest_off]
        if not sections:
            return None
        return _written(f"{found.date}: {_lead(sections)}", {"today": found, "sections": sections})


def _lead(sections: list[today.Section]) -> str:
    told = [text for one in sections if (text := one.in_short)]
    return ", ".join(told[:2]) or sections[0].title.lower()


def _nothing(member: Membership) -> tuple[str, str, str]:
    with timezone.override(zone_of(member.user.time_zone)):
        found = today.Today(member, today.day_of(), [])
        return _written(f"{found.date}: nothing needs you", {"today": found, "sections": []})


def _written(subject: str, context: dict[str, Any]) -> tuple[str, str, str]:
    context |= {"base": absolute("").rstrip("/"), "home_url": absolute(reverse("home:today"))}
    context |= {"settings_url": absolute(reverse("home:notifications"))}
    text = render_to_string("home/digest.txt", context)
    return subject, text, render_to_string("home/digest_mail.html", context)
