"""The outbox lane's part for drafts: what was written here goes into the provider's draft (``mail.drafts``).

look what is there -> (take in what changed there) -> create or write over -> files -> read it back

Creating is committed before it is done; an attempt that finds that looks for our marker first. Writing over names the
version it expects, so nothing that was written there in between is lost.
"""

from collections.abc import Generator, Sequence
from datetime import timedelta

from postroom.lib.clock import now
from postroom.mail import backlog, drafts, outbox, sending, store
from postroom.mail.events import on_stored
from postroom.mail.models import Attachment, Composition, CompositionFile, Folder, Message
from postroom.mail.outbound import uploads
from postroom.mail.prepare import Prepared, prepare
from postroom.providers.contract import Change, FolderRole, Gone, RemoteDraft, RemoteMessage, Urgency
from postroom.providers.errors import Conflict, NotFound, ProviderError, Transient
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import OutboxEntry

SOON = timedelta(seconds=2)


def carry_out(run: Run) -> Steps:
    """Every draft whose author has paused, oldest first."""
    rows = OutboxEntry.objects.filter(mailbox=run.mailbox, kind="draft", state__in=OutboxEntry.OPEN)
    for entry in rows.filter(due_at__lte=now()).order_by("pk"):
        # From here on what its author writes makes an entry of its own instead of joining one that is on its way.
        OutboxEntry.objects.filter(pk=entry.pk, state__in=OutboxEntry.OPEN).update(state=OutboxEntry.State.WORKING)
        try:
            yield from _discard(run, entry) if entry.fields.get("discard") else _one(run, entry)
        except (Transient, Conflict) as trouble:
            yield _wait(entry, trouble)
        except ProviderError as refused:
            if not refused.permanent:
                raise
            yield _refused(run, entry, refused)
    run.due_by(rows.filter(due_at__gt=now()).order_by("due_at").values_list("due_at", flat=True).first())


def _wait(entry: OutboxEntry, trouble: ProviderError) -> Work:
    at = outbox.wait_for(entry, trouble) if isinstance(trouble, Transient) else now() + SOON
    return lambda: outbox.again(entry, at, str(trouble))


def _refused(run: Run, entry: OutboxEntry, refused: ProviderError) -> Work:
    """The text stays here and can be sent from here; only the provider's Drafts will not have it."""
    return lambda: outbox.done(entry, reason=str(refused)[:400])


def _discard(run: Run, entry: OutboxEntry) -> Steps:
    """A draft that was thrown away before it was seen here: to Deleted Items, wherever it is by now."""
    told = entry.fields
    found = run.source.find_sent(marker=told["marker"], internet_message_id=told["message_id"])
    bin_ = (
        Folder.objects.filter(mailbox=run.mailbox, role=FolderRole.DELETED).values_list("remote_id", flat=True).first()
    )
    if found is not None and found.is_draft and bin_ is not None and found.folder_id != bin_:
        outcome = run.source.apply([Change(id=found.id, move_to=bin_)])[0].refused
        if outcome is not None and not isinstance(outcome, NotFound):
            raise outcome
    yield lambda: outbox.done(entry)


def _one(run: Run, entry: OutboxEntry) -> Steps:
    one = _composition(entry)
    if one is None or (not drafts.is_changed(one) and not drafts.to_detach(one)):
        yield lambda: outbox.done(entry)
        return
    if one.draft_id:
        yield from _look(run, one)
        one = _composition(entry)
    if one is None or (not drafts.is_changed(one) and not drafts.to_detach(one)):
        yield lambda: outbox.done(entry)
        return
    tail = sending.tail_of(run, one)
    one.tail = tail
    written = drafts.local_hash(one)
    draft = yield from _write(run, entry, one)
    answer = run.source.get([draft.id], urgency=Urgency.USER)[0]
    yield _written(run, entry, one, answer, saved=written)


def _composition(entry: OutboxEntry) -> Composition | None:
    rows = Composition.objects.filter(pk=int(entry.subject_key.partition(":")[2]), state__in=drafts.UNSENT)
    return rows.filter(mailbox=entry.mailbox_id).select_related("answers", "mailbox").first()


def _look(run: Run, one: Composition) -> Steps:
    """What stands in the provider's draft now is taken in first, as if it had been pushed to us."""
    answer = run.source.get([one.draft_id], urgency=Urgency.USER)[0]
    if isinstance(answer, Gone):
        yield lambda: drafts.unlink(one)
    elif isinstance(answer, RemoteMessage):
        yield lambda: take_in(run, [prepare(answer, own_addresses=backlog.own_addresses(run.mailbox))])


def take_in(run: Run, rows: Sequence[Prepared]) -> None:
    """Store what the provider just told of drafts. In the caller's transaction."""
    stored = store.put(run.mailbox, rows)
    on_stored(run.mailbox, stored, fresh=True)
    drafts.arrived(run.mailbox, stored)


def _write(run: Run, entry: OutboxEntry, one: Composition) -> Generator[Work, None, RemoteDraft]:
    outgoing = sending.outgoing_of(one)
    draft: RemoteDraft | None = None
    if one.draft_id:
        draft = run.source.update_draft(one.draft_id, outgoing, key=one.draft_key)
    elif entry.step:  # an attempt before may have made it
        found = run.source.find_sent(marker=one.marker, internet_message_id=one.internet_message_id)
        if found is not None and found.is_draft:
            draft = run.source.update_draft(found.id, outgoing)
    if draft is None:
        yield _begun(entry)
        draft = run.source.create_draft(outgoing)
    yield from uploads.attach(run, one, draft)
    for ref in drafts.to_detach(one):
        run.source.detach(draft.id, ref)
    return draft


def _begun(entry: OutboxEntry) -> Work:
    def work() -> None:
        OutboxEntry.objects.filter(pk=entry.pk).update(step="begun")

    return work


def _written(run: Run, entry: OutboxEntry, one: Composition, answer: object, *, saved: str) -> Work:
    """Both sides are equal now, unless its author went on writing meanwhile: the next entry says so."""

    def work() -> None:
        outbox.done(entry)
        if not isinstance(answer, RemoteMessage):
            return
        row = prepare(answer, own_addresses=backlog.own_addresses(run.mailbox))
        on_stored(run.mailbox, store.put(run.mailbox, [row]), fresh=True)
        message = Message.objects.filter(mailbox=run.mailbox, remote_id=answer.id).first()
        theirs = drafts.remote_hash(message) if message else ""
        Composition.objects.filter(pk=one.pk).update(
            draft_id=answer.id,
            draft_key=answer.change_key or "",
            draft_hash=theirs,
            saved_hash=saved,
            tail=one.tail,
            internet_message_id=answer.internet_message_id or one.internet_message_id,
        )
        if message is not None:
            _name_files(one, message)

    return work


def _name_files(one: Composition, message: Message) -> None:
    """Our files have their ids at the provider now, so that they can be taken off there."""
    left = list(Attachment.objects.filter(message=message).order_by("pk"))
    for file in CompositionFile.objects.filter(composition=one, remote_id="").order_by("pk"):
        same = next((ours for ours in left if ours.name == file.name), None)
        if same is not None:
            left.remove(same)
            CompositionFile.objects.filter(pk=file.pk).update(remote_id=same.remote_id)
