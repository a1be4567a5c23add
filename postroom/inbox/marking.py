"""Marking what a member has read."""

from collections.abc import Iterable

from postroom.inbox.accounts import Accounts
from postroom.mail import commands, events
from postroom.mail.models import Message
from postroom.timeline.team import notices, snoozes
from postroom.workspaces.models import Membership


def mark_read(member: Membership, known: Accounts, conversation: int) -> None:
    """In every mailbox the member works in; reading in a colleague's mailbox leaves no trace there."""
    rows = Message.objects.filter(
        thread__conversation=conversation, mailbox__in=known.worked_in(), is_read=False
    ).select_related("mailbox")
    unread = list(rows)
    if unread:
        commands.mark_read(unread, member)
        announce(unread)


def opened(member: Membership, known: Accounts, conversation: int) -> None:
    """The member has just opened it: it is read, back from its sleep, and what they were told of it is seen."""
    mark_read(member, known, conversation)
    snoozes.opened(member, conversation)
    notices.read(member, conversation=conversation)


def announce(messages: Iterable[Message]) -> None:
    """Other windows, and colleagues who see the mailboxes, look again."""
    changed = list(messages)
    for mailbox in {one.mailbox for one in changed}:
        events.announce(mailbox, threads={one.thread_id for one in changed if one.mailbox_id == mailbox.pk})
