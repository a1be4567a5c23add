"""What is said on one connection (RFC 5321, 2033, 2920, 1870, 3207; XFORWARD as Postfix speaks it)."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO

from postroom.dropbox.smtp import (
    BARE,
    FULL,
    OK,
    ORDER,
    SYNTAX,
    TOO_LARGE,
    Envelope,
    Hung,
    Kind,
    Receiver,
    Reply,
    is_here,
)
from postroom.dropbox.tls import secured
from postroom.dropbox.wire import LineTooLong, Text, Wire

_PATH = re.compile(r":\s*<(?P<path>[^<>\s]{0,1000})>(?P<rest>(?:\s+\S+)*)\s*\Z")
_XTEXT = re.compile(r"\+([0-9A-Fa-f]{2})")
_UNKNOWN = ("[UNAVAILABLE]", "[TEMPUNAVAIL]")
_NO_COMMAND = Reply(500, "5.5.1", "No such command")
Answer = Callable[[str], Awaitable[Reply | None]]


class Session:
    """One connection's commands. ``None`` as an answer: it has been said already. ``writer``: where answers go now."""

    def __init__(self, receiver: Receiver, wire: Wire, writer: asyncio.StreamWriter, peer: str) -> None:
        self._to, self._wire, self.writer, self._peer = receiver, wire, writer, peer
        self._limits = receiver.limits
        self._hello = ""
        self._for: dict[str, str] = {}  # whom the mail server before us speaks for
        self._envelope: Envelope | None = None
        self._mistakes = 0
        self._secure = False
        self._answers: dict[str, Answer] = {
            "HELO": self._helo,
            "EHLO": self._ehlo,
            "LHLO": self._lhlo,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "VRFY": self._vrfy,
            "XFORWARD": self._xforward,
            "STARTTLS": self._starttls,
        }

    async def run(self) -> None:
        """Until one of the two has had enough. Raises ``Hung``, ``OSError``, ``TimeoutError``."""
        await self._say(f"220 {self._to.name} {'LMTP' if self._to.kind == 'lmtp' else 'ESMTP'}\r\n".encode(), now=True)
        while True:
            try:
                async with asyncio.timeout(self._limits.idle):
                    line = await self._wire.line(self._limits.line)
            except TimeoutError:
                await self._say(b"421 4.4.2 You were silent for too long\r\n", now=True)
                raise
            except LineTooLong:
                await self._wrong(Reply(500, "5.5.6", "Line too long"))
                continue
            if line is None:
                return
            verb, _, rest = line.decode("utf-8", "surrogateescape").partition(" ")
            if verb.upper() == "QUIT":
                await self._say(b"221 2.0.0 Bye\r\n", now=True)
                return
            await self._do(verb.upper(), rest)

    async def _do(self, verb: str, rest: str) -> None:
        answer = self._answers.get(verb)
        reply = _NO_COMMAND if answer is None else await answer(rest)
        if reply is None:
            return
        if reply.is_good:
            await self._say(reply.line())
        else:
            await self._wrong(reply)

    async def _wrong(self, reply: Reply) -> None:
        self._mistakes += 1
        if self._mistakes > self._limits.mistakes:
            await self._say(b"421 4.7.0 Too many mistakes\r\n", now=True)
            raise Hung
        await self._say(reply.line())

    async def _say(self, line: bytes, *, now: bool = False) -> None:
        """Answers to commands that came together go out together."""
        self.writer.write(line)
        if now or not self._wire.has_more:
            async with asyncio.timeout(self._limits.idle):
                await self.writer.drain()

    # --- greetings ---------------------------------------------------------------------------------------------------

    async def _helo(self, rest: str) -> Reply | None:
        return self._greeted(rest, "smtp") or Reply(250, "2.0.0", self._to.name)

    async def _ehlo(self, rest: str) -> Reply | None:
        return self._greeted(rest, "smtp") or await self._offered()

    async def _lhlo(self, rest: str) -> Reply | None:
        return self._greeted(rest, "lmtp") or await self._offered()

    def _greeted(self, rest: str, kind: Kind) -> Reply | None:
        if kind != self._to.kind:
            return Reply(500, "5.5.1", f"This is {self._to.kind.upper()}")
        if not rest.strip():
            return SYNTAX
        self._hello, self._envelope = _printable(rest.strip()), None
        return None

    async def _offered(self) -> Reply | None:
        can = [self._to.name, "PIPELINING", f"SIZE {self._limits.size}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if is_here(self._peer):
            can.append("XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE")
        if self._to.certificate is not None and not self._secure:
            can.append("STARTTLS")
        marks = ["-"] * (len(can) - 1) + [" "]
        await self._say("".join(f"250{mark}{word}\r\n" for mark, word in zip(marks, can, strict=True)).encode())
        return None

    async def _noop(self, rest: str) -> Reply:
        return OK

    async def _vrfy(self, rest: str) -> Reply:
        return Reply(252, "2.1.5", "Send it and see")

    async def _xforward(self, rest: str) -> Reply:
        """Whom the mail server before us speaks for, until the next mail or greeting."""
        if not is_here(self._peer):
            return Reply(550, "5.7.1", "Not from there")
        if self._envelope is not None:
            return ORDER
        for word in rest.split():
            name, equals, value = word.partition("=")
            if not equals:
                return SYNTAX
            plain = _XTEXT.sub(lambda found: chr(int(found[1], 16)), value)
            self._for[name.upper()] = "" if plain.upper() in _UNKNOWN else _printable(plain)
        return OK

    async def _starttls(self, rest: str) -> Reply | None:
        """Go on over TLS as if nothing had been said (RFC 3207 4.2): what was learned in the clear is forgotten, and
        what was sent ahead of the handshake is thrown away, since anybody on the way may have put it there."""
        certificate = self._to.certificate
        if certificate is None:
            return _NO_COMMAND
        if self._secure:
            return ORDER
        if rest.strip():
            return SYNTAX
        context = certificate.context()
        await self._say(b"220 2.0.0 Go ahead\r\n", now=True)
        reader, self.writer = await secured(self.writer, context, patience=self._limits.handshake)
        self._wire, self._secure = Wire(reader), True
        self._hello, self._for, self._envelope = "", {}, None
        return None

    # --- an envelope -------------------------------------------------------------------------------------------------

    async def _mail(self, rest: str) -> Reply:
        told = _path(rest, "FROM")
        if told is None:
            return SYNTAX
        if not self._hello or self._envelope is not None:
            return ORDER
        sender, words = told
        size = next((word[5:] for word in words if word.upper().startswith("SIZE=")), "0")
        if not (size.isascii() and size.isdecimal() and len(size) < 16):
            return SYNTAX
        if int(size) > self._limits.size:
            return TOO_LARGE
        peer, helo = self._whence()
        self._envelope = Envelope(via=self._to.kind, sender=sender, peer=peer, helo=helo)
        return OK

    def _whence(self) -> tuple[str, str]:
        """(network address, HELO) of the sender: a server on this machine that says for whom it speaks is believed."""
        if self._for:
            return self._for.get("ADDR", "").lower().removeprefix("ipv6:")[:64], self._for.get("HELO", "")
        return self._peer, self._hello

    async def _rcpt(self, rest: str) -> Reply:
        told = _path(rest, "TO")
        if told is None or not told[0]:
            return SYNTAX
        if self._envelope is None:
            return ORDER
        if len(self._envelope.recipients) >= self._limits.recipients:
            return Reply(452, "4.5.3", "Too many recipients")
        try:
            reply = await self._to.desk.recipient(self._envelope, told[0])
        except Exception as trouble:
            return self._to.later(trouble)
        if reply.is_good:
            self._envelope.recipients.append(told[0])
        return reply

    async def _rset(self, rest: str) -> Reply:
        self._envelope, self._for = None, {}
        return OK

    # --- a text ------------------------------------------------------------------------------------------------------

    async def _data(self, rest: str) -> Reply | None:
        envelope = self._envelope
        if envelope is None:
            return ORDER
        if not envelope.recipients:
            return Reply(503, "5.5.1", "Nobody to take it")
        await self._say(b"354 Go on; end with a dot on a line of its own\r\n", now=True)
        self._envelope, self._for = None, {}
        async with asyncio.timeout(self._limits.text):
            replies = await self._take(envelope)
        # One answer per recipient (RFC 2033 4.2), or one for all: of who could not be served, so that it comes again.
        if self._to.kind == "smtp":
            replies = [next((reply for reply in replies if not reply.is_good), replies[0])]
        await self._say(b"".join(reply.line() for reply in replies))
        return None

    async def _take(self, envelope: Envelope) -> list[Reply]:
        try:
            file = tempfile.NamedTemporaryFile(dir=self._to.spool, prefix="taking-", delete=False)  # noqa: SIM115
        except OSError as trouble:
            self._to.later(trouble)
            await self._read(None)
            return [FULL] * len(envelope.recipients)
        place = Path(file.name)
        try:
            with file:
                text, wrong = await self._read(file.file)
                if wrong is None:
                    file.flush()
                    await asyncio.to_thread(os.fsync, file.fileno())
            if wrong is not None:
                return [wrong] * len(envelope.recipients)
            return await self._to.desk.deliver(envelope, place, text.size)
        except (Hung, TimeoutError):
            raise
        except Exception as trouble:
            return [self._to.later(trouble)] * len(envelope.recipients)
        finally:
            place.unlink(missing_ok=True)

    async def _read(self, file: IO[bytes] | None) -> tuple[Text, Reply | None]:
        """The whole text, to its end whatever is wrong with it: what follows are commands. Raises ``Hung``."""
        text, wrong = Text(), None
        while text.rest is None:
            async with asyncio.timeout(self._limits.idle):
                chunk = await self._wire.chunk()
            if not chunk:
                raise Hung
            piece = text.feed(chunk)
            wrong = wrong or (TOO_LARGE if text.size > self._limits.size else BARE if text.is_bare else None)
            if file is not None and wrong is None:
                try:
                    file.write(piece)
                except OSError as trouble:
                    self._to.later(trouble)
                    wrong = FULL
        self._wire.give_back(text.rest)
        return text, wrong


def _path(rest: str, word: str) -> tuple[str, list[str]] | None:
    """``FROM:<path> WORD …`` read: the path and the words. A source route is left out (RFC 5321 appendix C)."""
    if rest[: len(word)].upper() != word:
        return None
    found = _PATH.fullmatch(rest[len(word) :])
    if found is None:
        return None
    path = found["path"]
    path = path.rpartition(":")[2] if path.startswith("@") else path
    return (path, found["rest"].split()) if len(path) <= 320 and path.isprintable() else None


def _printable(text: str) -> str:
    return "".join(one for one in text if one.isprintable() and not "\ud800" <= one <= "\udfff")[:255]
