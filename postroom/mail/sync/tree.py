"""The folder tree: listed once, then followed by its own cursor."""

from collections.abc import Sequence

from postroom.lib.clock import now
from postroom.mail import backlog, store
from postroom.mail.sync.states import DAILY, RESOURCE, Phase, folder_states, spread
from postroom.providers.contract import RemoteFolder, RemoteMessage, Removed
from postroom.providers.errors import CursorExpired
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, SyncState


def folder_tree(run: Run, *, force: bool = False) -> Steps:
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
        folder_states(run).filter(scope__in=folders.removed).delete()
        if folders.added and tree.phase == Phase.FOLLOWING:
            lanes.want(run.mailbox.pk, Activity.BACKFILL)  # a folder that came later has its own listing
        tree.phase, tree.cursor, tree.due_at = Phase.FOLLOWING, cursor, now() + spread(DAILY)
        tree.save()

    return work


def unknown_folders(run: Run, rows: Sequence[object]) -> Steps:
    """A message in a folder we have not seen: look at the tree before storing it."""
    named = {row.folder_id for row in rows if isinstance(row, RemoteMessage) and row.folder_id}
    if named - backlog.folder_ids(run.mailbox):
        yield from folder_tree(run, force=True)
