"""Where each copy of a mail lies: the sender's Sent Items, the recipients' folders, read, flagged, categorised."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from .mime import Mail
from .model import SeedMessage

# well-known names (graph.md 2.2): the display names depend on the owner's language
INBOX, SENT, JUNK, DELETED, ARCHIVE = "inbox", "sentitems", "junkemail", "deleteditems", "archive"
_SORTERS = frozenset({"adele", "theo", "camille", "mara"})  # people who file customers' mail by customer
_UNREAD = ((1, 0.55), (4, 0.22), (30, 0.05), (10_000, 0.008))  # younger than so many days: share of unread mail


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail as it lies in one mailbox."""

    mail: Mail
    folder: str
    is_read: bool
    is_flagged: bool
    categories: tuple[str, ...]

    def seed(self, owner: str) -> SeedMessage:
        """Rendered; received copies carry the trace line of the last server."""
        raw, received = self.mail.render(), self.mail.sent
        if self.folder != SENT:
            received += timedelta(seconds=2 + _chance(self.mail, "transit") * 9)
            domain = self.mail.sender.address.rpartition("@")[2]
            trace = f"Received: from mail.{domain} by mx.northwind.example; {format_datetime(received)}\r\n"
            raw = trace.encode() + raw
        received = received.replace(microsecond=0)
        return SeedMessage(self.folder, raw, received, self.is_read, self.is_flagged, self.categories)


def _chance(mail: Mail, salt: str) -> float:
    """A number from 0 to 1 that belongs to this mail and this question."""
    return zlib.crc32(f"{mail.message_id}:{salt}".encode()) / 2**32


def copies(mail: Mail, inside: frozenset[str], now: datetime) -> Iterator[tuple[str, Copy]]:
    """(owner, copy) for every mailbox of ours that the mail lies in."""
    sender = mail.sender.address
    if sender in inside and "bounce" not in mail.tags:
        yield sender, Copy(mail, SENT, True, False, ())
    for owner in dict.fromkeys(mail.everyone):
        if owner in inside and owner != sender:
            yield owner, _received(mail, owner, now)


def _received(mail: Mail, owner: str, now: datetime) -> Copy:
    days = (now - mail.sent) / timedelta(days=1)
    folder = _folder(mail, owner.partition("@")[0], days)
    share = next(share for limit, share in _UNREAD if days < limit)
    if "newsletter" in mail.tags or folder == JUNK:
        share = max(share, 0.4)
    is_read = _chance(mail, owner) >= share
    work = any(tag.startswith(("deal:", "ticket")) for tag in mail.tags)
    flagged = work and folder != DELETED and _chance(mail, "flag" + owner) < (0.12 if days < 21 else 0.03)
    return Copy(mail, folder, is_read, flagged, _categories(mail, owner))


def _folder(mail: Mail, owner: str, days: float) -> str:
    tags = mail.tags
    if "junk" in tags:
        return JUNK
    if _chance(mail, "bin" + owner) < (0.3 if tags & {"newsletter", "note"} else 0.025) and days > 2:
        return DELETED
    if "newsletter" in tags:
        return "Newsletters" if owner in {"adele", "mara", "diego"} else INBOX
    if owner == "support":
        return _support_folder(mail, days)
    if owner == "jobs":
        role = next((tag[5:] for tag in tags if tag.startswith("role:")), "")
        return f"Candidates/{role}" if role and days > 25 else INBOX
    if owner == "ruth" and "invoice" in tags:
        return f"Finance/{mail.sent.year}/Invoices"
    customer = next((tag[5:] for tag in tags if tag.startswith("deal:")), "")
    if customer and owner in _SORTERS and days > 24:
        return f"Customers/{customer}"
    if customer and owner == "ben" and days > 24:
        return f"Projects/{customer}"
    if "notice" in tags and owner == "diego":
        return "Build notices"
    return ARCHIVE if days > 90 and _chance(mail, "archive" + owner) < 0.7 else INBOX


def _support_folder(mail: Mail, days: float) -> str:
    if days < 12 or "ticket" not in mail.tags:
        return INBOX
    topic = next((tag[6:] for tag in mail.tags if tag.startswith("topic:")), "Other")
    return f"Resolved/{mail.sent.year}/{topic}"


def _categories(mail: Mail, owner: str) -> tuple[str, ...]:
    found = []
    chance = _chance(mail, "category" + owner)
    if any(tag.startswith("deal:") for tag in mail.tags) and chance < 0.2:
        found.append("Deal")
    if "renewal" in mail.tags and chance < 0.5:
        found.append("Renewal")
    if "ticket" in mail.tags and chance < 0.12:
        found.append("Waiting")
    if "invoice" in mail.tags and chance < 0.4:
        found.append("Invoice")
    if "candidate" in mail.tags and chance < 0.25:
        found.append("Interview")
    return tuple(found)
