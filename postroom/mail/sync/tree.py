"""The folder tree: listed once, then followed by its own cursor."""

from collections.abc import Sequence

from postroom.lib.clock import now
from postroom.mail import backlog, store
from postroom.mail.models import Folder
from postroom.mail.sync.asking import ask
from postroom.mail.sync.states import RESOURCE, Phase, folder_states
from postroom.mail.sync.taking import read, take
from postroom.providers.contract import Gone, RemoteFolder, RemoteMessage, Removed, Unusable, Urgency
from postroom.providers.errors import CursorExpired
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, SyncState
from postroom.sync.schedule import next_daily


def folder_tree(run: Run, *, force: bool = False) -> Steps:
    tree, _ = SyncState.objects.get_or_create(mailbox=run.mailbox, resource=RESOURCE, scope="")
    if not force and tree.phase == Phase.FOLLOWING and (tree.due_at is None or tree.due_at > now()):
        return
    cursor: str | None = tree.cursor or None
    complete = not cursor
    items: list[RemoteFolder | Removed] = []
    while True:
        try:
            page = run.source.folders(cursor)
        except CursorExpired:
            cursor, items, complete = None, [], True
            tree.round += 1
            continue
        items += page.items
        if page.done is not None:
            break
        cursor = page.next
    asked = _moved_out(run, items, complete=complete)
    yield _store_tree(run, tree, items, asked, complete=complete, cursor=page.done)


def _moved_out(
    run: Run, items: Sequence[RemoteFolder | Removed], *, complete: bool
) -> list[RemoteMessage | Gone | Unusable]:
    """Where the messages are now whose folder is gone: nothing is deleted because a folder is missing from a list.
    One that says it is still there is out of the tree, and so out of the mailbox (Recoverable Items)."""
    folders = store.folders_gone(run.mailbox, items, complete=complete)
    ids = backlog.in_folders(run.mailbox, folders)
    answers = ask(run, ids, urgency=Urgency.DELTA) if ids else []
    return [Gone(one.id) if isinstance(one, RemoteMessage) and one.folder_id in folders else one for one in answers]


def _store_tree(
    run: Run,
    tree: SyncState,
    items: Sequence[RemoteFolder | Removed],
    asked: Sequence[RemoteMessage | Gone | Unusable],
    *,
    complete: bool,
    cursor: str,
) -> Work:
    roles = run.source.roles()
    batch = read(run, asked)

    def work() -> None:
        folders = store.put_folders(run.mailbox, items, roles, complete=complete)
        take(run, batch)
        store.drop_folders(run.mailbox, folders.removed)
        unlisted = _unlisted(run, items)
        SyncState.objects.bulk_create(
            [SyncState(mailbox=run.mailbox, resource=RESOURCE, scope=remote_id) for remote_id in unlisted],
            ignore_conflicts=True,
        )
        folder_states(run).filter(scope__in=folders.removed).delete()
        if complete:  # what is no folder at all would be asked for, and denied, for ever
            folder_states(run).exclude(scope__in=backlog.folder_ids(run.mailbox)).delete()
        if unlisted and tree.phase == Phase.FOLLOWING:
            lanes.want(run.mailbox.pk, Activity.BACKFILL)  # a folder that came later has its own listing
        tree.phase, tree.cursor, tree.due_at = Phase.FOLLOWING, cursor, next_daily(run.mailbox.pk, "", now())
        tree.save()

    return work


def _unlisted(run: Run, items: Sequence[RemoteFolder | Removed]) -> list[str]:
    """Folders named now that nobody follows though they are synced: new ones, and ones that were gone and are back."""
    named = {item.id for item in items if isinstance(item, RemoteFolder)}
    synced = Folder.objects.filter(mailbox=run.mailbox, remote_id__in=named, synced=True)
    followed = folder_states(run).values_list("scope", flat=True)
    return sorted(set(synced.values_list("remote_id", flat=True)) - set(followed))


def unknown_folders(run: Run, rows: Sequence[object]) -> Steps:
    """A message in a folder we have not seen: look at the tree before storing it."""
    named = {row.folder_id for row in rows if isinstance(row, RemoteMessage) and row.folder_id}
    if named and named - backlog.folder_ids(run.mailbox):
        yield from folder_tree(run, force=True)
