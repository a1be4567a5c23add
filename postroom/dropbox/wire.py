"""The octets of SMTP: lines, and the text of a mail in chunks. Nothing here grows with the size of a mail."""

from __future__ import annotations

import asyncio
import ssl

CHUNK = 65_536
END = b"\r\n.\r\n"


class LineTooLong(Exception):
    """A command line beyond the limit; the rest of it has been skipped."""


class Wire:
    """A connection with what was read of it and not used yet: commands and texts may come in one packet."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._ahead = bytearray()

    @property
    def has_more(self) -> bool:
        """Whether a whole line is here already: then an answer can wait for the next one (RFC 2920)."""
        return b"\n" in self._ahead

    async def line(self, limit: int) -> bytes | None:
        """The next line without its end; ``None`` when the other side has hung up. Raises ``LineTooLong``."""
        skipped = False
        while (at := self._ahead.find(b"\n")) < 0:
            if len(self._ahead) > limit:
                skipped = True
                self._ahead.clear()
            chunk = await self._reader.read(CHUNK)
            if not chunk:
                return None
            self._ahead += chunk
        line = bytes(self._ahead[:at]).removesuffix(b"\r")
        del self._ahead[: at + 1]
        if skipped or len(line) > limit:
            raise LineTooLong
        return line

    async def chunk(self) -> bytes:
        """Some octets of a text, at most ``CHUNK`` from the network; empty when the other side has hung up."""
        if self._ahead:
            ready = bytes(self._ahead)
            self._ahead.clear()
            return ready
        try:
            return await self._reader.read(CHUNK)
        except (ConnectionError, ssl.SSLError):  # broken off is hung up, and no trouble of ours
            return b""

    def give_back(self, rest: bytes) -> None:
        """What stood behind the end of a text: the next commands."""
        self._ahead[:0] = rest


class Text:
    """The text behind DATA, piece by piece, without the dots that protect it (RFC 5321 4.5.2).

    It ends at CRLF "." CRLF and nowhere else. A line feed without its carriage return is noted (``is_bare``): other
    servers may take the same octets for the end of the mail, so such a text is refused as a whole.
    """

    def __init__(self) -> None:
        self._held = b"\r\n"  # as if a line had just ended: the first one may be the end
        self._begun = False
        self.size = 0
        self.is_bare = False
        self.rest: bytes | None = None  # what came behind the end; ``None`` before it

    def feed(self, chunk: bytes) -> bytes:
        """What of the text is certain now."""
        data = self._held + chunk
        end = data.find(END)
        if end >= 0:
            self.rest = data[end + len(END) :]
            text, self._held = data[: end + 2], b""
        else:
            keep = next((n for n in range(len(END) - 1, 0, -1) if data.endswith(END[:n])), 0)
            text, self._held = data[: len(data) - keep], data[len(data) - keep :]
        # A carriage return at the end is always held, so no pair is cut in two here.
        self.is_bare = self.is_bare or text.count(b"\n") != text.count(b"\r\n")
        text = text.replace(b"\r\n.", b"\r\n")
        if text and not self._begun:
            self._begun, text = True, text[2:]
        self.size += len(text)
        return text
