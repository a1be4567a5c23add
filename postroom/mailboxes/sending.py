"""The mailbox that is written from unless another is chosen: a member's own choice, else the workspace's (CN14)."""

from postroom.mailboxes import access
from postroom.mailboxes.models import Mailbox, SendingDefault
from postroom.workspaces.models import Membership


def defaults(member: Membership) -> tuple[int | None, int | None]:
    """The mailboxes to write from, by id: the member's own choice and the workspace's. Whether the member may send from
    them is not asked here."""
    rows = SendingDefault.objects.for_workspace(member.workspace_id)
    found = {row.member_id: row.mailbox_id for row in rows if row.member_id in (None, member.pk)}
    return found.get(member.pk), found.get(None)


def is_default(mailbox: Mailbox, member: Membership | None) -> bool:
    """Whether the member (``None``: the workspace) writes from this mailbox."""
    return SendingDefault.objects.filter(workspace=mailbox.workspace_id, member=member, mailbox=mailbox).exists()


def set_default(mailbox: Mailbox, member: Membership | None, *, on: bool) -> None:
    """Make the mailbox the default of the member (``None``: of the workspace), or no longer. There is at most one."""
    if on:
        SendingDefault.objects.update_or_create(
            workspace_id=mailbox.workspace_id, member=member, defaults={"mailbox": mailbox}
        )
    else:
        SendingDefault.objects.filter(workspace=mailbox.workspace_id, member=member, mailbox=mailbox).delete()


def may_use(mailbox: Mailbox, member: Membership) -> bool:
    """Whether the member may work in the mailbox."""
    return access.mailboxes_visible_to(member).filter(pk=mailbox.pk).exists()
