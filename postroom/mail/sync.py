"""Mail as a synced resource: what happens in each lane (design.md section 3).

backfill   folders -> the newest hundred -> spine of every folder -> bodies, newest first -> what is still missing
live       messages the provider named -> folders whose delta is due -> (folder tree when something is unknown)
coverage   nightly: the provider's counts against ours (mail.coverage)

Each generator talks to the provider between its yields and yields the work of one transaction.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import uniform
from typing import Any

from django.db import DataError, transaction
from msgspec.structs import replace as replaced

from postroom.lib.clock import now
from postroom.mail import backlog, holds, outbox, sending, store
from postroom.mail.coverage import coverage
from postroom.mail.events import announce, on_stored
from postroom.mail.prepare import Prepared, prepare
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import (
    DeltaPage,
    FolderRole,
    Gone,
    Page,
    RemoteFolder,
    RemoteMessage,
    Removed,
    Unusable,
    Urgency,
)
from postroom.providers.errors import CursorExpired, NotFound
from postroom.sync import lanes, quarantine
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.decider import Decision, decide
from postroom.sync.models import Activity, Notification, SyncState
from postroom.sync.push import is_on as push_is_on
from postroom.sync.schedule import poll_interval

log = logging.getLogger(__name__)

RESOURCE = "mail"
NEWEST = 100  # readable before anything else (SY16)
NAMED_AT_ONCE = 200  # notifications taken in one step
DAILY = timedelta(hours=24)
SETTLE = timedelta(seconds=2)  # push makes it fast, a delta of the touched folders soon after makes it true

Phase = SyncState.Phase
_FIRST = (FolderRole.INBOX, FolderRole.SENT, FolderRole.DRAFTS, FolderRole.ARCHIVE)
_LAST = (FolderRole.JUNK, FolderRole.DELETED)


class Mail:
    name = RESOURCE

    def activities(self) -> Mapping[str, Callable[[Run], Steps]]:
        return {
            Activity.OUTBOX: outgoing,
            Activity.LIVE: live,
            Activity.BACKFILL: backfill,
            Activity.COVERAGE: coverage,
        }


resource = Mail()


def outgoing(run: Run) -> Steps:
    """What people sent first, then what they changed."""
    yield from sending.send_due(run)
    yield from outbox.carry_out(run)


# --- live ----------------------------------------------------------------------------------------------------------


def live(run: Run) -> Steps:
    """Take in what was named to us, then follow every folder whose delta is due."""
    yield from _named(run)
    yield from _folder_tree(run)
    yield from _set_aside(run)
    for state in _due_folders(run):
        yield from _follow(run, state)
    _schedule(run)


def _named(run: Run) -> Steps:
    while True:
        rows = list(Notification.objects.filter(mailbox=run.mailbox).order_by("id")[:NAMED_AT_ONCE])
        if not rows:
            return
        ids = list(dict.fromkeys(row.remote_id for row in rows if row.remote_id))
        answers = run.source.get(ids, urgency=Urgency.PUSH) if ids else []
        yield from _unknown_folders(run, answers)
        yield _take_named(run, rows, answers)


def _take_named(run: Run, rows: Sequence[Notification], answers: Sequence[RemoteMessage | Gone | Unusable]) -> Work:
    batch = _read(run, answers)

    def work() -> None:
        touched = _take(run, batch)
        if touched:
            _folder_states(run).filter(scope__in=touched, phase=Phase.FOLLOWING).update(due_at=now() + SETTLE)
        Notification.objects.filter(pk__in=[row.pk for row in rows]).delete()

    return work


def _set_aside(run: Run) -> Steps:
    """Ask once more for what an older version of Postroom could not read (SY15); what fails again waits."""
    ids = quarantine.retry(run.mailbox, RESOURCE)
    for start in range(0, len(ids), NAMED_AT_ONCE):
        some = ids[start : start + NAMED_AT_ONCE]
        answers = run.source.get(some, urgency=Urgency.DELTA)
        yield from _unknown_folders(run, answers)
        yield _take_set_aside(run, some, answers)


def _take_set_aside(run: Run, ids: list[str], answers: Sequence[RemoteMessage | Gone | Unusable]) -> Work:
    batch = _read(run, answers)

    def work() -> None:
        quarantine.release(run.mailbox, RESOURCE, ids)
        _take(run, batch)  # sets aside again what still cannot be read

    return work


def _due_folders(run: Run) -> list[SyncState]:
    return list(_folder_states(run).filter(phase__in=[Phase.FOLLOWING, Phase.RELISTING], due_at__lte=now()))


def _follow(run: Run, state: SyncState) -> Steps:
    """A folder's listing, or what changed since its cursor. A dead cursor starts a new listing that keeps every
    row (SY14)."""
    urgency = Urgency.DELTA if state.phase == Phase.FOLLOWING else Urgency.BACKFILL
    cursor: str | None = state.cursor or None
    while True:
        try:
            page = run.source.spine(state.scope, cursor, urgency=urgency)
        except CursorExpired:
            yield _start_over(state)
            cursor = None
            continue
        except NotFound:
            yield _folder_vanished(run, state)
            return
        yield from _take_page(run, state, page)
        if page.next is None:
            break
        cursor = page.next


def _start_over(state: SyncState) -> Work:
    def work() -> None:
        state.phase, state.cursor, state.round, state.listed = Phase.RELISTING, "", state.round + 1, 0
        state.save(update_fields=["phase", "cursor", "round", "listed"])

    return work


def _folder_vanished(run: Run, state: SyncState) -> Work:
    def work() -> None:
        state.delete()
        SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, scope="").update(due_at=now())
        run.due_by(now())

    return work


def _take_page(run: Run, state: SyncState, page: DeltaPage[RemoteMessage | Removed]) -> Steps:
    """Everything a page says, stored in one transaction with the cursor that follows it."""
    listing = state.phase != Phase.FOLLOWING
    known = store.known(run.mailbox.pk, [item.id for item in page.items])
    decision = decide(page.items, known, folder_id=state.scope, since=_since(run.mailbox), listing=listing)
    asked: list[RemoteMessage | Gone | Unusable] = []
    if decision.fetch:
        asked += run.source.get(decision.fetch, urgency=Urgency.DELTA)
    if decision.ask:
        asked += run.source.get(decision.ask, whole=False, urgency=Urgency.DELTA)
    if page.done is not None and state.phase == Phase.RELISTING:
        asked += _unnamed(run, state, page)
    yield from _unknown_folders(run, [*decision.store, *asked])
    yield _store_page(run, state, page, decision, asked)


def _unnamed(run: Run, state: SyncState, page: DeltaPage[Any]) -> list[RemoteMessage | Gone | Unusable]:
    """At the end of a new listing: where are the rows of this folder that it did not name?"""
    named = {item.id for item in page.items}
    missing = [i for i in store.not_in_round(run.mailbox, state.scope, state.round) if i not in named]
    return run.source.get(missing, whole=False, urgency=Urgency.DELTA) if missing else []


def _store_page(
    run: Run,
    state: SyncState,
    page: DeltaPage[RemoteMessage | Removed],
    decision: Decision,
    asked: Sequence[RemoteMessage | Gone | Unusable],
) -> Work:
    here = [_placed(message, state.scope) for message in decision.store]
    batch = _read(run, [*here, *asked])
    outside = [_placed(message, state.scope) for message in decision.outside]

    def work() -> None:
        _take(run, batch, round=state.round)
        if state.round:
            backlog.seen_in_round(run.mailbox, decision.unchanged, state.round)
        store.keep_known(run.mailbox, outside, round=state.round)
        store.drop_known(run.mailbox, decision.forget, folder_remote_id=state.scope)
        if state.phase != Phase.FOLLOWING and run.lane.activity == Activity.BACKFILL:
            _count(run)
        if page.done is not None and state.phase == Phase.RELISTING:
            lanes.want(run.mailbox.pk, Activity.BACKFILL)  # for the bodies of what the new listing brought up
        _advance(state, page)

    return work


def _advance(state: SyncState, page: DeltaPage[Any]) -> None:
    state.listed += len(page.items)
    state.updated_at = now()
    if page.done is not None:
        state.phase, state.cursor, state.due_at = Phase.FOLLOWING, page.done, now() + _spread(DAILY)
    elif state.phase != Phase.FOLLOWING:
        state.phase = Phase.LISTING if state.phase == Phase.NEW else state.phase
        state.cursor = page.next or ""
    # While following, the last "done" cursor stays until the round is complete: a "next" dies early (graph.md 2.12).
    state.save(update_fields=["phase", "cursor", "due_at", "listed", "updated_at"])


def _schedule(run: Run) -> None:
    """When to run again: the daily delta with push on, an adaptive interval without (SY7, SY11)."""
    followed = [Phase.FOLLOWING, Phase.RELISTING]  # the others are the backfill's to list first
    states = SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, due_at__isnull=False, phase__in=followed)
    for due in states.order_by("due_at").values_list("due_at", flat=True)[:1]:
        run.due_by(due)
    if not push_is_on(run.mailbox):
        wait = poll_interval(run.mailbox, now())
        _folder_states(run).filter(phase=Phase.FOLLOWING).update(due_at=now() + wait)
        run.due_by(now() + wait)


# --- folders -------------------------------------------------------------------------------------------------------


def _folder_tree(run: Run, *, force: bool = False) -> Steps:
    tree, _ = SyncState.objects.get_or_create(mailbox=run.mailbox, resource=RESOURCE, scope="")
    if not force and tree.phase == Phase.FOLLOWING and (tree.due_at is None or tree.due_at > now()):
        return
    cursor: str | None = tree.cursor or None
    items: list[RemoteFolder | Removed] = []
    while True:
        try:
            page = run.source.folders(cursor)
        except CursorExpired:
            cursor, items = None, []
            tree.round += 1
            continue
        items += page.items
        if page.done is not None:
            break
        cursor = page.next
    yield _store_tree(run, tree, items, page.done)


def _store_tree(run: Run, tree: SyncState, items: Sequence[RemoteFolder | Removed], cursor: str) -> Work:
    complete = tree.phase == Phase.NEW or not tree.cursor
    roles = run.source.roles()

    def work() -> None:
        folders = store.put_folders(run.mailbox, items, roles, complete=complete)
        SyncState.objects.bulk_create(
            [SyncState(mailbox=run.mailbox, resource=RESOURCE, scope=remote_id) for remote_id in folders.added],
            ignore_conflicts=True,
        )
        _folder_states(run).filter(scope__in=folders.removed).delete()
        if folders.added and tree.phase == Phase.FOLLOWING:
            lanes.want(run.mailbox.pk, Activity.BACKFILL)  # a folder that came later has its own listing
        tree.phase, tree.cursor, tree.due_at = Phase.FOLLOWING, cursor, now() + _spread(DAILY)
        tree.save()

    return work


def _unknown_folders(run: Run, rows: Sequence[object]) -> Steps:
    """A message in a folder we have not seen: look at the tree before storing it."""
    named = {row.folder_id for row in rows if isinstance(row, RemoteMessage) and row.folder_id}
    if named - backlog.folder_ids(run.mailbox):
        yield from _folder_tree(run, force=True)


# --- backfill ------------------------------------------------------------------------------------------------------


def backfill(run: Run) -> Steps:
    """History, newest first. Every part continues where the last run stopped."""
    yield from _folder_tree(run)
    yield from _newest(run)
    if not run.mailbox.history:
        return  # the history question is not answered yet; its answer asks for this lane again
    yield from _spines(run)
    yield from _bodies(run)
    yield from _missing(run)
    yield _history_done(run)


def _newest(run: Run) -> Steps:
    if run.cursor.get("newest"):
        return
    taken, cursor = 0, None
    while taken < NEWEST:
        page = run.source.pull(cursor=cursor, urgency=Urgency.PUSH)
        taken += len(page.items)
        cursor = page.next
        yield _keep_newest(run, _read(run, page.items))
        if cursor is None:
            break
    yield lambda: run.cursor.update(newest=True)


def _keep_newest(run: Run, batch: "Batch") -> Work:
    def work() -> None:
        _take(run, batch, fresh=False)
        announce(run.mailbox)
        _count(run)

    return work


def _spines(run: Run) -> Steps:
    order = {str(role): rank for rank, role in enumerate((*_FIRST, FolderRole.NONE, *_LAST))}
    roles = {scope: order.get(role, len(_FIRST)) for scope, role in backlog.folder_roles(run.mailbox).items()}
    states = list(_folder_states(run).filter(phase__in=[Phase.NEW, Phase.LISTING]))
    for state in sorted(states, key=lambda s: (roles.get(s.scope, len(_FIRST)), s.pk)):
        yield from _follow(run, state)


def _bodies(run: Run) -> Steps:
    """Pages of whole messages back to the chosen date; the next page is fetched while this one is stored."""
    if run.cursor.get("bodies_since") == _stamp(run.mailbox) and not backlog.many_missing(
        run.mailbox, _since(run.mailbox)
    ):
        return
    cursor, before = run.cursor.get("bodies_cursor"), run.cursor.get("bodies_before")
    with ThreadPoolExecutor(1, thread_name_prefix="pull") as pool:
        pulled = _pull(run, cursor, before)
        while True:
            page = pulled[0]
            ahead = pool.submit(_pull, run, page.next, None) if page.next else None
            yield _keep_pulled(run, *pulled)
            if ahead is None:
                break
            pulled = ahead.result()
    yield lambda: run.cursor.update(bodies_since=_stamp(run.mailbox), bodies_cursor=None, bodies_before=None)


Pulled = tuple[Page[RemoteMessage | Unusable], "Batch"]


def _pull(run: Run, cursor: Any, before: Any) -> Pulled:
    """One page, fetched, parsed and sanitised: all that needs no database, so that it can go on beside storing."""
    since = _since(run.mailbox)
    until = datetime.fromisoformat(before) if before else None
    try:
        page = run.source.pull(cursor=cursor, before=None if cursor else until, since=since)
    except CursorExpired:
        page = run.source.pull(before=until, since=since)
    return page, _read(run, page.items)


def _keep_pulled(run: Run, page: Page[RemoteMessage | Unusable], batch: "Batch") -> Work:
    oldest = min((m.received for m in page.items if isinstance(m, RemoteMessage) and m.received), default=None)

    def work() -> None:
        _take(run, batch, fresh=False)
        run.cursor["bodies_cursor"] = page.next
        if oldest is not None:
            run.cursor["bodies_before"] = oldest.isoformat()
        _count(run)

    return work


def _missing(run: Run) -> Steps:
    """Messages that the listing named and no page of bodies brought: moved meanwhile, or mended by an upgrade."""
    while ids := store.missing_bodies(run.mailbox, _since(run.mailbox), limit=100):
        answers = run.source.get(ids, urgency=Urgency.BACKFILL)
        yield from _unknown_folders(run, answers)
        yield _take_missing(run, ids, answers)


def _take_missing(run: Run, ids: Sequence[str], answers: Sequence[RemoteMessage | Gone | Unusable]) -> Work:
    batch = _read(run, answers)

    def work() -> None:
        _take(run, batch, fresh=False)
        backlog.give_up(run.mailbox, ids)  # those still without one: quarantined, never asked for ever
        _count(run)

    return work


def _count(run: Run) -> None:
    """Bring the progress up to date, not more often than anybody looks."""
    if backlog.is_fresh(run.progress):
        return
    run.progress.update(backlog.progress(run.mailbox, run.progress, since=_since(run.mailbox)), complete=False)


def _history_done(run: Run) -> Work:
    def work() -> None:
        lanes.want(run.mailbox.pk, Activity.COVERAGE)
        run.progress.update(backlog.progress(run.mailbox, run.progress, since=_since(run.mailbox)), complete=True)

    return work


# --- shared by all -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Batch:
    """Answers of the provider, read: what to store, what is gone, what could not be read and why."""

    rows: list[Prepared] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)


def _read(run: Run, answers: Sequence[RemoteMessage | Gone | Unusable]) -> Batch:
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


def _take(run: Run, batch: Batch, *, round: int = 0, fresh: bool = True) -> set[str]:
    """Store, remove, set aside. Returns the provider's ids of the folders touched. ``fresh``: news, not history."""
    for remote_id, reason in batch.unusable:
        quarantine.put(run.mailbox, RESOURCE, remote_id, reason)
    touched = _store(run, batch.rows, round=round, fresh=fresh)
    _remove(run, batch.gone)
    return touched


def _store(run: Run, rows: Sequence[Prepared], *, round: int = 0, fresh: bool = True) -> set[str]:
    if not rows:
        return set()
    try:
        with transaction.atomic():
            stored = store.put(run.mailbox, rows, round=round, held=lambda: holds.of(run.mailbox, rows))
    except DataError:
        if len(rows) > 1:  # one row the database will not take must not stop the page: find it
            half = len(rows) // 2
            parts = (rows[:half], rows[half:])
            return set().union(*(_store(run, part, round=round, fresh=fresh) for part in parts))
        quarantine.put(run.mailbox, RESOURCE, rows[0].message.id, "The database could not store it")
        return set()
    if fresh:
        run.tally.add(new=len(stored.new), changed=len(stored.changed))
    on_stored(run.mailbox, stored, fresh=fresh)
    # Deleted for good it may live on where nobody looks (Recoverable Items): out of the tree is out of the mailbox.
    _remove(run, stored.unplaced)
    return {row.message.folder_id for row in rows if row.message.folder_id}


def _remove(run: Run, ids: Sequence[str]) -> None:
    if ids:
        removed = store.remove(run.mailbox, ids)
        run.tally.add(removed=len(removed.removed))
        on_stored(run.mailbox, removed, fresh=True)


def _folder_states(run: Run) -> Any:
    return SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE).exclude(scope="")


def _placed(message: RemoteMessage, folder_id: str) -> RemoteMessage:
    return message if message.folder_id else replaced(message, folder_id=folder_id)


def _since(mailbox: Mailbox) -> datetime | None:
    """The oldest moment of the chosen history; ``None`` pulls everything."""
    if mailbox.history == Mailbox.History.ALL:
        return None
    return mailbox.since or mailbox.connected_at


def _stamp(mailbox: Mailbox) -> str:
    since = _since(mailbox)
    return since.astimezone(UTC).isoformat() if since else "everything"


def _spread(period: timedelta) -> timedelta:
    return period * uniform(0.9, 1.0)  # noqa: S311  # a thousand mailboxes must not come due in one minute
