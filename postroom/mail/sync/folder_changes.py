"""The outbox lane's part for folders: made, renamed and moved at the provider, each at most once.

Making a folder is the one step that is not harmless to repeat: ``step="begun"`` is committed before it, and an attempt
that finds it looks for a folder of that name and place first.
"""

from collections.abc import Sequence

from postroom.lib.clock import now
from postroom.mail import outbox, store
from postroom.mail.events import announce
from postroom.mail.folder_changes import key, place
from postroom.mail.models import Folder, Message
from postroom.mail.sync.states import RESOURCE
from postroom.providers.contract import FolderRole, RemoteFolder
from postroom.providers.errors import Conflict, NotFound, ProviderError, Refused, Transient
from postroom.sync import lanes
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import Activity, OutboxEntry, SyncState

State = OutboxEntry.State
NAMES_TRIED = 5  # "Offers (2)" … when Deleted Items has that name


def carry_out(run: Run) -> Steps:
    """Every change of a folder that is due, in order; one that waits holds up only its own folder and those inside."""
    tried: set[int] = set()
    while entry := next((one for one in _due(run) if one.pk not in tried), None):
        tried.add(entry.pk)
        yield from _one(run, entry)
    waiting = OutboxEntry.objects.filter(mailbox=run.mailbox, kind="folder", state__in=OutboxEntry.OPEN)
    run.due_by(waiting.filter(due_at__gt=now()).order_by("due_at").values_list("due_at", flat=True).first())


def _due(run: Run) -> list[OutboxEntry]:
    rows = OutboxEntry.objects.filter(mailbox=run.mailbox, kind="folder", state__in=OutboxEntry.OPEN)
    first: dict[str, OutboxEntry] = {}
    for entry in rows.order_by("pk"):
        first.setdefault(entry.subject_key, entry)
    return [entry for entry in first.values() if entry.due_at <= now()]


def _one(run: Run, entry: OutboxEntry) -> Steps:
    folder = Folder.objects.select_related("parent").filter(pk=int(entry.subject_key.partition(":")[2])).first()
    if folder is None:
        yield lambda: outbox.done(entry, reason="The folder is gone")
        return
    parent = Folder.objects.filter(pk=entry.fields.get("parent")).first() if entry.fields.get("parent") else None
    if parent is not None and parent.remote_id.startswith(store.TEMPORARY):
        return  # its turn comes when its parent is there; it is asked for again then
    try:
        yield from _write(run, entry, folder, parent)
    except Transient as trouble:
        at, reason = outbox.wait_for(entry, trouble), str(trouble)
        yield lambda: outbox.again(entry, at, reason)
    except (NotFound, Conflict) as lost:
        yield _gone(run, entry, folder, lost)
    except ProviderError as refused:
        if not refused.permanent and not _about_this(refused):
            raise
        yield _put_back(run, entry, folder, refused)


def _about_this(refused: ProviderError) -> bool:
    return getattr(refused, "reason", "") == "access"


def _write(run: Run, entry: OutboxEntry, folder: Folder, parent: Folder | None) -> Steps:
    if folder.remote_id.startswith(store.TEMPORARY):
        found = None
        if entry.step or folder.role == FolderRole.ARCHIVE:
            found = _existing(run, folder, entry.fields["name"], parent)
        yield _begun(entry)
        if found is None:
            found = run.source.create_folder(name=entry.fields["name"], parent_id=parent.remote_id if parent else None)
        yield _made(run, entry, folder, found)
        return
    yield _begun(entry)
    if "name" in entry.fields:
        run.source.rename_folder(folder.remote_id, entry.fields["name"])
    if "parent" in entry.fields:
        name = _moved(run, folder, parent)
        if name != folder.name:
            yield _renamed(folder, name)
    yield lambda: outbox.done(entry)


def _existing(run: Run, folder: Folder, name: str, parent: Folder | None) -> RemoteFolder | None:
    """What an attempt before left; for an Archive also what the mailbox has had all along."""
    if folder.role == FolderRole.ARCHIVE:
        archive = next((one for one, role in run.source.roles().items() if role is FolderRole.ARCHIVE), None)
        if archive is not None:
            return run.source.count(archive)
    return run.source.find_folder(name=name, parent_id=parent.remote_id if parent else None)


def _moved(run: Run, folder: Folder, parent: Folder | None) -> str:
    """Move it; in Deleted Items a folder of that name may lie already, then it goes there under another. Its name."""
    name, to = folder.name, parent.remote_id if parent else None
    for number in range(2, NAMES_TRIED + 2):
        try:
            run.source.move_folder(folder.remote_id, to)
        except Refused as refused:
            in_bin = parent is not None and parent.role == FolderRole.DELETED
            if not in_bin or number > NAMES_TRIED or "exist" not in refused.code.lower():
                raise
            name = f"{folder.name} ({number})"
            run.source.rename_folder(folder.remote_id, name)
        else:
            break
    return name


# --- what is written down ------------------------------------------------------------------------------------------


def _begun(entry: OutboxEntry) -> Work:
    def work() -> None:
        OutboxEntry.objects.filter(pk=entry.pk, state__in=OutboxEntry.OPEN).update(step="begun", state=State.WORKING)

    return work


def _made(run: Run, entry: OutboxEntry, folder: Folder, found: RemoteFolder) -> Work:
    """The folder has its real id now: here, in what lies in it, and in what waits to be moved there."""

    def work() -> None:
        temporary = folder.remote_id
        twin = Folder.objects.filter(mailbox=run.mailbox, remote_id=found.id).first()
        if twin is not None:  # the tree was read in between
            _merge(run, folder, twin)
        else:
            Folder.objects.filter(pk=folder.pk).update(remote_id=found.id, remote_parent_id=found.parent_id or "")
        _readdress(run, temporary, found.id, folder)
        SyncState.objects.get_or_create(mailbox=run.mailbox, resource=RESOURCE, scope=found.id)
        lanes.want(run.mailbox.pk, Activity.BACKFILL)
        outbox.done(entry)
        announce(run.mailbox)

    return work


def _merge(run: Run, folder: Folder, twin: Folder) -> None:
    inside = list(Message.objects.filter(folder=folder).values_list("pk", flat=True))
    store.apply_local(run.mailbox, inside, {"folder": twin.remote_id})
    Folder.objects.filter(parent=folder).update(parent=twin)
    if folder.role:
        Folder.objects.filter(pk=twin.pk, role="").update(role=folder.role)
    OutboxEntry.objects.filter(subject_key=key(folder)).update(subject_key=key(twin))
    for waiting in _inside(run, folder):
        waiting.fields = {**waiting.fields, "parent": twin.pk}
        waiting.save(update_fields=["fields"])
    folder.delete()


def _inside(run: Run, folder: Folder) -> Sequence[OutboxEntry]:
    rows = OutboxEntry.objects.filter(mailbox=run.mailbox, kind="folder", state__in=OutboxEntry.OPEN)
    return list(rows.filter(fields__parent=folder.pk))


def _readdress(run: Run, temporary: str, remote_id: str, folder: Folder) -> None:
    Folder.objects.filter(mailbox=run.mailbox, remote_parent_id=temporary).update(remote_parent_id=remote_id)
    OutboxEntry.objects.filter(mailbox=run.mailbox, remote_id=temporary).update(remote_id=remote_id)
    for part in ("fields", "before"):
        moving = OutboxEntry.objects.filter(mailbox=run.mailbox, **{f"{part}__folder": temporary})
        for entry in moving:
            setattr(entry, part, {**getattr(entry, part), "folder": remote_id})
            entry.save(update_fields=[part])


def _renamed(folder: Folder, name: str) -> Work:
    def work() -> None:
        Folder.objects.filter(pk=folder.pk).update(name=name)

    return work


def _gone(run: Run, entry: OutboxEntry, folder: Folder, lost: ProviderError) -> Work:
    """The folder, or the one it was to go to, is no longer there: the tree is read anew and tells."""

    def work() -> None:
        SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE, scope="").update(
            due_at=now(), cursor="", phase=SyncState.Phase.NEW
        )
        lanes.want(run.mailbox.pk, Activity.LIVE)
        _take_back(run, entry, folder, lost)

    return work


def _put_back(run: Run, entry: OutboxEntry, folder: Folder, refused: ProviderError) -> Work:
    return lambda: _take_back(run, entry, folder, refused)


def _take_back(run: Run, entry: OutboxEntry, folder: Folder, refused: ProviderError) -> None:
    outbox.failed(run.mailbox, entry, refused, folder=folder.pk)
    if folder.remote_id.startswith(store.TEMPORARY):
        _unmake(run, folder, refused)
    else:
        later = set().union(
            *OutboxEntry.objects.filter(
                subject_key=entry.subject_key, pk__gt=entry.pk, state__in=OutboxEntry.OPEN
            ).values_list("fields", flat=True)
        )
        if "name" in entry.before and "name" not in later:
            Folder.objects.filter(pk=folder.pk).update(name=entry.before["name"])
        if "parent" in entry.before and "parent" not in later:
            place(folder.pk, Folder.objects.filter(pk=entry.before["parent"]).first())
    announce(run.mailbox)


def _unmake(run: Run, folder: Folder, refused: ProviderError) -> None:
    """A folder that was refused goes, with the folders made in it; mail that was moved there returns."""
    for child in Folder.objects.filter(parent=folder, remote_id__startswith=store.TEMPORARY):
        _unmake(run, child, refused)
    for entry in OutboxEntry.objects.filter(subject_key=key(folder), state__in=OutboxEntry.OPEN):
        outbox.failed(run.mailbox, entry, refused, folder=folder.pk)
    moving = OutboxEntry.objects.filter(
        mailbox=run.mailbox, state__in=OutboxEntry.OPEN, fields__folder=folder.remote_id
    )
    for entry in moving.order_by("pk"):
        outbox.put_back(run.mailbox, entry, refused)
    for child in Folder.objects.filter(parent=folder):
        place(child.pk, None)
    if not Message.objects.filter(folder=folder).exists():
        folder.delete()
