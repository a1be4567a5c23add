"""From the text of a draft, as its provider writes it, to what is submitted: the same body under headers of our own.

The provider has put the message together already (quoted text, pictures, files of what is forwarded, threading), so the
body is passed on byte for byte and memory holds only the headers.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from msgspec import Struct

from postroom.providers.contract import Address
from postroom.providers.errors import Malformed

MOST = 1_000_000  # bytes of headers
# What is ours to say, what must not be seen, and what only means something in the mailbox the draft lies in.
_OURS = ("from", "sender", "reply-to", "message-id", "date", "mime-version")
_PRIVATE = ("bcc", "resent-bcc", "x-unsent", "return-path", "received", "delivered-to", "dkim-signature")
_PRIVATE_BEGINS = ("x-ms-", "x-microsoft-", "x-originating", "x-forefront", "arc-", "authentication-results")


class Sender(Struct, frozen=True, kw_only=True):
    """Who it is from. ``reply_to``: set when ``from_`` is not the mailbox's own address."""

    from_: Address
    message_id: str
    at: datetime
    reply_to: Address | None = None


def as_sent(draft: Iterable[bytes], sender: Sender) -> Iterator[bytes]:
    """The draft as it is submitted. Raises ``Malformed`` when it has no end of headers."""
    chunks = iter(draft)
    head = bytearray()
    end = -1
    for chunk in chunks:
        head += chunk
        end, gap = _end_of(head)
        if end >= 0 or len(head) > MOST:
            break
    if end < 0:
        raise Malformed("a message without an end of its headers")
    yield _headers(sender)
    yield b"".join(line + b"\r\n" for line in _kept(bytes(head[:end])))
    yield b"MIME-Version: 1.0\r\n\r\n"
    yield bytes(head[end + gap :])
    yield from chunks


def _end_of(head: bytearray) -> tuple[int, int]:
    """Where the headers end, and how long the gap to the body is; -1 when that is not to be seen yet."""
    found = [(at, len(gap)) for gap in (b"\r\n\r\n", b"\n\n") if (at := head.find(gap)) >= 0]
    return min(found, default=(-1, 0))


def _kept(head: bytes) -> Iterator[bytes]:
    """The lines of the draft's own headers that stay; folded ones with what belongs to them."""
    keep = False
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            name = line.partition(b":")[0].strip().lower().decode("latin-1")
            keep = b":" in line and name not in (*_OURS, *_PRIVATE) and not name.startswith(_PRIVATE_BEGINS)
        if keep:
            yield line


def _headers(sender: Sender) -> bytes:
    """Ours, encoded and folded by the standard library."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _person(sender.from_)
    if sender.reply_to is not None:
        message["Reply-To"] = _person(sender.reply_to)
    message["Date"] = format_datetime(sender.at)
    lines = message.as_bytes().partition(b"\r\n\r\n")[0]
    return lines + b"\r\nMessage-ID: " + sender.message_id.encode("ascii", "replace") + b"\r\n"


def _person(one: Address) -> HeaderAddress:
    name = " ".join(one.name.split())
    return HeaderAddress(display_name=name if name != one.address else "", addr_spec=one.address)
