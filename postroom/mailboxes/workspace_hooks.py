"""Mailboxes of members who go, and of workspaces that are deleted (``settings.WORKSPACE_HOOKS``, product.md MA4)."""

import logging

from django.db import transaction

from postroom.mailboxes import access, departure, lifecycle
from postroom.mailboxes.models import Connection, Departure, Mailbox
from postroom.workspaces.hooks import Belonging
from postroom.workspaces.models import Membership, Workspace

log = logging.getLogger(__name__)

State, Kind, Visibility = Mailbox.State, Mailbox.Kind, Mailbox.Visibility

FATES = {
    Kind.OWN: "Disconnected at once. Without a new owner its synced mail is deleted with the member.",
    Kind.SHARED: "Waits for another delegate. Without a new owner its synced mail is deleted with the member.",
}


def belongings(member: Membership) -> list[Belonging]:
    """The member's mailboxes. A private one goes to nobody: who may read it was the member's decision."""
    found = Mailbox.objects.filter(owner=member, departure=None).order_by("address")
    return [Belonging(str(one.pk), one.address, FATES[Kind(one.kind)], tuple(_readers(one, member))) for one in found]


def _readers(mailbox: Mailbox, leaving: Membership) -> list[Membership]:
    """Who may read it already, and so may take it over."""
    if mailbox.visibility == Visibility.PRIVATE:
        return []
    others = Membership.objects.for_workspace(mailbox.workspace_id).exclude(pk=leaving.pk).select_related("user")
    return [one for one in others if access.mailboxes_visible_to(one).filter(pk=mailbox.pk).exists()]


@transaction.atomic
def hand_over(member: Membership, key: str, heir: Membership) -> None:
    """The mailbox gets another owner; an own one stays as it is to read, a shared one waits for a delegate."""
    Mailbox.objects.filter(owner=member, pk=int(key)).update(owner=heir)


def member_leaving(member: Membership) -> None:
    """Every grant of the member's ends, and with it the sync of whatever it was lent to."""
    for mailbox in Mailbox.objects.filter(connection__member=member, kind=Kind.OWN).select_related("connection"):
        lifecycle.disconnect(mailbox, delete=False)
    for connection in Connection.objects.filter(member=member):
        lifecycle.end(connection)


def workspace_leaving(workspace: Workspace) -> None:
    """Every grant of the workspace's ends; shared mailboxes are disconnected, too."""
    for mailbox in Mailbox.objects.for_workspace(workspace).exclude(state=State.DISCONNECTED).order_by("-kind"):
        lifecycle.disconnect(mailbox, delete=False)
    for connection in Connection.objects.for_workspace(workspace):
        lifecycle.end(connection)


def erase_some_of_member(member: Membership) -> int:
    """A portion of the mailboxes that went to nobody."""
    return _erase_some(Mailbox.objects.filter(owner=member).order_by("pk").first())


def erase_some_of_workspace(workspace: Workspace) -> int:
    """A portion of the workspace's mailboxes."""
    return _erase_some(Mailbox.objects.for_workspace(workspace).order_by("pk").first())


def _erase_some(mailbox: Mailbox | None) -> int:
    if mailbox is None:
        return 0
    with transaction.atomic():
        departure.begin(mailbox)
        before = Departure.objects.values_list("done", flat=True).get(mailbox=mailbox.pk)
        departure.step(mailbox.pk)
        after = Departure.objects.values_list("done", flat=True).filter(mailbox=mailbox.pk).first()
    return 1 if after is None else max(1, after - before)
