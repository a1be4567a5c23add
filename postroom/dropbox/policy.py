"""What a mail server before us asks while mail is still being sent: may this sender write to this address?

Postfix's policy protocol (postfix.org/SMTPD_POLICY_README): lines of name=value, an empty line, an answer. So whoever
may not write here is refused by the mail server itself, and nothing has to be sent back later.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from postroom.dropbox.smtp import Desk, Envelope
from postroom.dropbox.wire import LineTooLong, Wire

log = logging.getLogger(__name__)
IDLE = 600.0  # seconds; Postfix keeps its connections
LINE, LINES = 4_096, 100
LATER = "451 4.3.0 Not now, please try again later"


async def serve(desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, question after question. Never raises."""
    wire = Wire(reader)
    try:
        while (asked := await _question(wire)) is not None:
            writer.write(f"action={await _action(desk, asked)}\n\n".encode("ascii", "replace"))
            await writer.drain()
    except (OSError, TimeoutError, LineTooLong, asyncio.CancelledError):
        pass
    finally:
        with suppress(OSError):
            writer.close()


async def _question(wire: Wire) -> dict[str, str] | None:
    """``None`` at the end of the connection, or of our patience with it."""
    told: dict[str, str] = {}
    for _ in range(LINES):
        async with asyncio.timeout(IDLE):
            line = await wire.line(LINE)
        if line is None:
            return None
        if not line:
            return told
        name, _, value = line.decode("utf-8", "replace").partition("=")
        told[name] = value
    return None


async def _action(desk: Desk, asked: dict[str, str]) -> str:
    """``OK`` takes the recipient; the rest is what the mail server says to its client."""
    envelope = Envelope(via="lmtp", peer=asked.get("client_address", ""), sender=asked.get("sender", ""))
    try:
        reply = await desk.recipient(envelope, asked.get("recipient", ""))
    except Exception as trouble:
        log.error("a mail server's question cannot be answered: %s", type(trouble).__name__)
        return LATER
    return "OK" if reply.is_good else f"{reply.code} {reply.enhanced} {reply.words}"
