"""Answers of the provider on their way into the mirror: read, stored, removed, set aside."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DataError, transaction
from msgspec.structs import replace as replaced

from postroom.mail import backlog, breaker, counted, drafts, holds, store
from postroom.mail.events import on_stored
from postroom.mail.prepare import Prepared, prepare
from postroom.mail.sync.states import RESOURCE
from postroom.providers.contract import Gone, RemoteMessage, Unusable
from postroom.sync import quarantine
from postroom.sync.contract import Run

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Batch:
    """Answers of the provider, read: what to store, what is gone, what could not be read and why."""

    rows: list[Prepared] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)


def read(run: Run, answers: Sequence[RemoteMessage | Gone | Unusable]) -> Batch:
    """Parse and sanitise. Needs no database; one unusable message is set aside and stops nothing (SY15)."""
    batch = Batch()
    own = backlog.own_addresses(run.mailbox)
    for answer in answers:
        if isinstance(answer, Gone):
            batch.gone.append(answer.id)
        elif isinstance(answer, Unusable):
            batch.unusable.append((answer.id, answer.reason))
        else:
            try:
                batch.rows.append(prepare(answer, own_addresses=own))
            except Exception as trouble:
                log.exception("a message could not be read")
                batch.unusable.append((answer.id, f"{type(trouble).__name__} while reading it"))
    return batch


def take(run: Run, batch: Batch, *, round: int = 0, fresh: bool = True) -> set[str]:
    """Store, remove, set aside. Returns the provider's ids of the folders touched. ``fresh``: news, not history.

    The one way of a provider's word into the mirror, so this is where the brake sits: raises ``breaker.Tripped``.
    """
    places = {row.message.id: row.message.folder_id for row in batch.rows if row.message.folder_id}
    breaker.guard(run.mailbox, places, batch.gone)
    for remote_id, reason in batch.unusable:
        quarantine.put(run.mailbox, RESOURCE, remote_id, reason)
    wanted = counted.only_noted(run.mailbox, _wanted(run, batch.rows), round=round)
    touched = _store(run, wanted, round=round, fresh=fresh)
    quarantine.release(run.mailbox, RESOURCE, [row.message.id for row in batch.rows if row.body is not None])
    _remove(run, batch.gone)
    counted.forget(run.mailbox, batch.gone)
    return touched


def _wanted(run: Run, rows: Sequence[Prepared]) -> Sequence[Prepared]:
    """Without what lies in a folder that is switched off, unless we have it: then we follow where it goes."""
    off = backlog.folders_off(run.mailbox) if rows else ()
    there = [row.message.id for row in rows if row.message.folder_id in off] if off else []
    if not there:
        return rows
    known = store.known(run.mailbox.pk, there)
    return [row for row in rows if row.message.folder_id not in off or row.message.id in known]


def _held(run: Run, rows: Sequence[Prepared]) -> dict[str, frozenset[str]]:
    """Fields that keep their local value: those a change waits for, and the place of what a member decided to keep."""
    held = dict(holds.of(run.mailbox, rows))
    for remote_id in breaker.kept(run.mailbox, [row.message.id for row in rows]):
        held[remote_id] = held.get(remote_id, frozenset()) | {"folder"}
    return held


def _store(run: Run, rows: Sequence[Prepared], *, round: int = 0, fresh: bool = True) -> set[str]:
    if not rows:
        return set()
    try:
        with transaction.atomic():
            stored = store.put(run.mailbox, rows, round=round, held=lambda: _held(run, rows))
    except DataError:
        if len(rows) > 1:  # one row the database will not take must not stop the page: find it
            half = len(rows) // 2
            parts = (rows[:half], rows[half:])
            return set().union(*(_store(run, part, round=round, fresh=fresh) for part in parts))
        quarantine.put(run.mailbox, RESOURCE, rows[0].message.id, "The database could not store it")
        return set()
    on_stored(run.mailbox, stored, fresh=fresh)
    if fresh:
        run.tally.add(new=len(stored.new), changed=len(stored.changed))
    drafts.arrived(run.mailbox, stored)
    # Deleted for good it may live on where nobody looks (Recoverable Items): out of the tree is out of the mailbox.
    _remove(run, stored.unplaced)
    return {row.message.folder_id for row in rows if row.message.folder_id}


def _remove(run: Run, ids: Sequence[str]) -> None:
    kept = breaker.kept(run.mailbox, ids)
    if ids := [one for one in ids if one not in kept]:
        removed = store.remove(run.mailbox, ids)
        run.tally.add(removed=len(removed.removed))
        on_stored(run.mailbox, removed, fresh=True)


def placed(message: RemoteMessage, folder_id: str) -> RemoteMessage:
    return message if message.folder_id else replaced(message, folder_id=folder_id)
