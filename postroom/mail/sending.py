"""Sending, exactly once (design.md section 3, product.md SE7).

look for what exists -> draft -> attachments -> send -> find the sent copy

Every step looks first and is written down after, so whatever moment a crash chooses, the next attempt finds how far
the last one came: by our marker, kept as a private property of the draft, and by our own Message-ID. The one step
that cannot be looked up while it happens is the hand-over itself; ``step="sending"`` is committed before it, and an
attempt that finds it so waits until the provider's transport must have had time to take the draft.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail import backlog, drafts, outbound, signals, store
from postroom.mail import html as mail_html
from postroom.mail.events import on_stored, readers
from postroom.mail.models import Composition, Message
from postroom.mail.outbound import by_server, copies, limits, returns, uploads
from postroom.mail.prepare import prepare
from postroom.mail.quoting import with_quote
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import (
    Address,
    Gone,
    Outgoing,
    RemoteDraft,
    RemoteMessage,
    Urgency,
)
from postroom.providers.errors import Conflict, NotFound, ProviderError, SendingLimit, Transient
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, OutboxEntry

log = logging.getLogger(__name__)

State = OutboxEntry.State
OUR_MISTAKE = "Postroom made a mistake with this message and tries again. Nothing is lost."
PATIENCE = (2, 5, 15, 60, 300, 900, 3600, 3600, 3600)  # seconds before the next attempt
TRANSPORT = timedelta(seconds=45)  # a draft handed over is gone from Drafts by then, or was never handed over


def enqueue(composition: Composition, *, at: datetime | None = None, zone: str = "", undo: int = 0) -> OutboxEntry:
    """Hand a composition to the outbox. Asking twice sends once: the composition leaves its draft state only here.

    ``at``: not before that moment, which was chosen in the time zone ``zone``; ``undo``: seconds to change one's mind.
    """
    due = at or now() + timedelta(seconds=undo)
    fields = {"scheduled_at": due.timestamp()} if at else {"undo_until": due.timestamp()} if undo else {}
    with transaction.atomic():
        lanes.want(composition.mailbox_id, Activity.OUTBOX, at=due)  # first: the engine too locks its lane before rows
        moved = Composition.objects.filter(pk=composition.pk, state__in=drafts.UNSENT).update(
            state=Composition.State.SENDING, failure="", note="", send_at=at, send_zone=zone, updated_at=now()
        )
        subject = f"composition:{composition.pk}"
        if not moved:
            return OutboxEntry.objects.filter(subject_key=subject).latest("pk")
        return OutboxEntry.objects.create(
            mailbox_id=composition.mailbox_id,
            kind=OutboxEntry.Kind.SEND,
            subject_key=subject,
            member_id=composition.author_id,
            fields=fields,
            due_at=due,
        )


# --- the lane ------------------------------------------------------------------------------------------------------


def send_due(run: Run) -> Steps:
    """Every message that waits to be sent, oldest first; one that fails does not hold up the others."""
    waiting = OutboxEntry.objects.filter(mailbox=run.mailbox, kind=OutboxEntry.Kind.SEND, state__in=OutboxEntry.OPEN)
    for entry in waiting.filter(due_at__lte=now()).order_by("pk"):
        yield from _send(run, entry)
    run.due_by(waiting.order_by("due_at").values_list("due_at", flat=True).first())


def _send(run: Run, entry: OutboxEntry) -> Steps:
    found = Composition.objects.select_related("answers").filter(pk=int(entry.subject_key.partition(":")[2]))
    composition = found.first()
    if composition is None:  # its author left, and what they wrote with them
        yield _gone(entry)
        return
    if outbound.is_too_late(entry):
        yield lambda: outbound.hold(entry, composition)
        return
    try:
        yield from _attempt(run, entry, composition)
    except (Transient, Conflict) as trouble:
        yield _later(entry, composition, trouble)
    except ProviderError as refusal:
        if not isinstance(refusal, NotFound) and not refusal.permanent:
            raise  # a new sign-in, lost access …: about the mailbox, not about this message
        yield _failed(entry, composition, refusal)
    except DatabaseError:
        raise
    except Exception:  # our own mistake with this message must not hold up the others for ever
        log.exception("the message of outbox entry %s could not be sent", entry.pk)
        yield _later(entry, composition, Transient(OUR_MISTAKE))


def _attempt(run: Run, entry: OutboxEntry, composition: Composition) -> Steps:
    found = _found(run, entry, composition)
    if found is not None and not found.is_draft:
        yield from _ended(run, entry, composition, found)
        return
    if by_server.is_out(entry) or _transport_may_have_it(entry, found):
        yield copies.wait_for(entry, composition)
        return
    way = limits.way_of(run.mailbox, composition)
    if (until := way.until) is not None and entry.step in outbound.BEFORE_HAND_OVER:
        yield lambda: limits.hold(entry, until)
        return
    if not entry.step:
        if found is not None and composition.draft_id and found.change_key != composition.draft_key:
            yield _keep_theirs(run, composition, found)
        yield _reached(entry, "begun")  # from here on an attempt looks first for what the last one left
        if entry.state != State.WORKING:  # taken back in this very moment
            return
    composition.tail = tail_of(run, composition)
    draft = _draft(run, entry, composition, found)
    yield _drafted(entry, composition, draft)
    if entry.state != State.WORKING:
        return
    yield from _hand_over(run, entry, composition, draft, through=way.kind)


def _found(run: Run, entry: OutboxEntry, composition: Composition) -> RemoteMessage | None:
    """The draft that is to be sent, or what was sent already: left by an attempt, or written there before."""
    written = OutboxEntry.objects.filter(subject_key=drafts.key(composition), kind__in=["draft", "send"])
    written = written.exclude(pk=entry.pk).exclude(step="")
    if not entry.step and not composition.draft_id and not written.exists():
        return None
    found = run.source.find_sent(marker=composition.marker, internet_message_id=composition.internet_message_id)
    if found is None and composition.draft_id:
        answer = run.source.get([composition.draft_id], urgency=Urgency.USER)[0]
        found = answer if isinstance(answer, RemoteMessage) and answer.is_draft else None
    return found


def _draft(run: Run, entry: OutboxEntry, composition: Composition, found: RemoteMessage | None) -> RemoteDraft:
    """The very draft that is there, with what was written last; a new one only where there is none."""
    if found is None:
        return run.source.create_draft(outgoing_of(composition))
    if entry.step in ("", "begun") and drafts.is_changed(composition):
        return run.source.update_draft(found.id, outgoing_of(composition))
    return _as_draft(found)


def _hand_over(run: Run, entry: OutboxEntry, composition: Composition, draft: RemoteDraft, *, through: str) -> Steps:
    yield from uploads.attach(run, composition, draft)
    for taken_off in drafts.to_detach(composition):
        run.source.detach(draft.id, taken_off)
    if through == "server":
        yield from by_server.hand_over(run, entry, composition, draft=draft.id, reached=_reached)
        if by_server.is_out(entry):
            yield from _look_for_it(run, entry, composition)
        return
    yield _reached(entry, "sending")  # from here on it cannot be taken back
    if entry.state != State.WORKING:
        return
    try:
        run.source.send(draft.id)
    except SendingLimit as refusal:  # a definite no: the draft lies where it lay, and is looked at again at once
        yield _limit_reached(run, entry, refusal)
        return
    yield _reached(entry, "handed_over")
    yield from _look_for_it(run, entry, composition)


def _look_for_it(run: Run, entry: OutboxEntry, composition: Composition) -> Steps:
    sent = run.source.find_sent(marker=composition.marker, internet_message_id=composition.internet_message_id)
    if sent is not None and not sent.is_draft:
        yield from _ended(run, entry, composition, sent)
    else:
        yield copies.wait_for(entry, composition)


def _ended(run: Run, entry: OutboxEntry, composition: Composition, found: RemoteMessage) -> Steps:
    """It is out: its copy goes where such copies lie, and is the message from now on."""
    if _was_by_server(composition):
        found = by_server.filed(run, composition, found)
    by_server.tidy(run, entry, found)
    yield _sent(run, entry, composition, found)


def _was_by_server(composition: Composition) -> bool:
    """Whether any attempt handed it to a mail server, also one that did not live to see what became of it."""
    tried = OutboxEntry.objects.filter(subject_key=drafts.key(composition), kind=OutboxEntry.Kind.SEND)
    return tried.filter(fields__has_key=f"{by_server.STEP}_at").exists()


def _limit_reached(run: Run, entry: OutboxEntry, refusal: SendingLimit) -> Work:
    back = _reached(entry, "drafted")

    def work() -> None:
        limits.reached(run.mailbox, refusal)
        back()
        OutboxEntry.objects.filter(pk=entry.pk, state=State.WORKING).update(due_at=now())

    return work


def _keep_theirs(run: Run, composition: Composition, found: RemoteMessage) -> Work:
    """Somebody wrote into the draft in Outlook since we looked last. What is sent is ours, which is later; theirs
    becomes a draft of its own. Where nothing was written here since, theirs is what is sent."""
    whole = run.source.get([found.id], urgency=Urgency.USER)[0]
    rows = (
        [prepare(whole, own_addresses=backlog.own_addresses(run.mailbox))] if isinstance(whole, RemoteMessage) else []
    )

    def work() -> None:
        on_stored(run.mailbox, store.put(run.mailbox, rows), fresh=True)
        message = Message.objects.filter(mailbox=run.mailbox, remote_id=found.id).first()
        if message is None or not drafts.is_changed(composition):
            return
        if drafts.remote_hash(message) not in (composition.draft_hash, drafts.local_hash(composition)):
            theirs = drafts.split(drafts.body_of(message))[0]
            drafts.keep(composition, drafts.SECOND_THEIRS, html=theirs, subject=message.subject)

    return work


def _transport_may_have_it(entry: OutboxEntry, found: RemoteMessage | None) -> bool:
    """Between Drafts and Sent Items a message may be in neither, or still a draft (graph.md 2.9). One that stays in
    neither is not written anew: its copy may have been deleted before we saw it."""
    if entry.step not in ("sending", "handed_over"):
        return False
    since = entry.fields.get("handed_over_at") or entry.fields.get("sending_at")
    waited = now().timestamp() - float(since) if since else TRANSPORT.total_seconds()
    return waited < TRANSPORT.total_seconds() or found is None


def outgoing_of(composition: Composition) -> Outgoing:
    """The message as it is written at the provider. ``tail_of`` was asked before."""

    def people(rows: Sequence[Any]) -> tuple[Address, ...]:
        return tuple(Address(address=address, name=name) for name, address in rows)

    answered = _answered(composition) if composition.tail else None
    return Outgoing(
        marker=composition.marker,
        internet_message_id=composition.internet_message_id,
        subject=composition.subject,
        html=mail_html.unblocked(composition.body + (composition.tail or "")),
        to=people(composition.to),
        cc=people(composition.cc),
        bcc=people(composition.bcc),
        from_=_alias(composition),
        answers=answered.remote_id if answered else None,
        how=composition.how if answered else "new",  # type: ignore[arg-type]
    )


def _alias(composition: Composition) -> Address | None:
    """None where nothing else than the mailbox's own address was ever chosen: then nobody has to allow anything."""
    address = composition.from_address
    return Address(address=address, name=composition.author.name) if address else None


def _answered(composition: Composition) -> Message | None:
    """None when written from another mailbox than the one it arrived in: there is no draft to answer from there."""
    answered = composition.answers
    return answered if answered is not None and answered.mailbox_id == composition.mailbox_id else None


def tail_of(run: Run, composition: Composition) -> str:
    """What an answer quotes below its text. Empty when what it answers is no longer in the mailbox: then it goes out
    as a message of its own. Asked once, so that what was quoted stays."""
    if composition.tail is not None:
        return composition.tail
    answered = _answered(composition)
    if answered is None or composition.how == "new":
        return ""
    found = run.source.get([answered.remote_id], urgency=Urgency.USER)[0]
    return with_quote("", found, how=composition.how) if isinstance(found, RemoteMessage) else ""


def _as_draft(found: RemoteMessage) -> RemoteDraft:
    return RemoteDraft(
        id=found.id,
        change_key=found.change_key or "",
        conversation_id=found.conversation_id,
        attachments=found.attachments or (),
    )


# --- what is written down ------------------------------------------------------------------------------------------


def _reached(entry: OutboxEntry, step: str, *, remote_id: str = "", **more: object) -> Work:
    """``more`` is kept with the entry.

    Only while nobody took the message back: then ``entry.state`` is no longer "working", and the attempt ends."""

    def work() -> None:
        told = {
            "step": step,
            "remote_id": remote_id or entry.remote_id,
            "fields": {**entry.fields, f"{step}_at": now().timestamp(), **more},
        }
        open_ = OutboxEntry.objects.filter(pk=entry.pk, state__in=OutboxEntry.OPEN)
        entry.state = State.WORKING if open_.update(state=State.WORKING, **told) else State.DONE
        for name, value in told.items():
            setattr(entry, name, value)

    return work


def _drafted(entry: OutboxEntry, composition: Composition, draft: RemoteDraft) -> Work:
    """With what is quoted in it: taken back, it must be known as ours."""
    reached = _reached(entry, "drafted", remote_id=draft.id)

    def work() -> None:
        reached()
        Composition.objects.filter(pk=composition.pk).update(tail=composition.tail)

    return work


def _sent(run: Run, entry: OutboxEntry, composition: Composition, sent: RemoteMessage) -> Work:
    """The copy in Sent Items is the message from now on: stored, linked, shown in the thread. The draft it was goes at
    once, if the provider says so too, and not when somebody tells us."""
    drafted = Message.objects.filter(mailbox=run.mailbox, remote_id__in={composition.draft_id, entry.remote_id})
    former = list(drafted.exclude(remote_id=sent.id).values_list("remote_id", flat=True))
    whole, *asked = run.source.get([sent.id, *former], urgency=Urgency.USER)  # with its body, as it was really sent
    gone = [one.id for one in asked if isinstance(one, Gone)]
    copy, own = whole if isinstance(whole, RemoteMessage) else sent, backlog.own_addresses(run.mailbox)
    row = prepare(copy, own_addresses=own)

    def work() -> None:
        stored = store.put(run.mailbox, [row])
        message = Message.objects.filter(mailbox=run.mailbox, remote_id=sent.id).first()
        # First, so that whoever hears of the copy knows that it was written here
        Composition.objects.filter(pk=composition.pk).update(sent_message=message)
        on_stored(run.mailbox, stored, fresh=True)
        if gone:
            on_stored(run.mailbox, store.remove(run.mailbox, gone), fresh=True)
        OutboxEntry.objects.filter(pk=entry.pk).update(state=State.DONE, step="sent", done_at=now(), reason="")
        Composition.objects.filter(pk=composition.pk).update(
            state=Composition.State.SENT, sent_message=message, sent_at=now(), failure=""
        )
        by_server.done(entry, composition)
        returns.keep_sender(composition, copy, own=own, server=entry.fields.get("via", ""))
        signals.sent.send(Composition, composition=composition, message=message)
        _tell(run.mailbox, composition, "sent")

    return work


def _later(entry: OutboxEntry, composition: Composition, trouble: ProviderError) -> Work:
    if entry.attempts >= len(PATIENCE):
        return _failed(entry, composition, trouble)
    wait = getattr(trouble, "retry_after", None) or PATIENCE[entry.attempts]

    def work() -> None:
        OutboxEntry.objects.filter(pk=entry.pk).update(
            attempts=entry.attempts + 1, due_at=now() + timedelta(seconds=wait), reason=str(trouble)[:400]
        )

    return work


def _gone(entry: OutboxEntry) -> Work:
    def work() -> None:
        OutboxEntry.objects.filter(pk=entry.pk).update(state=State.FAILED, done_at=now(), reason="It no longer exists")

    return work


def _failed(entry: OutboxEntry, composition: Composition, refusal: ProviderError) -> Work:
    """The provider will not send it: it goes back to its author as a draft, with the reason."""
    reason = str(refusal)[:400]

    def work() -> None:
        open_ = OutboxEntry.objects.filter(pk=entry.pk, state__in=OutboxEntry.OPEN)
        if not open_.update(state=State.FAILED, done_at=now(), reason=reason):
            return  # taken back meanwhile
        Composition.objects.filter(pk=composition.pk).update(state=Composition.State.FAILED, failure=reason)
        _tell(composition.mailbox, composition, "failed")

    return work


def _tell(mailbox: Mailbox, composition: Composition, outcome: str) -> None:
    publish(
        mailbox.workspace_id,
        "sending",
        {"composition": composition.pk, "member": composition.author_id, "outcome": outcome},
        members=readers(mailbox),
    )
