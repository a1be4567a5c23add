"""A small receiver of mail: LMTP (RFC 2033) behind a mail server, or plain SMTP (RFC 5321) for small installs.

It takes mail and nothing else: no relaying, no sign-in, no delivery of its own. Who may write to whom, and what becomes
of a text, is asked of a ``Desk``; a text is on disk, and the desk has answered for it, before its sender hears 250. No
text is ever whole in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from postroom.dropbox.tls import Certificate
from postroom.dropbox.wire import Wire

log = logging.getLogger(__name__)
Kind = Literal["lmtp", "smtp"]


@dataclass(frozen=True)
class Limits:
    """Times in seconds. A mail server that waits in a queue before us needs no more patience than this."""

    size: int = 35_000_000  # bytes of a mail
    recipients: int = 100
    line: int = 4_096  # octets of a command
    mistakes: int = 12  # commands that are none, refused recipients: then the connection ends
    idle: float = 120
    handshake: float = 60
    text: float = 900  # for the whole of one mail
    session: float = 3_600
    connections: int = 100
    from_one: int = 20  # connections of one address; a mail server before us is not counted


class Reply(NamedTuple):
    """An answer: code, enhanced code, words."""

    code: int
    enhanced: str
    words: str

    @property
    def is_good(self) -> bool:
        return self.code < 400

    def line(self) -> bytes:
        return f"{self.code} {self.enhanced} {self.words}\r\n".encode("ascii", "replace")


OK = Reply(250, "2.0.0", "OK")
TAKEN = Reply(250, "2.6.0", "Taken")
TOO_LARGE = Reply(552, "5.3.4", "Too large")
AWAY = Reply(451, "4.3.0", "Not now, please try again later")
FULL = Reply(452, "4.3.1", "No room for it now, please try again later")
BARE = Reply(550, "5.5.2", "Lines end in CR LF; this text has line feeds of its own")
ORDER = Reply(503, "5.5.1", "Not in this order")
SYNTAX = Reply(501, "5.5.4", "That is not understood")


@dataclass
class Envelope:
    """What came around a text. ``peer``: the network address of whoever sent it, as far as it is known."""

    via: Kind
    peer: str = ""
    helo: str = ""
    sender: str = ""
    recipients: list[str] = field(default_factory=list)


class Desk(Protocol):
    """Who decides. Both may take their time; what they raise is answered as "later"."""

    async def recipient(self, envelope: Envelope, address: str) -> Reply:
        """Whether mail of ``envelope.sender`` to this address is taken."""
        ...

    async def deliver(self, envelope: Envelope, text: Path, size: int) -> list[Reply]:
        """Keep the text for each of ``envelope.recipients``, for good. One answer each, in their order."""
        ...


class Hung(Exception):
    """The other side is gone, or has to go."""


class Receiver:
    """Listens, and speaks with whoever comes. ``spool``: a directory for texts while they arrive. ``certificate``: what
    STARTTLS is offered with; without one it is unknown."""

    def __init__(
        self, desk: Desk, *, kind: Kind, name: str, spool: Path, limits: Limits | None = None,
        certificate: Certificate | None = None,
    ) -> None:  # fmt: skip
        self.desk, self.kind, self.name, self.spool = desk, kind, name, spool
        self.limits, self.certificate = limits or Limits(), certificate
        self._open: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from greeting to goodbye. Never raises."""
        from postroom.dropbox.session import Session

        peer = _peer(writer)
        session = Session(self, Wire(reader), writer, peer)
        self._open[peer] += 1
        try:
            if self._open.total() > self.limits.connections or self._too_many_of(peer):
                writer.write(b"421 4.7.0 Too many connections\r\n")
            else:
                async with asyncio.timeout(self.limits.session):
                    await session.run()
        except (Hung, OSError, TimeoutError, asyncio.CancelledError):
            pass  # cancelled: the process ends, and whose mail was not acknowledged sends it again
        except Exception:
            log.exception("a connection ended by a mistake of ours")
        finally:
            self._open[peer] -= 1
            self._open += Counter()  # who has none left is forgotten
            await _hang_up(session.writer)

    def later(self, trouble: Exception) -> Reply:
        """Something of ours does not work: the mail stays with its sender and comes again."""
        log.error("mail cannot be taken at the moment: %s", type(trouble).__name__)
        return AWAY

    def _too_many_of(self, peer: str) -> bool:
        return self.kind == "smtp" and self._open[peer] > self.limits.from_one


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """What was said goes out before; who does not take it is left. Closed already: a handshake failed."""
    if writer.is_closing():
        return
    try:
        writer.close()
        async with asyncio.timeout(5):
            await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.CancelledError):
        writer.transport.abort()


def _peer(writer: asyncio.StreamWriter) -> str:
    """The other side's network address; empty behind a socket file."""
    name = writer.get_extra_info("peername")
    return str(name[0]).removeprefix("::ffff:") if isinstance(name, tuple) and name else ""


def is_here(peer: str) -> bool:
    """Whether a connection comes from this machine: only then it may say for whom it speaks (XFORWARD)."""
    try:
        return not peer or ip_address(peer).is_loopback
    except ValueError:
        return False
