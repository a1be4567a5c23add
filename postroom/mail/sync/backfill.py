"""The backfill lane: history, newest first. Every part continues where the last run stopped (product.md SY1, SY16)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from postroom.lib.clock import now
from postroom.mail import backlog, counted, store
from postroom.mail.events import announce
from postroom.mail.sync.following import follow
from postroom.mail.sync.history import EVERYTHING, count, reach, stamp
from postroom.mail.sync.states import Phase, folder_states
from postroom.mail.sync.taking import Batch, read, take
from postroom.mail.sync.tree import folder_tree, unknown_folders
from postroom.providers.contract import FolderRole, Gone, Page, RemoteMessage, Unusable, Urgency
from postroom.providers.errors import CursorExpired
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity

AFTERWARDS = timedelta(seconds=1)
NEWEST = 100  # readable before anything else (SY16)
_FIRST = (FolderRole.INBOX, FolderRole.SENT, FolderRole.DRAFTS, FolderRole.ARCHIVE)
_LAST = (FolderRole.JUNK, FolderRole.DELETED)
Pulled = tuple[Page[RemoteMessage | Unusable], Batch]


def backfill(run: Run) -> Steps:
    """History, newest first. Every part continues where the last run stopped."""
    yield from folder_tree(run)
    yield from _newest(run)
    if not run.mailbox.history:
        return  # the history question is not answered yet; its answer asks for this lane again
    yield from spines(run)
    yield from _bodies(run)
    yield from _missing(run)
    yield from _noted_inside(run)
    yield _history_done(run)


def _newest(run: Run) -> Steps:
    if run.cursor.get("newest"):
        return
    taken, cursor = 0, None
    while taken < NEWEST:
        page = run.source.pull(cursor=cursor, urgency=Urgency.PUSH)
        taken += len(page.items)
        cursor = page.next
        yield _keep_newest(run, read(run, page.items))
        if cursor is None:
            break
    yield lambda: run.cursor.update(newest=True)


def _keep_newest(run: Run, batch: Batch) -> Work:
    def work() -> None:
        take(run, batch, fresh=False)
        announce(run.mailbox)
        count(run)

    return work


def spines(run: Run) -> Steps:
    """The ids of every folder that was not listed to its end: what follows a folder later goes on from there."""
    order = {str(role): rank for rank, role in enumerate((*_FIRST, FolderRole.NONE, *_LAST))}
    roles = {scope: order.get(role, len(_FIRST)) for scope, role in backlog.folder_roles(run.mailbox).items()}
    states = list(folder_states(run).filter(phase__in=[Phase.NEW, Phase.LISTING]))
    for state in sorted(states, key=lambda s: (roles.get(s.scope, len(_FIRST)), s.pk)):
        yield from follow(run, state)


def _bodies(run: Run) -> Steps:
    """Pages of whole messages back to the chosen date; the next page is fetched while this one is stored."""
    if run.cursor.get("bodies_since") == stamp(run.mailbox) and not backlog.many_missing(
        run.mailbox, reach(run.mailbox)
    ):
        return
    cursor, before = run.cursor.get("bodies_cursor"), run.cursor.get("bodies_before") or _pulled_back_to(run)
    with ThreadPoolExecutor(1, thread_name_prefix="pull") as pool:
        pulled = _pull(run, cursor, before)
        while True:
            page = pulled[0]
            ahead = pool.submit(_pull, run, page.next, None) if page.next else None
            yield _keep_pulled(run, *pulled)
            if ahead is None:
                break
            pulled = ahead.result()
    yield lambda: run.cursor.update(bodies_since=stamp(run.mailbox), bodies_cursor=None, bodies_before=None)


def _pulled_back_to(run: Run) -> Any:
    """Where an earlier, shorter history ended: a longer one goes on from there, nothing is pulled twice (CN13)."""
    before = run.cursor.get("bodies_since")
    if not before or before == stamp(run.mailbox) or before == EVERYTHING:
        return None
    return None if backlog.many_missing(run.mailbox, datetime.fromisoformat(str(before))) else before


def _pull(run: Run, cursor: Any, before: Any) -> Pulled:
    """One page, fetched, parsed and sanitised: all that needs no database, so that it can go on beside storing."""
    since = reach(run.mailbox)
    until = datetime.fromisoformat(before) if before else None
    try:
        page = run.source.pull(cursor=cursor, before=None if cursor else until, since=since)
    except CursorExpired:
        page = run.source.pull(before=until, since=since)
    return page, read(run, page.items)


def _keep_pulled(run: Run, page: Page[RemoteMessage | Unusable], batch: Batch) -> Work:
    oldest = min((m.received for m in page.items if isinstance(m, RemoteMessage) and m.received), default=None)

    def work() -> None:
        take(run, batch, fresh=False)
        run.cursor["bodies_cursor"] = page.next
        if oldest is not None:
            run.cursor["bodies_before"] = oldest.isoformat()
        count(run)

    return work


def _missing(run: Run) -> Steps:
    """Messages that the listing named and no page of bodies brought: moved meanwhile, or mended by an upgrade."""
    while ids := store.missing_bodies(run.mailbox, reach(run.mailbox), limit=100):
        answers = run.source.get(ids, urgency=Urgency.BACKFILL)
        yield from unknown_folders(run, answers)
        yield _take_missing(run, ids, answers)


def _take_missing(run: Run, ids: Sequence[str], answers: Sequence[RemoteMessage | Gone | Unusable]) -> Work:
    batch = read(run, answers)

    def work() -> None:
        take(run, batch, fresh=False)
        backlog.give_up(run.mailbox, ids)  # those still without one: quarantined, never asked for ever
        count(run)

    return work


def _noted_inside(run: Run) -> Steps:
    """What a shorter history only noted and no page of bodies brought: moved while it was pulled."""
    while ids := store.noted(run.mailbox, reach(run.mailbox), limit=100):
        answers = run.source.get(ids, urgency=Urgency.BACKFILL)
        yield from unknown_folders(run, answers)
        yield _take_noted(run, ids, answers)


def _take_noted(run: Run, ids: Sequence[str], answers: Sequence[RemoteMessage | Gone | Unusable]) -> Work:
    batch = read(run, answers)

    def work() -> None:
        take(run, batch, fresh=False)
        store.drop_known(run.mailbox, ids, but_counted=True)  # here now, gone, or set aside with a reason
        if counted.is_on(run.mailbox):
            announce(run.mailbox)  # somebody made the record they belong to and looks at it
        count(run)

    return work


def _history_done(run: Run) -> Work:
    def work() -> None:
        lanes.want(run.mailbox.pk, Activity.COVERAGE)
        # Folders are followed now, and the live lane plans when each is looked at: after this run, not in its place
        lanes.want(run.mailbox.pk, Activity.LIVE, at=now() + AFTERWARDS)
        run.progress.update(backlog.progress(run.mailbox, run.progress, since=reach(run.mailbox)), complete=True)

    return work
