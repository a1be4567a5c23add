"""What a member sees of their messages on the way out, and how one is taken back (product.md SE6, SE7).

A message can be taken back until its hand-over is written down (step "sending", ``mail.sending``): both are one
conditional write of the same row, so exactly one of them happens. Only that it was written down is certain; whether the
provider did it is found out afterwards, so from then on it counts as gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail import drafts
from postroom.mail.events import readers
from postroom.mail.models import Composition
from postroom.mail.outbound import copies, limits, returns, uploads
from postroom.mail.ways import Returned
from postroom.mailboxes.models import Mailbox
from postroom.sync import lanes
from postroom.sync.lanes import BLOCKING_FAILURES
from postroom.sync.models import Activity, OutboxEntry
from postroom.workspaces.models import Membership

TOO_LATE = timedelta(hours=1)  # a message that was to go out before this is asked about first
TAKEN_BACK = "Taken back"
LATE = (
    "It was to go out at a time when Postroom was down or could not reach the mailbox. Send it now, or change the time."
)
VIA = "Through {server}, because its own mailbox had reached its limit or always goes this way."
LIMIT = (
    "{address} has sent as much as it may for today. It goes out by itself when the mailbox may send again, or at once "
    "when an admin lets the workspace’s mail server step in."
)
OUT = "It was handed over and cannot be taken back."
UNCLEAR = (
    "The connection was lost at the very end: the message may have gone out, or not. Ask a recipient. "
    "Sending it again sends it once more if it did."
)
BEFORE_HAND_OVER = ("", "begun", "drafted")  # steps in which nothing was handed to anybody yet


class TooLate(Exception):
    """The hand-over to the provider has begun; the message cannot be taken back."""


def is_too_late(entry: OutboxEntry) -> bool:
    """Whether the time chosen for it passed long ago and nothing was tried since."""
    at = entry.fields.get("scheduled_at")
    return (
        at is not None and not entry.step and not entry.attempts and now().timestamp() - at > TOO_LATE.total_seconds()
    )


def hold(entry: OutboxEntry, composition: Composition) -> None:
    """Ask its author instead of sending it. In the caller's transaction."""
    waiting = OutboxEntry.objects.filter(pk=entry.pk, state__in=OutboxEntry.OPEN, step="")
    if waiting.update(state=OutboxEntry.State.DONE, done_at=now(), reason="Held: its time had passed"):
        Composition.objects.filter(pk=composition.pk).update(state=Composition.State.HELD, updated_at=now())
        tell(composition, "held")


def take_back(composition: Composition) -> None:
    """It is a draft again, as it was. Raises ``TooLate`` when its hand-over began. Doing it twice does no harm."""
    with transaction.atomic():
        lanes.want(composition.mailbox_id, Activity.OUTBOX, at=now() + drafts.IDLE)  # first: so does the engine
        rows = OutboxEntry.objects.select_for_update().filter(subject_key=drafts.key(composition), kind="send")
        entry = rows.filter(state__in=OutboxEntry.OPEN).order_by("-pk").first()
        if entry is not None and entry.step not in BEFORE_HAND_OVER:
            raise TooLate
        if entry is not None:
            OutboxEntry.objects.filter(pk=entry.pk).update(
                state=OutboxEntry.State.DONE, done_at=now(), reason=TAKEN_BACK
            )
            _as_draft(composition, entry)
        elif composition.state == Composition.State.HELD:
            Composition.objects.filter(pk=composition.pk).update(state=Composition.State.DRAFT, updated_at=now())
        composition.refresh_from_db()
        if composition.state not in drafts.UNSENT:
            raise TooLate
    tell(composition, "back")


def _as_draft(composition: Composition, entry: OutboxEntry) -> None:
    """What an attempt may have left in the provider's Drafts is looked for, and is its draft from now on."""
    told: dict[str, object] = {"state": Composition.State.DRAFT, "updated_at": now()}
    if entry.remote_id:
        told |= {"draft_id": entry.remote_id, "draft_hash": drafts.local_hash(composition)}
    Composition.objects.filter(pk=composition.pk, state=Composition.State.SENDING).update(**told)
    composition.refresh_from_db()
    drafts.touched(composition)
    if entry.step:
        OutboxEntry.objects.filter(
            subject_key=drafts.key(composition), kind="draft", state=OutboxEntry.State.WAITING
        ).update(step="begun")


def tell(composition: Composition, outcome: str) -> None:
    """The screens of those who may see it look again."""
    mailbox = composition.mailbox
    told = {"composition": composition.pk, "member": composition.author_id, "outcome": outcome}
    publish(mailbox.workspace_id, "sending", told, members=readers(mailbox))


# --- what its author sees ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Status:
    """``kind``: undo, scheduled, waiting, sending, sent, returned, held, failed, draft. ``until``: when it goes on."""

    kind: str
    label: str
    why: str = ""
    until: datetime | None = None
    may_cancel: bool = False


def on_the_way(member: Membership, *, also_sent_since: datetime | None = None) -> QuerySet[Composition]:
    """What the member sent that is not sent yet, or could not be; the next first."""
    states = [Composition.State.SENDING, Composition.State.HELD, Composition.State.FAILED]
    rows = Composition.objects.filter(author=member, state__in=states, mailbox__workspace=member.workspace_id)
    if also_sent_since is not None:
        sent = Composition.objects.filter(author=member, state=Composition.State.SENT, sent_at__gte=also_sent_since)
        rows = rows | sent.filter(mailbox__workspace=member.workspace_id)
    return rows.select_related("mailbox", "sent_message").order_by("send_at", "-updated_at", "pk")


def statuses(compositions: Sequence[Composition]) -> dict[int, Status]:
    """How far each of them is, by id. At most three queries; all of one workspace."""
    keys = [drafts.key(one) for one in compositions if one.state == Composition.State.SENDING]
    rows = OutboxEntry.objects.filter(subject_key__in=keys, kind="send", state__in=OutboxEntry.OPEN).order_by("pk")
    entries = {row.subject_key: row for row in rows} if keys else {}
    back = _came_back([one for one in compositions if one.state == Composition.State.SENT])
    going = uploads.progress([one.pk for one in compositions if one.state == Composition.State.SENDING])
    return {
        one.pk: back.get(one.pk) or _status(one, entries.get(drafts.key(one)), going.get(one.pk, ""))
        for one in compositions
    }


def _came_back(sent: Sequence[Composition]) -> dict[int, Status]:
    """Of what was sent, what did not reach everybody, or went out under another address."""
    if not sent:
        return {}
    workspace = sent[0].mailbox.workspace_id
    found = returns.of_messages(workspace, [one.internet_message_id for one in sent])
    return {one.pk: status for one in sent if (status := _returned(one, found.get(one.internet_message_id, ())))}


def _returned(one: Composition, rows: Sequence[Returned]) -> Status | None:
    if failed := [row for row in rows if row.what == Returned.What.FAILED]:
        return Status("returned", "Came back", returns.told(failed), one.sent_at)
    if sent_as := [row for row in rows if row.what == Returned.What.SENT_AS]:
        return Status("sent", "Sent", f"{_via(one)} {returns.told(sent_as)}".strip(), one.sent_at)
    return None


def _via(one: Composition) -> str:
    return VIA.format(server=one.via) if one.via else ""


def _status(one: Composition, entry: OutboxEntry | None, going: str) -> Status:
    if one.state == Composition.State.SENDING:
        return _sending(one, entry, going)
    found: Mapping[str, Status] = {
        Composition.State.FAILED: Status("failed", "Not sent", reason(one.failure)),
        Composition.State.HELD: Status("held", "Held", UNCLEAR if one.failure == copies.UNCLEAR else LATE, one.send_at),
        Composition.State.SENT: Status("sent", "Sent", _via(one), one.sent_at),
    }
    return found.get(one.state, Status("draft", "Draft"))


def _sending(one: Composition, entry: OutboxEntry | None, going: str) -> Status:
    if entry is None:
        return Status("sending", "Sending…")
    may = entry.step in BEFORE_HAND_OVER
    ahead = entry.due_at > now()
    if ahead and not entry.attempts and "scheduled_at" in entry.fields:
        return Status("scheduled", "Scheduled", until=entry.due_at, may_cancel=may)
    if (blocked := _blocked(one.mailbox)) is not None:
        return Status("waiting", *blocked, may_cancel=may)
    if ahead and entry.reason == limits.HELD:
        return Status("waiting", "Held", LIMIT.format(address=one.mailbox.address), entry.due_at, may)
    if ahead and "undo_until" in entry.fields and not entry.attempts:
        return Status("undo", "Goes out in a moment", until=entry.due_at, may_cancel=may)
    if ahead and entry.attempts:
        why = f"{one.mailbox.address} did not take it yet. It is tried again by itself; nothing is lost."
        return Status("waiting", "Waits", why, entry.due_at, may)
    return Status("sending", "Sending…", going if may else OUT, may_cancel=may)


def _blocked(mailbox: Mailbox) -> tuple[str, str] | None:
    """(what it waits for, what to do) while nothing can leave the mailbox."""
    address = mailbox.address
    if mailbox.failure in BLOCKING_FAILURES:
        return "Waits for a new sign-in", f"It goes out as soon as somebody has signed in to {address} again."
    if mailbox.state == Mailbox.State.PAUSED:
        return "Waits", f"{address} is paused. It goes out when the mailbox is resumed."
    if mailbox.failure:
        return "Waits for the mailbox to answer", f"{address} does not answer. It goes out by itself when it does."
    return None


_REASONS = {
    "ErrorMessageSizeExceeded": "It is larger than the mailbox may send. Take an attachment off and send again.",
    "ErrorInvalidRecipients": "An address was refused. Correct it and send again.",
    "ErrorSendAsDenied": "The mailbox may not send under this address. Choose another one in From.",
    "ErrorQuotaExceeded": "The mailbox is full. Make room in it, then send again.",
    "ErrorExceededMessageLimit": "The mailbox has reached its sending limit for today. Send again tomorrow.",
    "smtp_size": "It is larger than the workspace’s mail server takes. Send it tomorrow, or take an attachment off.",
    "smtp_utf8": "An address has letters that the workspace’s mail server cannot write to.",
}


def reason(failure: str) -> str:
    """Why it was not sent, and what to do. A provider's word for a refusal is shown as it is: support asks for it."""
    return _REASONS.get(failure, failure or "Microsoft gave no reason. Try again.")
