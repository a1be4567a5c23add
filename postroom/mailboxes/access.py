"""Who may read a mailbox and who may change it. Not the same: an admin may disconnect a colleague's private mailbox
without ever seeing its mail."""

from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from postroom.mailboxes.models import NOT_SYNCED, Departure, Mailbox
from postroom.workspaces.models import Membership, Permission


def mailboxes_visible_to(member: Membership) -> QuerySet[Mailbox]:
    """Those whose mail the member may read: own, shared with them by name, open to the workspace (CN14)."""
    return _of(member).filter(_read_by(member))


def _read_by(member: Membership) -> Q:
    mine = Q(owner=member) | Q(visibility=Mailbox.Visibility.WORKSPACE)
    return mine | Q(visibility=Mailbox.Visibility.MEMBERS, pk__in=member.used_mailboxes.values("pk"))


def mailboxes_manageable_by(member: Membership) -> QuerySet[Mailbox]:
    """Those the member may sync, set up and disconnect: own, and all of the workspace for its admins."""
    return _of(member).filter(_managed_by(member))


def _managed_by(member: Membership) -> Q:
    mine = Q() if member.may(Permission.MANAGE_WORKSPACE) else Q(owner=member)
    return ~Q(provider=NOT_SYNCED) & mine


class InSettings(NamedTuple):
    """What the settings show of mailboxes: those the member manages, shared ones they may only read, and those whose
    mail is being deleted."""

    managed: list[Mailbox]
    shared: list[Mailbox]
    departures: list[Departure]


def in_settings(member: Membership) -> InSettings:
    """All of them in one query."""
    shown = _managed_by(member) | (Q(kind=Mailbox.Kind.SHARED) & _read_by(member))
    leaving = Q(departure__isnull=False) & _managed_by(member)
    rows = list(_mailboxes(member).filter((_PRESENT & shown) | leaving).select_related("departure"))
    gone = [one for row in rows if (one := getattr(row, "departure", None))]
    here = [row for row in rows if not hasattr(row, "departure")]
    return InSettings(
        [one for one in here if may_manage(member, one)],
        [one for one in here if not may_manage(member, one)],
        sorted(gone, key=lambda one: one.started_at),
    )


def may_manage(member: Membership, mailbox: Mailbox) -> bool:
    """Whether a mailbox that is at hand is one of those."""
    return mailbox.provider != NOT_SYNCED and (mailbox.owner_id == member.pk or member.may(Permission.MANAGE_WORKSPACE))


def logged_mailboxes(member: Membership) -> list[tuple[int, str, bool]]:
    """(id, address, whether it is the member's own) of every mailbox of the workspace, for the access log (AD2)."""
    rows = Mailbox.objects.for_workspace(member.workspace_id).order_by("address").values_list("pk", "address", "owner")
    return [(pk, address, owner == member.pk) for pk, address, owner in rows]


def visible_mailbox(member: Membership, pk: int) -> Mailbox:
    """One mailbox the member may read. Raises ``Http404``."""
    return _find(mailboxes_visible_to(member), pk)


def manageable_mailbox(member: Membership, pk: int) -> Mailbox:
    """One mailbox the member may change. Raises ``Http404``."""
    return _find(mailboxes_manageable_by(member), pk)


def may_reconnect(member: Membership, mailbox: Mailbox) -> bool:
    """Only who owns it, or lends a shared one their connection: the grant that comes back is theirs."""
    if mailbox.kind == Mailbox.Kind.SHARED:
        return mailbox.connection is not None and mailbox.connection.member_id == member.pk
    return mailbox.owner_id == member.pk


def may_hand_over(member: Membership, mailbox: Mailbox) -> bool:
    """Its owner; an admin too, unless it is somebody's private one: of that the owner alone decides who reads it."""
    private = mailbox.kind == Mailbox.Kind.OWN and mailbox.visibility == Mailbox.Visibility.PRIVATE
    return mailbox.owner_id == member.pk or (member.may(Permission.MANAGE_WORKSPACE) and not private)


_PRESENT = Q(departure=None, owner__removed_at=None)


def _of(member: Membership) -> QuerySet[Mailbox]:
    return _mailboxes(member).filter(_PRESENT)


def _mailboxes(member: Membership) -> QuerySet[Mailbox]:
    every = Mailbox.objects.for_workspace(member.workspace_id).order_by("connected_at", "pk")
    return every.select_related("connection", "owner__user", "delegate__user")


def _find(mailboxes: QuerySet[Mailbox], pk: int) -> Mailbox:
    return get_object_or_404(mailboxes, pk=pk)
