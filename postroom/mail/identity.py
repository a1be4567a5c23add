"""What makes a message of ours found again at the provider: a marker, and a Message-ID of our own."""

import secrets

from postroom.mailboxes.models import Mailbox


def new(mailbox: Mailbox) -> tuple[str, str]:
    """A fresh pair of them."""
    marker = secrets.token_hex(16)
    domain = mailbox.address.rpartition("@")[2] or "postroom.invalid"
    return marker, f"<{marker}.postroom@{domain}>"
