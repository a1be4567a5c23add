"""The purge (product.md MA4): what was deleted goes from every table, in portions, and a certificate stays.

Which tables there are is read from the models (``lib.erasing``), so one that is added later is purged, too. A purge may
be killed at any moment: its row says that it began, and the next run goes on.
"""

import logging
from collections.abc import Callable, Iterator

from django.contrib.auth import SESSION_KEY as USER_IN_SESSION
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q

from postroom.accounts.models import User
from postroom.lib import erasing
from postroom.lib.clock import now
from postroom.workspaces import hooks
from postroom.workspaces.models import Membership, Purge, Workspace

log = logging.getLogger(__name__)


def due() -> list[Purge]:
    """Purges whose time has come, and those that were interrupted, oldest first."""
    begun = Q(started_at__isnull=False) | Q(due_at__lte=now())
    return list(Purge.objects.filter(begun, finished_at=None).order_by("due_at", "pk"))


def run_due(*, stopping: Callable[[], bool] = lambda: False) -> int:
    """Carry out what is due. Returns how many purges were completed."""
    done = 0
    for purge in due():
        if stopping():
            break
        done += run(purge, stopping=stopping)
    return done


def run(purge: Purge, *, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Carry out one purge from where it stands. False when it was interrupted, or another process is at it."""
    Purge.objects.filter(pk=purge.pk, started_at=None).update(started_at=now())
    while not stopping():
        with transaction.atomic():
            held = Purge.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=purge.pk, finished_at=None)
            row = held.select_related("workspace", "membership__user").first()
            if row is None:
                return False
            if row.membership is not None and row.membership.removed_at is None:
                row.delete()  # they were asked back meanwhile
                return False
            portion = _PORTIONS[Purge.Kind(row.kind)](row)
            if portion is None:
                _certify(row)
                break
            table, count = portion
            row.deleted[table] = row.deleted.get(table, 0) + count
            Purge.objects.filter(pk=row.pk).update(deleted=row.deleted)  # the row it points at may be gone by now
    else:
        return False
    if purge.kind == Purge.Kind.WORKSPACE:
        hooks.tell("workspace_erased", purge.number)
    return True


def _of_workspace(purge: Purge) -> erasing.Portion | None:
    """One portion of a workspace: what the packages above know best, every other row, the workspace itself."""
    workspace = purge.workspace
    if workspace is None:
        return None
    if gone := hooks.erase_some("erase_some_of_workspace", workspace):
        return erasing.Portion("mailboxes", gone)
    if portion := erasing.some(workspace, instead={Membership: _forget_people}):
        return portion
    workspace.delete()
    return erasing.Portion(Workspace._meta.db_table, 1)


def _forget_people(workspace: models.Model, at_once: int) -> int:
    people = list(Membership.objects.filter(workspace=workspace.pk).select_related("user").order_by("pk")[:at_once])
    for member in people:
        _forget_person(member)
    return len(people)


def _of_member(purge: Purge) -> erasing.Portion | None:
    """One portion of a removed member: what belonged to nobody else, then the person."""
    member = purge.membership
    if member is None:
        return None
    if gone := hooks.erase_some("erase_some_of_member", member):
        return erasing.Portion("mailboxes", gone)
    _forget_person(member)
    return erasing.Portion(Membership._meta.db_table, 1)


def _forget_person(member: Membership) -> None:
    """The membership, and the account of a person who belongs nowhere else, with its sessions."""
    user = member.user
    member.delete()
    if Membership.objects.filter(user=user).exists() or user.is_operator:
        return
    for session in _sessions_of(user):
        session.delete()
    user.delete()


def _sessions_of(user: User) -> Iterator[Session]:
    for session in Session.objects.iterator():
        if str(session.get_decoded().get(USER_IN_SESSION)) == str(user.pk):
            yield session


_PORTIONS: dict[Purge.Kind, Callable[[Purge], erasing.Portion | None]] = {
    Purge.Kind.WORKSPACE: _of_workspace,
    Purge.Kind.MEMBER: _of_member,
}


def _certify(purge: Purge) -> None:
    """Look through every table once more, and write down what was found."""
    root = Workspace if purge.kind == Purge.Kind.WORKSPACE else Membership
    purge.remaining = sum(erasing.mentions(purge.number, root).values())
    purge.workspace = purge.membership = None
    purge.finished_at = now()
    purge.save()
    log.info("purge %s is complete, %s rows remain", purge.reference, purge.remaining)


def certificate(purge: Purge) -> dict[str, object]:
    """What an operator shows: dates and numbers, nothing personal."""
    state = "done" if purge.finished_at else "running" if purge.started_at else "waiting"
    moments = {"asked": purge.asked_at, "due": purge.due_at, "done": purge.finished_at}
    return {
        "reference": purge.reference,
        "kind": purge.kind,
        "number": purge.number,
        "state": state,
        **{name: at.isoformat() if at else None for name, at in moments.items()},
        "deleted": purge.deleted,
        "rows": sum(purge.deleted.values()),
        "remaining": purge.remaining,
    }
