"""Adele, her drop box, a DNS of our own, and a receiver on a free port of this machine."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from postroom.dropbox import addresses, filing, jobs, verdicts
from postroom.dropbox.models import DropBox, Dropped
from postroom.dropbox.smtp import OK, TAKEN, Envelope, Limits, Receiver, Reply
from postroom.dropbox.tls import Certificate
from postroom.files import storage
from postroom.timeline.tests.world import World, build

ADELE = "adele@northwind.example"
PEER = "192.0.2.7"
_numbers = itertools.count(1)


@dataclass
class Zone:
    """A DNS: what is published, and whether it answers."""

    records: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    silent: bool = False

    def publish(self, name: str, kind: str, *records: Any) -> None:
        self.records[name, kind] = list(records)

    def ask(self, name: str, kind: str) -> Sequence[Any]:
        if self.silent:
            raise verdicts.Unanswered("silent")
        return self.records.get((name.lower(), kind), [])


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Zone:
    """Northwind says which server sends its mail."""
    zone = Zone()
    zone.publish("northwind.example", "TXT", f"v=spf1 ip4:{PEER} -all".encode())
    monkeypatch.setattr(filing, "resolver", zone)
    return zone


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.MEDIA_ROOT = tmp_path / "files"
    monkeypatch.setattr(jobs, "soon", lambda pk: None)
    return build()


@pytest.fixture
def drop(world: World) -> DropBox:
    return addresses.open_box(world.adele)


@pytest.fixture
def dropped(drop: DropBox) -> Callable[..., Dropped]:
    """Take a mail as the receiver would, and file it."""

    def take(raw: bytes | EmailMessage, *, sender: str = ADELE, peer: str = PEER, about: str = "") -> Dropped:
        octets = raw if isinstance(raw, bytes) else bytes(raw)
        blob = storage.store_stream(drop.workspace, [octets])
        row = Dropped.objects.create(
            workspace=drop.workspace, box=drop, raw=blob, size=len(octets), sender=sender, peer=peer, via="lmtp",
            about=about, helo="mail.northwind.example",
        )  # fmt: skip
        filing.take(row.pk)
        row.refresh_from_db()
        return row

    return take


def written(
    *,
    to: str = "Ben <ben@contoso.example>",
    sender: str = f"Adele <{ADELE}>",
    subject: str = "Renewal terms",
    text: str = "As agreed on the telephone.\n",
    **headers: str,
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = "Sat, 14 Nov 2026 12:00:00 +0000"
    message["Message-ID"] = f"<drop-{next(_numbers)}@northwind.example>"
    for name, value in headers.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


# --- a receiver without a database -----------------------------------------------------------------------------------


class Desk:
    """Knows addresses that begin with "good"; keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[tuple[Envelope, bytes]] = []
        self.broken = False
        self.largest = 0

    async def recipient(self, envelope: Envelope, address: str) -> Reply:
        if self.broken:
            raise OSError("the database is away")
        return OK if address.startswith("good") else Reply(550, "5.1.1", "No such address here")

    async def deliver(self, envelope: Envelope, text: Path, size: int) -> list[Reply]:
        if self.broken:
            raise OSError("the database is away")
        raw = text.read_bytes()
        assert len(raw) == size
        self.taken += [(envelope, raw)]
        return [TAKEN for _ in envelope.recipients]


class Client:
    """Says lines and hears answers; a socket's patience is the only clock."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.socket.makefile("rb")

    def say(self, *lines: str | bytes) -> None:
        self.socket.sendall(b"".join(line if isinstance(line, bytes) else f"{line}\r\n".encode() for line in lines))

    def hear(self) -> str:
        """One answer, all of its lines; empty when the other side has hung up."""
        lines = []
        while line := self._line().decode():
            lines.append(line.rstrip())
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    def _line(self) -> bytes:
        try:
            return self.file.readline()
        except ConnectionError:  # hung up before it had read everything
            return b""

    def ask(self, *lines: str | bytes) -> str:
        self.say(*lines)
        return self.hear()

    def secure(self) -> bytes:
        """The handshake; the certificate that was shown (DER), whoever signed it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = secure = context.wrap_socket(self.socket)
        self.file = secure.makefile("rb")
        return secure.getpeercert(binary_form=True) or b""

    def left(self) -> bytes:
        """All that still comes until the other side hangs up, whatever it is."""
        said = b""
        with suppress(ConnectionError):
            while chunk := self.file.read1():
                said += chunk
        return said

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@contextmanager
def listening(answer: Callable[..., Any]) -> Iterator[int]:
    """The port on which connections are given to ``answer``, in a thread of its own."""
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(answer, "127.0.0.1", 0, limit=65_536)

    server = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def connected(desk: Desk, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """A client of a receiver with the desk: ``connected("smtp", size=…, certificate=…)``."""
    with_all: list[Any] = []

    def connect(kind: str = "lmtp", *, certificate: Certificate | None = None, **limits: Any) -> Client:
        told: Any = {"kind": kind, "limits": Limits(**limits), "certificate": certificate}
        receiver = Receiver(desk, name="in.test", spool=tmp_path, **told)
        running = listening(receiver.serve)
        port = running.__enter__()
        client = Client(port)
        client.port = port  # type: ignore[attr-defined]
        with_all.append((client, running))
        assert client.hear().startswith("220 in.test")
        return client

    yield connect
    for client, running in with_all:
        client.close()
        running.__exit__(None, None, None)
