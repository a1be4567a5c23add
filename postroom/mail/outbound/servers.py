"""A workspace's own mail server: kept, tested, spoken to (product.md SE8, SE9)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from postroom.accounts.keys import keyring
from postroom.lib.clock import now
from postroom.lib.crypto import CannotOpen
from postroom.lib.resealing import reseal_rows
from postroom.mail.models import Composition
from postroom.mail.pictures import is_public, resolve
from postroom.mail.ways import MailServer
from postroom.providers.contract import Address
from postroom.providers.errors import ProviderError, Transient
from postroom.providers.smtp import Sender, Server, Session
from postroom.providers.smtp.replies import WORDS
from postroom.workspaces.models import Workspace

log = logging.getLogger(__name__)


def of(workspace_id: int) -> MailServer | None:
    return MailServer.objects.filter(workspace=workspace_id).first()


def save(workspace: Workspace, *, password: str | None, **fields: Any) -> MailServer:
    """Keep what was typed. ``password`` ``None``: the one that is there stays, if the server is the same."""
    with transaction.atomic():
        row = MailServer.objects.select_for_update().filter(workspace=workspace).first() or MailServer(
            workspace=workspace
        )
        moved = (row.host, row.port, row.username) != tuple(fields.get(name) for name in ("host", "port", "username"))
        for name, value in fields.items():
            setattr(row, name, value)
        if password is not None or moved:  # a password is never sent to another server than it was typed for
            row.sealed_password = keyring().seal(password.encode(), _place(workspace.pk)) if password else b""
        row.failure, row.tested_at, row.changed_at = "", None, now()
        row.save()
    return row


def forget(workspace: Workspace) -> None:
    MailServer.objects.for_workspace(workspace).delete()


def _place(workspace_id: int) -> tuple[str, str]:
    return (f"workspace {workspace_id}", "mail server")


def reseal() -> int:
    """Bring every password under the newest key, as ``reseal_rows`` says."""
    rows = MailServer.objects.exclude(sealed_password=b"")
    return reseal_rows(rows, "sealed_password", lambda row: _place(row.workspace_id), keyring())


# --- speaking to it ------------------------------------------------------------------------------------------------


@contextmanager
def session(row: MailServer) -> Iterator[Session]:
    """A signed-in connection. What goes wrong is kept with the server, for its settings page. Raises the errors of
    ``providers.errors``, always as being about this message and never about the mailbox."""
    try:
        with Session(_server(row), address=_address(row.host, row.port)) as opened:
            yield opened
    except ProviderError as trouble:
        note(row, trouble.code)
        raise
    note(row, "")


def note(row: MailServer, failure: str) -> None:
    """How it went last time: our word, or the server's numbers."""
    if row.failure != failure[:40]:
        row.failure = failure[:40]
        MailServer.objects.filter(pk=row.pk).update(failure=row.failure)


def _server(row: MailServer) -> Server:
    password = b""
    if row.sealed_password:
        try:
            password = keyring().open(row.sealed_password, _place(row.workspace_id))
        except CannotOpen:
            raise Transient("POSTROOM_ENCRYPTION_KEYS has not got its key", code="smtp_sealed") from None
    return Server(
        host=row.host,
        port=row.port,
        security=row.security,  # type: ignore[arg-type]
        username=row.username,
        password=password.decode(),
    )


def _address(host: str, port: int) -> str:
    """Where the name leads: to the public internet, or to a host the operator named."""
    try:
        found = resolve(host, port)
    except OSError:
        raise Transient("no such host", code="smtp_host") from None
    if host.lower() not in settings.POSTROOM_MAIL_HOSTS and not all(is_public(one) for one in found):
        raise Transient("a private network", code="smtp_private")
    if not found:
        raise Transient("no such host", code="smtp_host")
    return found[0]


def test(row: MailServer) -> str:
    """Connect and sign in, without sending anything. Empty when it works, else why not, in words."""
    try:
        with session(row):
            pass
    except ProviderError as trouble:
        log.info("mail server of workspace %s: %s", row.workspace_id, trouble.code)
    MailServer.objects.filter(pk=row.pk).update(tested_at=now())
    return in_words(row.failure)


def in_words(failure: str) -> str:
    """What a failure means, and what to do."""
    if failure == "smtp_sealed":
        return "Its password cannot be opened: the key it was sealed with is no longer configured. Type it again."
    return WORDS.get(failure, f"The server refuses: {failure.removeprefix('smtp ')}." if failure else "")


# --- in whose name -------------------------------------------------------------------------------------------------


def sender_of(row: MailServer, composition: Composition, *, at: datetime) -> tuple[Sender, str]:
    """(what the headers say, the address that reports come back to). From is the mailbox's own address where the
    server may send for its domain; else the server's own, with answers to the mailbox."""
    mailbox = composition.mailbox
    own = Address(address=composition.from_address or mailbox.address, name=_name(composition))
    told = {"message_id": composition.internet_message_id, "at": at}
    if may_send_as(row, own.address) or not row.sender:
        return Sender(from_=own, **told), own.address  # type: ignore[arg-type]
    instead = Address(address=row.sender, name=own.name or own.address)
    return Sender(from_=instead, reply_to=own, **told), row.sender  # type: ignore[arg-type]


def may_send_as(row: MailServer, address: str) -> bool:
    return address.rpartition("@")[2].lower() in [one.lower() for one in row.domains]


def _name(composition: Composition) -> str:
    mailbox = composition.mailbox
    if composition.from_address or mailbox.connection is None or mailbox.kind != mailbox.Kind.OWN:
        return mailbox.name or composition.author.name
    return mailbox.connection.name or mailbox.name


def recipients_of(composition: Composition) -> list[str]:
    """Everybody it is for, each once, as it was written."""
    return list({address.lower(): address for _, address in composition.recipients}.values())
