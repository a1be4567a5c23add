"""From a row to an open connector: the only door to a provider's data."""

from postroom.mailboxes.grants import Tokens
from postroom.mailboxes.models import Mailbox
from postroom.providers import errors, registry
from postroom.providers.contract import MailSource


def budget_key(provider: str, address: str) -> str:
    """What shares one request budget: the mailbox at the provider, whoever reads it (graph.md section 4)."""
    return f"{provider}:{address.lower()}"


def open_mail(mailbox: Mailbox, *, just_read: bool = False) -> MailSource:
    """The mail of a mailbox. Contacts nobody yet. Raises ``errors.AccessLost`` for one that was disconnected.

    ``just_read``: its connection was read together with it, for this very request, and need not be read again.
    """
    if mailbox.connection_id is None:
        reason = "delegate" if mailbox.kind == Mailbox.Kind.SHARED else "access"
        raise errors.AccessLost("the mailbox is disconnected", reason=reason)
    return registry.connector(mailbox.provider).mail(
        token=Tokens(mailbox.connection_id, read=mailbox.connection if just_read else None),
        mailbox_key=budget_key(mailbox.provider, mailbox.address),
        address=mailbox.address if mailbox.kind == Mailbox.Kind.SHARED else None,
    )
