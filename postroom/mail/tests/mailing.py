"""Mail for tests of what is stored: messages by the line, put into real rows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from postroom.accounts.models import User
from postroom.mail import store
from postroom.mail.events import on_stored
from postroom.mail.prepare import prepare
from postroom.mail.store import Stored
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import (
    Address,
    Flag,
    FolderRole,
    RemoteAttachment,
    RemoteBody,
    RemoteFolder,
    RemoteMessage,
)
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership, Workspace

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
FOLDERS = (
    RemoteFolder(id="inbox", name="Inbox", role=FolderRole.INBOX),
    RemoteFolder(id="sent", name="Sent Items", role=FolderRole.SENT),
    RemoteFolder(id="bin", name="Deleted Items", role=FolderRole.DELETED),
    RemoteFolder(id="deep", parent_id="inbox", name="Projects/2026"),
)


def workspace(name: str = "Northwind") -> Workspace:
    return create_workspace(name)


def member(of: Workspace, address: str, role: str = "Member") -> Membership:
    return add_member(of, User.objects.create_user(address, address.split("@")[0].title()), role=role)


def mailbox(owner: Membership, address: str = "", *, visibility: str = "private") -> Mailbox:
    box = Mailbox.objects.create(
        workspace=owner.workspace,
        owner=owner,
        provider="memory",
        address=address or owner.address,
        visibility=visibility,
        state="live",
    )
    with transaction.atomic():
        store.put_folders(box, FOLDERS, {}, complete=True)
    return box


def people(*addresses: str) -> tuple[Address, ...]:
    return tuple(Address(one, one.split("@")[0].title()) for one in addresses)


def mail(n: int | str, *, hours: float = 0, text: str = "", html: str = "", **told: Any) -> RemoteMessage:
    """A whole message; ``hours`` after noon. ``from_`` and ``to`` may be plain addresses."""
    at = NOON + timedelta(hours=hours)
    sender = told.pop("from_", "ana@fabrikam.example")
    to = told.pop("to", ("adele@northwind.example",))
    whole: dict[str, Any] = {
        "folder_id": "inbox",
        "change_key": f"k{n}",
        "internet_message_id": f"<{n}@fabrikam.example>",
        "conversation_id": None,
        "subject": f"Subject {n}",
        "from_": people(sender)[0],
        "to": people(*to),
        "cc": (),
        "bcc": (),
        "reply_to": (),
        "received": at,
        "sent": at,
        "modified": at,
        "is_read": False,
        "is_draft": False,
        "flag": Flag.NONE,
        "categories": (),
        "importance": "normal",
        "has_attachments": bool(told.get("attachments")),
        "preview": (text or html)[:200],
        "body": RemoteBody("html", html) if html else RemoteBody("text", text or f"Text {n}"),
        "attachments": (),
    }
    return RemoteMessage(id=f"id{n}", **{**whole, **told})


def sparse(n: int | str, **told: Any) -> RemoteMessage:
    """A delta row: only what is named."""
    return RemoteMessage(id=f"id{n}", **told)


def file(name: str, *, content_type: str = "application/pdf", size: int = 5, **told: Any) -> RemoteAttachment:
    return RemoteAttachment(id=f"file-{name}", name=name, content_type=content_type, size=size, **told)


def put(box: Mailbox, rows: Sequence[RemoteMessage], **options: Any) -> Stored:
    """Store as the engine does: prepared outside, one transaction, hooks, merged conversations dropped."""
    ready = [prepare(row, own_addresses=frozenset({box.address.lower()})) for row in rows]
    with transaction.atomic():
        stored = store.put(box, ready, **options)
        on_stored(box, stored, fresh=False)
    return stored
