"""A small world for tests: Northwind with Adele, Bob and their mailboxes, next door Woodgrove, and mail by the line."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from postroom.accounts.models import User
from postroom.mail.models import Conversation, Correspondent, Folder, Message, Participant, Thread
from postroom.mailboxes.models import Mailbox
from postroom.timeline.matching import on_stored
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership, Workspace

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
_numbers = itertools.count(1)


class Page(NamedTuple):
    """What storing reports."""

    new: Sequence[int] = ()
    changed: Sequence[int] = ()
    merged: Sequence[tuple[int, int]] = ()


@dataclass
class World:
    workspace: Workspace
    adele: Membership
    bob: Membership
    mailbox: Mailbox  # Adele's, private
    others: dict[str, Mailbox] = field(default_factory=dict)

    def open_mailbox(self, address: str, owner: Membership, visibility: str = "private") -> Mailbox:
        box = Mailbox.objects.create(
            workspace=self.workspace,
            owner=owner,
            provider="memory",
            address=address,
            visibility=visibility,
            state="live",
        )
        Folder.objects.create(mailbox=box, remote_id="inbox", name="Inbox", role="inbox")
        self.others[address] = box
        return box

    def conversation(self) -> Conversation:
        return Conversation.objects.create(workspace=self.workspace)

    def mail(
        self,
        sender: str,
        *to: str,
        cc: Sequence[str] = (),
        bcc: Sequence[str] = (),
        hours: float = 0,
        conversation: Conversation | None = None,
        mailbox: Mailbox | None = None,
        subject: str = "Renewal terms",
    ) -> Message:
        """One stored message, `hours` after noon; matching has not seen it yet."""
        box = mailbox or self.mailbox
        at = NOON + timedelta(hours=hours)
        thread = _thread(box, conversation or self.conversation(), sender, at, subject)
        folder = Folder.objects.get(mailbox=box, role="inbox")
        message = Message.objects.create(
            mailbox=box,
            folder=folder,
            thread=thread,
            remote_id=f"m{next(_numbers)}",
            subject=subject,
            from_address=sender,
            received=at,
        )
        roles = [("from", [sender]), ("to", to), ("cc", cc), ("bcc", bcc)]
        Participant.objects.bulk_create(
            Participant(message=message, mailbox=box, address=address, role=role, received=at)
            for role, addresses in roles
            for address in addresses
        )
        for address in {sender, *to, *cc}:
            Correspondent.objects.update_or_create(
                workspace=self.workspace,
                address=address,
                defaults={"domain": address.rpartition("@")[2], "last_at": at},
            )
        return message

    def arrive(self, *messages: Message) -> None:
        """Let matching see stored messages, all as one page."""
        on_stored(messages[0].mailbox if messages else self.mailbox, Page(new=[one.pk for one in messages]), fresh=True)


def _thread(box: Mailbox, conversation: Conversation, sender: str, at: datetime, subject: str) -> Thread:
    thread, made = Thread.objects.get_or_create(
        mailbox=box,
        conversation=conversation,
        defaults={"last_at": at, "first_at": at, "subject": subject, "people": [["", sender]], "count": 0},
    )
    thread.last_at, thread.first_at = max(thread.last_at, at), min(thread.first_at, at)
    thread.count += 1
    thread.save()
    return thread


def member(workspace: Workspace, email: str, role: str = "Member") -> Membership:
    return add_member(workspace, User.objects.create_user(email, email.split("@")[0].title()), role=role)


def build() -> World:
    northwind = create_workspace("Northwind")
    adele = member(northwind, "adele@northwind.example", "Admin")
    bob = member(northwind, "bob@northwind.example")
    world = World(northwind, adele, bob, mailbox=None)  # type: ignore[arg-type]
    world.mailbox = world.open_mailbox("adele@northwind.example", adele)
    return world
