"""`postroom dropbox`: the process that takes mail."""

from __future__ import annotations

import asyncio
import logging
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from postroom.dropbox import policy
from postroom.dropbox.reception import Reception
from postroom.dropbox.smtp import Kind, Limits, Receiver
from postroom.dropbox.tls import Certificate
from postroom.dropbox.wire import CHUNK

log = logging.getLogger(__name__)
ABANDONED = 7_200  # seconds; no mail takes so long to arrive
SOCKET_MODE = 0o666  # who may use a socket file is decided by the directory it lies in


class Door(NamedTuple):
    """Where to listen, and for what: ``lmtp``, ``smtp`` or ``policy`` at ``host:port`` or ``/a/socket/file``."""

    kind: str
    place: str


USUAL = (Door("lmtp", "127.0.0.1:8024"), Door("policy", "127.0.0.1:8025"))


def run(doors: Sequence[Door], *, ready: Callable[[list[str]], None] = lambda _: None) -> None:
    """Take mail until SIGTERM or Ctrl-C. ``ready`` hears where. Raises ``OSError`` when a place cannot be had,
    ``tls.Unusable`` for a certificate that cannot be used."""
    asyncio.run(_run(doors, ready))


async def _run(doors: Sequence[Door], ready: Callable[[list[str]], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop.set)
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(await listen(door)) for door in doors]
        ready([f"{door.kind} {place(server)}" for door, server in zip(doors, servers, strict=True)])
        await stop.wait()
        for server in servers:
            server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()  # nobody was told that an unfinished mail is taken: it comes again


async def listen(door: Door, *, limits: Limits | None = None) -> asyncio.Server:
    """A listening server. Raises ``OSError``, ``ValueError`` for a place that is none."""
    answer = handler(door.kind, limits=limits)
    if door.place.startswith("/"):
        Path(door.place).unlink(missing_ok=True)
        server = await asyncio.start_unix_server(answer, door.place, limit=CHUNK)
        Path(door.place).chmod(SOCKET_MODE)
        return server
    host, _, port = door.place.rpartition(":")
    return await asyncio.start_server(answer, host.strip("[]") or "127.0.0.1", int(port), limit=CHUNK)


def handler(kind: str, *, limits: Limits | None = None) -> Callable[..., Any]:
    """What a new connection is given to."""
    if kind == "policy":
        return partial(policy.serve, Reception())
    told: Kind = "lmtp" if kind == "lmtp" else "smtp"
    limits = limits or Limits(size=settings.POSTROOM_DROPBOX_SIZE)
    name, taken = settings.POSTROOM_DROPBOX_DOMAIN, certificate() if told == "smtp" else None
    return Receiver(Reception(), kind=told, name=name, spool=spool(), limits=limits, certificate=taken).serve


def certificate() -> Certificate | None:
    """What the plain SMTP listener offers STARTTLS with; a mail server before us needs none.

    Raises ``tls.Unusable``.
    """
    chain, key = settings.POSTROOM_DROPBOX_CERTIFICATE, settings.POSTROOM_DROPBOX_KEY
    return Certificate(Path(chain).expanduser(), Path(key).expanduser()) if chain and key else None


def spool() -> Path:
    """Where texts lie while they arrive. What a process left there that was killed belongs to nobody."""
    place = Path(settings.MEDIA_ROOT) / "taking"
    place.mkdir(parents=True, exist_ok=True)
    for left in place.glob("taking-*"):
        if time.time() - left.stat().st_mtime > ABANDONED:
            left.unlink(missing_ok=True)
    with tempfile.TemporaryFile(dir=place):  # a full or read-only disk is told now
        pass
    return place


def place(server: asyncio.Server) -> str:
    name = server.sockets[0].getsockname()
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
