"""One folder's listing, and later what changed in it: page by page, each stored with the cursor that follows it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from postroom.lib.clock import now
from postroom.mail import backlog, breaker, counted, store
from postroom.mail.sync.arriving import arrivals
from postroom.mail.sync.asking import ask
from postroom.mail.sync.history import count, reach
from postroom.mail.sync.states import RESOURCE, Phase
from postroom.mail.sync.taking import placed, read, take
from postroom.mail.sync.tree import unknown_folders
from postroom.providers.contract import DeltaPage, Gone, RemoteMessage, Removed, Unusable, Urgency
from postroom.providers.errors import CursorExpired, NotFound
from postroom.sync import lanes, silence
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.decider import Decision, decide
from postroom.sync.models import Activity, SyncState
from postroom.sync.schedule import next_daily

DENIED_FOR = timedelta(minutes=10)  # a folder that was not found, if it is in the tree, is asked for again
PAGES_AHEAD = 100  # of about 500 rows each


def follow(run: Run, state: SyncState) -> Steps:
    """A folder's listing, or what changed since its cursor. A dead cursor starts a new listing that keeps every
    row (SY14). Each listing asks at its end about the rows it did not name: the first one too, for the newest mail is
    here before it."""
    if state.phase == Phase.NEW:
        state.round += 1
    cursor: str | None = state.cursor or None
    while True:
        try:
            pages = _pages(run, state, cursor)
        except CursorExpired:
            yield _start_over(state)
            cursor = None
            continue
        except NotFound:
            yield _folder_vanished(run, state)
            return
        for page in pages:
            yield from _take_page(run, state, page)
        if pages[-1].next is None:
            break
        cursor = pages[-1].next


def _pages(run: Run, state: SyncState, cursor: str | None) -> list[DeltaPage[RemoteMessage | Removed]]:
    """The next page; of changes that fill several, all of them (within reason), so that the brake sees what they take
    away together before the first is applied. A listing takes nothing away before its end."""
    following = state.phase == Phase.FOLLOWING
    urgency = Urgency.DELTA if following else Urgency.BACKFILL
    pages = [run.source.spine(state.scope, cursor, urgency=urgency)]
    while following and (onward := pages[-1].next) is not None and len(pages) < PAGES_AHEAD:
        pages.append(run.source.spine(state.scope, onward, urgency=urgency))
    if len(pages) > 1:
        last = {item.id: item for page in pages for item in page.items}
        breaker.look_ahead(run, [item.id for item in last.values() if isinstance(item, Removed)])
    return pages


def _start_over(state: SyncState) -> Work:
    def work() -> None:
        state.phase, state.cursor, state.round, state.listed = Phase.RELISTING, "", state.round + 1, 0
        state.due_at = now()  # whichever lane begins it, the live one goes on with it
        state.save(update_fields=["phase", "cursor", "round", "listed", "due_at"])
        lanes.want(state.mailbox_id, Activity.LIVE)

    return work


def _folder_vanished(run: Run, state: SyncState) -> Work:
    """The whole tree is read anew and tells whether it is gone. Until then its place is kept: a folder that is only
    denied for a moment goes on where it was, for nobody would miss one that nobody follows."""
    again = now() + DENIED_FOR
    followed = state.phase in (Phase.FOLLOWING, Phase.RELISTING)

    def work() -> None:
        SyncState.objects.filter(pk=state.pk).update(due_at=again)
        tree = SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, scope="")
        tree.update(due_at=now(), cursor="")
        run.due_by(now() if followed else again)

    return work


def _take_page(run: Run, state: SyncState, page: DeltaPage[RemoteMessage | Removed]) -> Steps:
    """Everything a page says, stored in one transaction with the cursor that follows it."""
    listing = state.phase != Phase.FOLLOWING
    known = store.known(run.mailbox.pk, [item.id for item in page.items])
    numbers = counted.among(run.mailbox, [item.id for item in page.items])
    since = reach(run.mailbox)
    decision = decide(page.items, known, folder_id=state.scope, since=since, listing=listing, counted=numbers)
    asked: list[RemoteMessage | Gone | Unusable] = []
    if decision.fetch:
        asked += run.source.get(decision.fetch, urgency=Urgency.DELTA)
    if decision.ask:
        asked += ask(run, decision.ask, urgency=Urgency.DELTA)
    if page.done is not None and listing:
        asked += _unnamed(run, state, page)
    yield from unknown_folders(run, [*decision.store, *asked])
    yield _store_page(run, state, page, decision, asked)


def _unnamed(run: Run, state: SyncState, page: DeltaPage[Any]) -> list[RemoteMessage | Gone | Unusable]:
    """At the end of a listing: where are the rows of this folder that it did not name?"""
    named = {item.id for item in page.items}
    missing = [i for i in store.not_in_round(run.mailbox, state.scope, state.round) if i not in named]
    return ask(run, missing, urgency=Urgency.DELTA) if missing else []


def _store_page(
    run: Run,
    state: SyncState,
    page: DeltaPage[RemoteMessage | Removed],
    decision: Decision,
    asked: Sequence[RemoteMessage | Gone | Unusable],
) -> Work:
    here = [placed(message, state.scope) for message in decision.store]
    batch = read(run, [*here, *asked])
    outside = [placed(message, state.scope) for message in decision.outside]
    arrived = arrivals(run, decision.fetch, asked) if state.phase == Phase.FOLLOWING else []

    def work() -> None:
        silence.note(run.mailbox, arrived, looked_before=state.updated_at)
        take(run, batch, round=state.round)
        if state.round:
            backlog.seen_in_round(run.mailbox, decision.unchanged, state.round)
            counted.seen_in_round(run.mailbox, decision.unchanged, state.round)
        store.keep_known(run.mailbox, outside, round=state.round)
        store.drop_known(run.mailbox, decision.forget, folder_remote_id=state.scope)
        if state.phase != Phase.FOLLOWING and run.lane.activity == Activity.BACKFILL:
            count(run)
        if page.done is not None and state.phase != Phase.FOLLOWING:
            store.drop_known_before(run.mailbox, state.scope, state.round)
        if page.done is not None and state.phase == Phase.RELISTING:
            lanes.want(run.mailbox.pk, Activity.BACKFILL)  # for the bodies of what the new listing brought up
        _advance(state, page)

    return work


def _advance(state: SyncState, page: DeltaPage[Any]) -> None:
    state.listed += len(page.items)
    state.updated_at = now()
    if page.done is not None:
        state.phase, state.cursor, state.due_at = (
            Phase.FOLLOWING,
            page.done,
            next_daily(state.mailbox_id, state.scope, now()),
        )
    elif state.phase != Phase.FOLLOWING:
        state.phase = Phase.LISTING if state.phase == Phase.NEW else state.phase
        state.cursor = page.next or ""
    # While following, the last "done" cursor stays until the round is complete: a "next" dies early (graph.md 2.12).
    state.save(update_fields=["phase", "cursor", "due_at", "listed", "round", "updated_at"])
