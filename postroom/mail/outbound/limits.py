"""How much a mailbox may send, and which way a message goes (product.md SE8, SE9).

The limit is the provider's to say: its refusal counts, whatever we have counted. What is known of it beforehand, and
what an admin set lower, is kept to as well: the last messages before a limit are also those of Outlook and phones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from django.db import transaction
from django.db.models import Count, Min, QuerySet

from postroom.lib.clock import now
from postroom.mail.models import Composition, Message, Participant
from postroom.mail.outbound import servers
from postroom.mail.ways import Allowance
from postroom.mailboxes.models import Mailbox
from postroom.providers import registry
from postroom.providers.contract import FolderRole
from postroom.providers.errors import SendingLimit
from postroom.sync import lanes
from postroom.sync.models import Activity, OutboxEntry

DAY = timedelta(days=1)
SHARE = 0.95  # of the known limit: the provider also counts what we do not see in time
AT_LEAST = timedelta(minutes=5)
HELD = "limit"  # the reason on an outbox entry that waits for this

Route = Allowance.Route


class Way(NamedTuple):
    """``own``: through the mailbox's provider; ``server``: through the workspace's mail server; ``hold``: not before
    ``until``."""

    kind: Literal["own", "server", "hold"]
    until: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """Where a mailbox stands today. ``daily``: recipients it may write to in 24 hours, ``None`` when nobody knows."""

    written: int
    daily: int | None
    until: datetime | None  # set: it may not send before
    said: str
    route: str

    @property
    def share(self) -> int:
        """Percent of the day's allowance."""
        return min(100, round(100 * self.written / self.daily)) if self.daily else 0


def way_of(mailbox: Mailbox, composition: Composition) -> Way:
    """Which way a message goes that is to leave now."""
    row, server = _row(mailbox), servers.of(mailbox.workspace_id)
    if server is not None and row is not None and row.route == Route.SERVER:
        return Way("server")
    until = _refused_until(mailbox, row, more=len(servers.recipients_of(composition)))
    if until is None:
        return Way("own")
    return Way("server") if server is not None and server.steps_in else Way("hold", until)


def standing(mailbox: Mailbox) -> Standing:
    return standings([mailbox])[mailbox.pk]


def standings(mailboxes: Sequence[Mailbox]) -> dict[int, Standing]:
    """By mailbox. Two queries, however many."""
    rows = {row.mailbox_id: row for row in Allowance.objects.filter(mailbox__in=mailboxes)}
    counted = _written(mailboxes).values_list("message__mailbox").annotate(Count("pk"), Min("received"))
    written = {mailbox_id: (count, oldest) for mailbox_id, count, oldest in counted.order_by()}
    return {one.pk: _standing(one, rows.get(one.pk), *written.get(one.pk, (0, None))) for one in mailboxes}


def _standing(mailbox: Mailbox, row: Allowance | None, written: int, oldest: datetime | None) -> Standing:
    daily = _daily(mailbox, row)
    return Standing(
        written=written,
        daily=daily,
        until=_until(row, daily, written=written + 1, oldest=oldest),
        said=row.said if row else "",
        route=row.route if row else Route.OWN,
    )


def _row(mailbox: Mailbox) -> Allowance | None:
    return Allowance.objects.filter(mailbox=mailbox).first()


def _refused_until(mailbox: Mailbox, row: Allowance | None, *, more: int) -> datetime | None:
    """When the mailbox may write to so many ``more``; ``None``: now."""
    if (daily := _daily(mailbox, row)) is None:
        return _until(row, None, written=0, oldest=None)
    counted = _written([mailbox]).aggregate(count=Count("pk"), oldest=Min("received"))
    return _until(row, daily, written=counted["count"] + more, oldest=counted["oldest"])


def _until(row: Allowance | None, daily: int | None, *, written: int, oldest: datetime | None) -> datetime | None:
    if row is not None and row.until is not None and row.until > now():
        return row.until
    if daily is None or oldest is None or written <= max(daily * SHARE, 1):  # one message to more than a day's worth
        return None
    return max(oldest + DAY, now() + AT_LEAST)


def _daily(mailbox: Mailbox, row: Allowance | None) -> int | None:
    """The lower of what an admin set and what the provider is known to allow."""
    kind = mailbox.connection.account_kind if mailbox.connection else "work"
    known = registry.connector(mailbox.provider).capabilities.recipients_a_day.get(kind)
    said = [one for one in (row.daily if row else None, known) if one is not None]
    return min(said, default=None)


def _written(mailboxes: Sequence[Mailbox]) -> QuerySet[Participant]:
    """Recipients of what lies in Sent Items since yesterday, from here, Outlook or a phone; not of what a mail server
    of the workspace carried."""
    since = now() - DAY
    sent = Message.objects.filter(
        mailbox__in=mailboxes, folder__role=FolderRole.SENT, is_draft=False, received__gt=since
    )
    elsewhere = Composition.objects.filter(mailbox__in=mailboxes, sent_at__gt=since, sent_message__isnull=False)
    own = sent.exclude(pk__in=elsewhere.exclude(via="").values("sent_message"))
    return Participant.objects.filter(message__in=own).exclude(role=Participant.Role.FROM)


# --- what happens --------------------------------------------------------------------------------------------------


def reached(mailbox: Mailbox, refusal: SendingLimit) -> None:
    """The provider refused because of its limit. In the caller's transaction."""
    wait = timedelta(seconds=refusal.retry_after or DAY.total_seconds())
    told = {"reached_at": now(), "until": now() + wait, "said": refusal.code[:80]}
    Allowance.objects.update_or_create(mailbox=mailbox, defaults=told)


def reached_late(mailbox: Mailbox, code: str) -> None:
    """The same, learned from a report that came back (google-imap-smtp.md E6 rows 2, 3)."""
    reached(mailbox, SendingLimit(code, code=code, retry_after=DAY.total_seconds()))


def hold(entry: OutboxEntry, until: datetime) -> None:
    """The message waits for its mailbox to be allowed again. In the caller's transaction."""
    waiting = OutboxEntry.objects.filter(pk=entry.pk, state__in=OutboxEntry.OPEN)
    # An attempt was made: a message for a certain time that has to wait for this is not asked about again.
    waiting.update(state=OutboxEntry.State.WAITING, due_at=until, reason=HELD, attempts=max(1, entry.attempts))


@transaction.atomic
def release(workspace_id: int) -> None:
    """Another way is open now: what was held for a limit is looked at again."""
    held = OutboxEntry.objects.filter(mailbox__workspace=workspace_id, kind="send", state="waiting", reason=HELD)
    for mailbox_id in sorted(set(held.values_list("mailbox", flat=True))):
        lanes.want(mailbox_id, Activity.OUTBOX)  # first: the engine too locks its lane before rows
    held.update(due_at=now())


def set_for(mailbox: Mailbox, *, route: str, daily: int | None) -> None:
    """What an admin chose for a mailbox."""
    Allowance.objects.update_or_create(mailbox=mailbox, defaults={"route": route, "daily": daily})
    release(mailbox.workspace_id)
