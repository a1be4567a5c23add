"""The list of categories: read when it is due, and what was added here written to it.

The provider tells nothing about changes of the list, so it is read daily, more often while somebody looks at the
mailbox, and whenever the picker is opened.
"""

from collections.abc import Sequence
from datetime import timedelta

from postroom.lib.clock import now
from postroom.mail import outbox
from postroom.mail.categories import RESOURCE, may_keep
from postroom.mail.events import announce
from postroom.mail.models import Category
from postroom.providers.contract import RemoteCategory
from postroom.providers.errors import AccessLost, ProviderError, Transient
from postroom.sync.contract import Run, Steps, Work
from postroom.sync.models import OutboxEntry, SyncState

DAILY, LOOKED_AT = timedelta(hours=24), timedelta(minutes=30)
VIEWED = timedelta(minutes=10)


def follow(run: Run) -> Steps:
    """Read the list when it is due. Where we may not, names are all there is, and nobody is bothered."""
    if not may_keep(run.mailbox):
        return
    state, _ = SyncState.objects.get_or_create(mailbox=run.mailbox, resource=RESOURCE, scope="")
    if state.due_at is None or state.due_at <= now():
        try:
            found: Sequence[RemoteCategory] | None = run.source.categories()
        except ProviderError as refused:
            if not refused.permanent and not _no_right(refused):
                raise
            found = None
        yield _store(run, state, found)
    run.due_by(state.due_at)


def _no_right(refused: ProviderError) -> bool:
    return isinstance(refused, AccessLost) and refused.reason == "access"


def _store(run: Run, state: SyncState, found: Sequence[RemoteCategory] | None) -> Work:
    def work() -> None:
        viewed = run.mailbox.viewed_at is not None and run.mailbox.viewed_at > now() - VIEWED
        state.failure = "consent" if found is None else ""
        state.due_at, state.updated_at = now() + (LOOKED_AT if viewed else DAILY), now()
        state.save(update_fields=["failure", "due_at", "updated_at"])
        if found is not None and _put(run, found):
            announce(run.mailbox)

    return work


def _put(run: Run, found: Sequence[RemoteCategory]) -> bool:
    """Bring ours in line with theirs, those not written yet aside. Whether anything changed."""
    have = {one.name: one for one in Category.objects.filter(mailbox=run.mailbox)}
    told = {one.name[:255]: one for one in found if one.name}
    new = [_row(run, name, one) for name, one in told.items() if name not in have]
    other = [name for name, one in told.items() if name in have and _differs(have[name], one)]
    gone = [one.pk for name, one in have.items() if name not in told and one.remote_id]
    Category.objects.bulk_create(new, ignore_conflicts=True)
    for name in other:
        Category.objects.filter(pk=have[name].pk).update(color=told[name].color, remote_id=told[name].id)
    Category.objects.filter(pk__in=gone).delete()
    return bool(new or other or gone)


def _row(run: Run, name: str, one: RemoteCategory) -> Category:
    return Category(mailbox=run.mailbox, name=name, color=one.color, remote_id=one.id)


def _differs(ours: Category, theirs: RemoteCategory) -> bool:
    return (ours.color, ours.remote_id) != (theirs.color, theirs.id)


def carry_out(run: Run) -> Steps:
    """Add to the provider's list what was added here. Doing it twice is refused there, and then it is done."""
    rows = OutboxEntry.objects.filter(mailbox=run.mailbox, kind="category", state__in=OutboxEntry.OPEN)
    for entry in rows.filter(due_at__lte=now()).order_by("pk"):
        try:
            made = run.source.create_category(name=entry.fields["name"], color=entry.fields["color"])
        except Transient as trouble:
            yield _wait(entry, trouble)
        except ProviderError as refused:
            if not refused.permanent and not _no_right(refused):
                raise
            yield _refused(run, entry, refused)
        else:
            yield _made(entry, made)
    run.due_by(rows.filter(due_at__gt=now()).order_by("due_at").values_list("due_at", flat=True).first())


def _wait(entry: OutboxEntry, trouble: Transient) -> Work:
    return lambda: outbox.again(entry, outbox.wait_for(entry, trouble), str(trouble))


def _of(entry: OutboxEntry) -> int:
    return int(entry.subject_key.partition(":")[2])


def _made(entry: OutboxEntry, made: RemoteCategory) -> Work:
    def work() -> None:
        Category.objects.filter(pk=_of(entry)).update(remote_id=made.id, color=made.color)
        outbox.done(entry)

    return work


def _refused(run: Run, entry: OutboxEntry, refused: ProviderError) -> Work:
    """It is there already (then the list tells its colour), or we may not: the name stays, without a colour."""

    def work() -> None:
        Category.objects.filter(pk=_of(entry), remote_id="").delete()
        if "exist" in refused.code.lower():
            outbox.done(entry, reason="It was there already")
            SyncState.objects.filter(mailbox=run.mailbox, resource=RESOURCE).update(due_at=now())
        else:
            outbox.failed(run.mailbox, entry, refused)

    return work
