"""One message handed to a mail server, step by step, so that what happens between steps can be written down.

    connect -> encrypt -> sign in -> MAIL, RCPT … (``begin``) -> DATA … final dot (``finish``)

Up to the final dot nothing is sent; a connection lost after it leaves the outcome open (``maybe_done``).
"""

import smtplib
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Literal, Self

from msgspec import Struct

from postroom.providers.errors import Refused, Transient
from postroom.providers.smtp import replies

SECONDS = 60.0
_TAKEN = (250, 251)
_ERRORS = (OSError, smtplib.SMTPException)


class Server(Struct, frozen=True, kw_only=True):
    """``security``: tls (from the first byte), starttls (required), none. ``context``: for tests."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"] = "tls"
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port} {self.security})"


class Session:
    """A signed-in connection. Everything may raise ``Transient``, ``Refused`` or ``SendingLimit``."""

    def __init__(self, server: Server, *, address: str = "", context: ssl.SSLContext | None = None) -> None:
        """``address``: where the name was found to lead, so that it cannot change its mind in between."""
        self._server, self._address = server, address
        self._context = context or ssl.create_default_context()
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        try:
            self._open()
        except _ERRORS as trouble:
            self.__exit__(type(trouble))
            raise replies.broken(trouble) from None
        return self

    def __exit__(self, kind: object = None, *_: object) -> None:
        if self._smtp is None:
            return
        if kind is None:
            with suppress(*_ERRORS):
                self._smtp.quit()
        self._smtp.close()

    def _open(self) -> None:
        """The certificate is checked against the name, whatever address is spoken to."""
        server = self._server
        smtp: smtplib.SMTP = _Tls(self._context) if server.security == "tls" else smtplib.SMTP(timeout=SECONDS)
        self._smtp = smtp
        smtp._host = server.host  # type: ignore[attr-defined]  # the name that encryption checks
        code, said = smtp.connect(self._address or server.host, server.port)
        if code != 220:
            raise smtplib.SMTPResponseException(code, said)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            smtp.starttls(context=self._context)
            smtp.ehlo()
        if server.username:
            smtp.login(server.username, server.password)

    @property
    def largest(self) -> int:
        """Bytes of a message the server takes; 0: it does not say."""
        assert self._smtp is not None
        said = self._smtp.esmtp_features.get("size", "")
        return int(said) if said.isdecimal() else 0

    def begin(self, sender: str, recipients: Sequence[str], *, size: int) -> dict[str, str]:
        """Name sender and recipients. Returns the recipients the server refuses for good, with its words; the message
        can still go to the others. Raises ``Transient`` when one of them is refused for now."""
        assert self._smtp is not None
        if self.largest and size > self.largest:
            raise Refused("too large", code="smtp_size", status=552)
        try:
            code, said = self._smtp.mail(sender, self._options([sender, *recipients], size))
            if code != 250:
                raise replies.reply(code, said)
            return self._name(recipients)
        except _ERRORS as trouble:
            raise replies.broken(trouble) from None

    def _options(self, addresses: Sequence[str], size: int) -> list[str]:
        features = self._smtp.esmtp_features if self._smtp else {}
        options = [f"SIZE={size}"] if "size" in features else []
        options += ["BODY=8BITMIME"] if "8bitmime" in features else []
        if not all(address.isascii() for address in addresses):
            if "smtputf8" not in features:
                raise Refused("addresses beyond ASCII", code="smtp_utf8")
            options.append("SMTPUTF8")
        return options

    def _name(self, recipients: Sequence[str]) -> dict[str, str]:
        assert self._smtp is not None
        refused = {}
        for recipient in recipients:
            code, said = self._smtp.rcpt(recipient)
            if code in _TAKEN:
                continue
            trouble = replies.reply(code, said)
            if isinstance(trouble, Transient):
                raise trouble
            refused[recipient] = f"{code} {said.decode('utf-8', 'replace')}"[:300]
        return refused

    def finish(self, chunks: Iterable[bytes]) -> None:
        """Hand over the message. Returns when the server has taken it. Raises ``Transient(maybe_done=True)`` when the
        connection is lost after its end was sent."""
        assert self._smtp is not None
        ended = False
        try:
            code, said = self._smtp.docmd("DATA")
            if code != 354:
                raise replies.reply(code, said)
            for chunk in stuffed(chunks):
                self._smtp.send(chunk)
            ended = True
            self._smtp.send(b".\r\n")
            code, said = self._smtp.getreply()
        except _ERRORS as trouble:
            raise replies.broken(trouble, maybe_done=ended) from None
        if code != 250:
            raise replies.reply(code, said)

    def forget(self) -> None:
        """The message is not handed over after all."""
        assert self._smtp is not None
        with suppress(*_ERRORS):
            self._smtp.rset()


class _Tls(smtplib.SMTP_SSL):
    """Encrypted from the first byte; ``connect`` is called later."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(timeout=SECONDS, context=context)


def stuffed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text as DATA wants it: every line ends in CRLF, a dot at its start is doubled, the last line is ended.
    Memory holds one chunk."""
    rest, start = b"", True
    for chunk in chunks:
        chunk = rest + chunk
        rest = b"\r" if chunk.endswith(b"\r") else b""
        chunk = chunk[: len(chunk) - len(rest)]
        if not chunk:
            continue
        chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
        yield b"." + chunk if start and chunk.startswith(b".") else chunk
        start = chunk.endswith(b"\n")
    if rest or not start:
        yield b"\r\n"
