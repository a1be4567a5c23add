"""Local changes on their way to the provider (product.md SY9).

A change is made here at once and noted in the same transaction; the outbox lane carries it out: coalesced, up to 20
in one request, in order per message, harmless to repeat. A permanent refusal puts the old value back and says so.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mail import backlog, store
from postroom.mail.events import on_stored, readers
from postroom.mail.models import Message
from postroom.mail.prepare import prepare
from postroom.providers.contract import Applied, Change, Flag
from postroom.providers.errors import Conflict, NotFound, ProviderError, Transient
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, OutboxEntry

State = OutboxEntry.State
AT_ONCE = 20
SETTLE = timedelta(milliseconds=300)  # read, unread, read within a moment is one write
PATIENCE = (5, 30, 120, 600, 3600)  # seconds before a change is tried again


def note(messages: Sequence[Message], fields: Mapping[str, Any], *, member_id: int | None) -> None:
    """Change messages here and now, and note what the provider must be told. One transaction with the caller.

    ``fields``: any of ``is_read`` (bool), ``flag`` ("none" | "flagged" | "complete"), ``categories`` (list of names),
    ``folder`` (a folder's provider id). All messages belong to one mailbox.
    """
    if not messages:
        return
    mailbox = messages[0].mailbox
    with transaction.atomic():
        lanes.want(mailbox.pk, Activity.OUTBOX, at=now() + SETTLE)  # first: the engine too locks its lane before mail
        before = store.apply_local(mailbox, [m.pk for m in messages], dict(fields))
        for message in messages:
            _note_one(message, fields, before.get(message.pk, {}), member_id)


def _note_one(message: Message, fields: Mapping[str, Any], before: Mapping[str, Any], member_id: int | None) -> None:
    """Add to the entry that still waits, if there is one; a change that undoes itself disappears."""
    kind = OutboxEntry.Kind.MOVE if "folder" in fields else OutboxEntry.Kind.CHANGE
    subject = f"message:{message.pk}"
    entry = (
        OutboxEntry.objects.select_for_update()
        .filter(subject_key=subject, kind=kind, state=State.WAITING, attempts=0)
        .order_by("-pk")
        .first()
    )
    if entry is None:
        changed = {name: value for name, value in fields.items() if before.get(name) != value}
        if changed:
            OutboxEntry.objects.create(
                mailbox_id=message.mailbox_id,
                kind=kind,
                subject_key=subject,
                remote_id=message.remote_id,
                fields=changed,
                before={name: before.get(name) for name in changed},
                due_at=now() + SETTLE,
                member_id=member_id,
            )
        return
    entry.before = {**{n: before.get(n) for n in fields}, **entry.before}
    merged = {**entry.fields, **fields}
    entry.fields = {name: value for name, value in merged.items() if entry.before.get(name) != value}
    if entry.fields:
        entry.save(update_fields=["fields", "before"])
    else:
        entry.delete()


# --- the lane ------------------------------------------------------------------------------------------------------


def carry_out(run: Run) -> Steps:
    """Write what is due, oldest first, a batch at a time, until nothing is due."""
    while entries := _due(run):
        outcomes = _write(run, entries)
        yield _settle(run, entries, outcomes)
    _come_back(run)


def _due(run: Run) -> list[OutboxEntry]:
    """The oldest waiting entries, no two of one message: the second waits for the first."""
    waiting = OutboxEntry.objects.filter(
        mailbox=run.mailbox, state__in=[State.WAITING, State.WORKING], kind__in=["change", "move"]
    ).order_by("pk")
    batch: dict[str, OutboxEntry] = {}
    blocked: set[str] = set()
    for entry in waiting[:200]:
        if entry.subject_key in batch or entry.subject_key in blocked:
            continue
        if entry.due_at > now():
            blocked.add(entry.subject_key)
        else:
            batch[entry.subject_key] = entry
        if len(batch) == AT_ONCE:
            break
    # From here on a new local change makes an entry of its own instead of joining one that is on its way.
    OutboxEntry.objects.filter(pk__in=[e.pk for e in batch.values()]).update(state=State.WORKING)
    return list(OutboxEntry.objects.filter(pk__in=[e.pk for e in batch.values()]).order_by("pk"))


def _write(run: Run, entries: Sequence[OutboxEntry]) -> list[Applied | Transient]:
    try:
        return list(run.source.apply([_change(entry) for entry in entries]))
    except Transient as trouble:
        return [trouble] * len(entries)


def _change(entry: OutboxEntry) -> Change:
    fields = entry.fields
    return Change(
        id=entry.remote_id,
        is_read=fields.get("is_read"),
        flag=Flag(fields["flag"]) if "flag" in fields else None,
        categories=tuple(fields["categories"]) if "categories" in fields else None,
        move_to=fields.get("folder"),
    )


def _settle(run: Run, entries: Sequence[OutboxEntry], outcomes: Sequence[Applied | Transient]) -> Work:
    own = backlog.own_addresses(run.mailbox)
    rows = [
        prepare(outcome.message, own_addresses=own)
        for outcome in outcomes
        if isinstance(outcome, Applied) and outcome.message is not None
    ]

    def work() -> None:
        for entry, outcome in zip(entries, outcomes, strict=True):
            _settle_one(run, entry, outcome)
        if rows:  # the provider's new version of what we wrote, so that its echo is no news
            on_stored(run.mailbox, store.put(run.mailbox, rows, held=lambda: _still_held(entries)), fresh=True)

    return work


def _still_held(entries: Sequence[OutboxEntry]) -> dict[str, frozenset[str]]:
    """Fields changed again here while the first change was on its way."""
    later = OutboxEntry.objects.filter(
        subject_key__in=[e.subject_key for e in entries], state=State.WAITING, kind__in=["change", "move"]
    )
    held: dict[str, frozenset[str]] = {}
    for entry in later:
        held[entry.remote_id] = held.get(entry.remote_id, frozenset()) | frozenset(entry.fields)
    return held


def _settle_one(run: Run, entry: OutboxEntry, outcome: Applied | Transient) -> None:
    refused = outcome if isinstance(outcome, Transient) else outcome.refused
    if refused is None:
        _done(entry)
    elif isinstance(refused, Transient | Conflict) and entry.attempts < len(PATIENCE):
        wait = getattr(refused, "retry_after", None) or PATIENCE[entry.attempts]
        _again(entry, now() + timedelta(seconds=wait), str(refused))
    elif isinstance(refused, NotFound):
        _done(entry, reason="The message is no longer in the mailbox")  # the next delta takes it out here too
        lanes.want(run.mailbox.pk, Activity.LIVE)
    else:
        _put_back(run, entry, refused)


def _done(entry: OutboxEntry, *, reason: str = "") -> None:
    OutboxEntry.objects.filter(pk=entry.pk).update(state=State.DONE, done_at=now(), reason=reason)


def _again(entry: OutboxEntry, at: datetime, reason: str) -> None:
    OutboxEntry.objects.filter(pk=entry.pk).update(
        state=State.WAITING, due_at=at, attempts=entry.attempts + 1, reason=reason[:400]
    )


def _put_back(run: Run, entry: OutboxEntry, refused: Exception) -> None:
    """The provider will not do it: the old value comes back, and the member is told."""
    reason = refused.code if isinstance(refused, ProviderError) and refused.code else str(refused)
    OutboxEntry.objects.filter(pk=entry.pk).update(state=State.FAILED, done_at=now(), reason=reason[:400])
    message_id = int(entry.subject_key.partition(":")[2])
    store.apply_local(run.mailbox, [message_id], entry.before)
    publish(
        run.mailbox.workspace_id,
        "refused",
        {"mailbox": run.mailbox.pk, "member": entry.member_id, "message": message_id, "fields": sorted(entry.fields)},
        members=readers(run.mailbox),
    )


def _come_back(run: Run) -> None:
    waiting = OutboxEntry.objects.filter(mailbox=run.mailbox, state=State.WAITING, kind__in=["change", "move"])
    run.due_by(waiting.order_by("due_at").values_list("due_at", flat=True).first())
