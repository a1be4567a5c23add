"""STARTTLS for who has no mail server before us (RFC 3207): the certificate, and the way from the clear to TLS."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from postroom.dropbox.wire import CHUNK

log = logging.getLogger(__name__)
GOODBYE = 3.0  # seconds for the other side's last word
Stamp = tuple[tuple[int, int, int] | None, ...]


class Unusable(Exception):
    """A certificate nobody can be served with; the text says what is wrong with which file."""


class Certificate:
    """A chain and its key as files, PEM; both may be one file. What replaces them is taken with the next handshake."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Raises ``Unusable``."""
        self._files = (chain, key)
        self._stamp, self._context = self._look(), self._load()

    def context(self) -> ssl.SSLContext:
        """As the files are now; a new one that cannot be used (it may be half written) leaves the one before."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._context = self._load()
            except Unusable as trouble:
                log.error("the new certificate is not used, the one before stays: %s", trouble)
            else:
                log.info("the certificate was renewed")
        return self._context

    def _look(self) -> Stamp:
        """What differs when a file was replaced or written; looked at before it is read, so that nothing is missed."""
        return tuple(_stamp_of(one) for one in self._files)

    def _load(self) -> ssl.SSLContext:
        chain, key = self._files
        for one in self._files:
            try:
                one.open("rb").close()
            except OSError as trouble:
                raise Unusable(f"{one} cannot be read ({trouble.strerror})") from None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        try:
            context.load_cert_chain(chain, key, password="")  # a key under a password is refused, not asked for
        except OSError as trouble:  # ``ssl.SSLError`` is one
            why = str(getattr(trouble, "reason", None) or "no PEM").replace("_", " ").lower()
            raise Unusable(f"{chain} and {key} are no certificate with its key ({why})") from None
        return context


def _stamp_of(file: Path) -> tuple[int, int, int] | None:
    try:
        told = file.stat()
    except OSError:
        return None
    return told.st_ino, told.st_mtime_ns, told.st_size


async def secured(
    writer: asyncio.StreamWriter, context: ssl.SSLContext, *, patience: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The same connection over TLS, with a reader of its own: what came in the clear stays with the old one and is
    never read as a command. Raises ``OSError`` (``ssl.SSLError`` is one); the connection is closed then.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=CHUNK)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport = await loop.start_tls(
        writer.transport, protocol, context, server_side=True, ssl_handshake_timeout=patience,
        ssl_shutdown_timeout=GOODBYE,
    )  # fmt: skip
    if transport is None:  # hung up in this moment
        raise ConnectionResetError
    protocol.connection_made(transport)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
