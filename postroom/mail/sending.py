"""Sending, exactly once (design.md section 3, product.md SE7).

look for what exists -> draft -> attachments -> send -> find the sent copy

Every step looks first and is written down after, so whatever moment a crash chooses, the next attempt finds how far
the last one came: by our marker, kept as a private property of the draft, and by our own Message-ID. The one step
that cannot be looked up while it happens is the hand-over itself; ``step="sending"`` is committed before it, and an
attempt that finds it so waits until the provider's transport must have had time to take the draft.
"""

import logging
import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from msgspec.structs import replace

from postroom.files import storage
from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail import backlog, store
from postroom.mail.events import on_stored, readers
from postroom.mail.models import Composition, CompositionFile, Message
from postroom.mail.prepare import prepare
from postroom.mail.quoting import with_quote
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Address, Outgoing, OutgoingAttachment, RemoteDraft, RemoteMessage, Urgency
from postroom.providers.errors import Conflict, NotFound, ProviderError, Transient
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, OutboxEntry

log = logging.getLogger(__name__)

State = OutboxEntry.State
PATIENCE = (2, 5, 15, 60, 300, 900, 3600, 3600, 3600)  # seconds before the next attempt
TRANSPORT = timedelta(seconds=45)  # a draft handed over is gone from Drafts by then, or was never handed over
LOOK_AGAIN = timedelta(seconds=1)


def new_identity(mailbox: Mailbox) -> tuple[str, str]:
    """A marker and a Message-ID of our own for a message to send."""
    marker = secrets.token_hex(16)
    domain = mailbox.address.rpartition("@")[2] or "postroom.invalid"
    return marker, f"<{marker}.postroom@{domain}>"


def enqueue(composition: Composition) -> OutboxEntry:
    """Hand a composition to the outbox. Asking twice sends once: the composition leaves its draft state only here."""
    with transaction.atomic():
        moved = Composition.objects.filter(pk=composition.pk, state__in=["draft", "failed"]).update(
            state=Composition.State.SENDING, failure="", updated_at=now()
        )
        subject = f"composition:{composition.pk}"
        if not moved:
            return OutboxEntry.objects.filter(subject_key=subject).latest("pk")
        entry = OutboxEntry.objects.create(
            mailbox_id=composition.mailbox_id,
            kind=OutboxEntry.Kind.SEND,
            subject_key=subject,
            member_id=composition.author_id,
        )
        lanes.want(composition.mailbox_id, Activity.OUTBOX)
    return entry


# --- the lane ------------------------------------------------------------------------------------------------------


def send_due(run: Run) -> Steps:
    """Every message that waits to be sent, oldest first; one that fails does not hold up the others."""
    waiting = OutboxEntry.objects.filter(
        mailbox=run.mailbox, kind=OutboxEntry.Kind.SEND, state__in=[State.WAITING, State.WORKING]
    )
    for entry in waiting.filter(due_at__lte=now()).order_by("pk"):
        yield from _send(run, entry)
    run.due_by(waiting.order_by("due_at").values_list("due_at", flat=True).first())


def _send(run: Run, entry: OutboxEntry) -> Steps:
    found = Composition.objects.select_related("answers").filter(pk=int(entry.subject_key.partition(":")[2]))
    composition = found.first()
    if composition is None:  # its author left, and what they wrote with them
        yield _gone(entry)
        return
    try:
        yield from _attempt(run, entry, composition)
    except (Transient, Conflict) as trouble:
        yield _later(entry, composition, trouble)
    except ProviderError as refusal:
        if not isinstance(refusal, NotFound) and not refusal.permanent:
            raise  # a new sign-in, lost access …: about the mailbox, not about this message
        yield _failed(entry, composition, refusal)


def _attempt(run: Run, entry: OutboxEntry, composition: Composition) -> Steps:
    outgoing = _outgoing(composition)
    found = None
    if entry.step:
        found = run.source.find_sent(marker=outgoing.marker, internet_message_id=outgoing.internet_message_id)
    if found is not None and not found.is_draft:
        yield _sent(run, entry, composition, found)
        return
    if entry.step in ("sending", "handed_over") and _transport_may_have_it(entry, found):
        yield _look_again(entry)
        return
    if not entry.step:
        yield _reached(entry, "begun")  # from here on an attempt looks first for what the last one left
    draft = _as_draft(found) if found is not None else run.source.create_draft(_answering(run, outgoing))
    yield _reached(entry, "drafted", remote_id=draft.id)
    for attachment in _not_yet_there(composition, draft):
        run.source.attach(draft.id, attachment)
    yield _reached(entry, "sending")
    run.source.send(draft.id)
    yield _reached(entry, "handed_over")
    sent = run.source.find_sent(marker=outgoing.marker, internet_message_id=outgoing.internet_message_id)
    if sent is not None and not sent.is_draft:
        yield _sent(run, entry, composition, sent)
    else:
        yield _look_again(entry)


def _transport_may_have_it(entry: OutboxEntry, found: RemoteMessage | None) -> bool:
    """Between Drafts and Sent Items a message may be in neither, or still a draft (graph.md 2.9)."""
    since = entry.fields.get("handed_over_at") or entry.fields.get("sending_at")
    waited = now().timestamp() - float(since) if since else TRANSPORT.total_seconds()
    return waited < TRANSPORT.total_seconds() or (found is None and entry.step == "handed_over")


def _outgoing(composition: Composition) -> Outgoing:
    def people(rows: Sequence[Any]) -> tuple[Address, ...]:
        return tuple(Address(address=address, name=name) for name, address in rows)

    answered = composition.answers
    if answered is not None and answered.mailbox_id != composition.mailbox_id:
        answered = None  # written from another mailbox than the one it arrived in: no draft to answer from there
    return Outgoing(
        marker=composition.marker,
        internet_message_id=composition.internet_message_id,
        subject=composition.subject,
        html=composition.html,
        to=people(composition.to),
        cc=people(composition.cc),
        bcc=people(composition.bcc),
        answers=answered.remote_id if answered else None,
        how=composition.how if answered else "new",  # type: ignore[arg-type]
    )


def _answering(run: Run, outgoing: Outgoing) -> Outgoing:
    """An answer with what it answers quoted below; a message of its own when that is no longer in the mailbox."""
    if not outgoing.answers:
        return outgoing
    answered = run.source.get([outgoing.answers], urgency=Urgency.USER)[0]
    if not isinstance(answered, RemoteMessage):
        return replace(outgoing, answers=None, how="new")
    return replace(outgoing, html=with_quote(outgoing.html, answered, how=outgoing.how))


def _as_draft(found: RemoteMessage) -> RemoteDraft:
    return RemoteDraft(
        id=found.id,
        change_key=found.change_key or "",
        conversation_id=found.conversation_id,
        attachments=found.attachments or (),
    )


def _not_yet_there(composition: Composition, draft: RemoteDraft) -> Iterator[OutgoingAttachment]:
    """The files the draft does not carry yet, compared by name: an interrupted upload leaves nothing behind."""
    there = [attachment.name for attachment in draft.attachments]
    for file in CompositionFile.objects.filter(composition=composition).select_related("blob").order_by("pk"):
        if file.name in there:
            there.remove(file.name)
            continue
        yield OutgoingAttachment(
            name=file.name,
            content_type=file.content_type,
            size=file.blob.size,
            open=storage.opener(file.blob),
            is_inline=file.is_inline,
            content_id=file.content_id,
        )


# --- what is written down ------------------------------------------------------------------------------------------


def _reached(entry: OutboxEntry, step: str, *, remote_id: str = "") -> Work:
    def work() -> None:
        entry.step, entry.state = step, State.WORKING
        entry.remote_id = remote_id or entry.remote_id
        entry.fields = {**entry.fields, f"{step}_at": now().timestamp()}
        entry.save(update_fields=["step", "state", "remote_id", "fields"])

    return work


def _sent(run: Run, entry: OutboxEntry, composition: Composition, sent: RemoteMessage) -> Work:
    """The copy in Sent Items is the message from now on: stored, linked, shown in the thread."""
    whole = run.source.get([sent.id], urgency=Urgency.USER)[0]  # with its body, as it was really sent
    row = prepare(whole if isinstance(whole, RemoteMessage) else sent, own_addresses=backlog.own_addresses(run.mailbox))

    def work() -> None:
        stored = store.put(run.mailbox, [row])
        on_stored(run.mailbox, stored, fresh=True)
        message = Message.objects.filter(mailbox=run.mailbox, remote_id=sent.id).first()
        OutboxEntry.objects.filter(pk=entry.pk).update(state=State.DONE, step="sent", done_at=now(), reason="")
        Composition.objects.filter(pk=composition.pk).update(
            state=Composition.State.SENT, sent_message=message, sent_at=now(), failure=""
        )
        _tell(run.mailbox, composition, "sent")

    return work


def _look_again(entry: OutboxEntry) -> Work:
    def work() -> None:
        OutboxEntry.objects.filter(pk=entry.pk).update(due_at=now() + LOOK_AGAIN)

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
        OutboxEntry.objects.filter(pk=entry.pk).update(state=State.FAILED, done_at=now(), reason=reason)
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
