"""`postroom-sandbox`: the local Microsoft 365 in one command."""

from __future__ import annotations

import argparse
import fcntl
import ipaddress
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from postroom_sandbox.seeding import MailFileError, import_file, seed_company
from postroom_sandbox.server import listen, make_server
from postroom_sandbox.world import DATABASE_NAME, World

DEFAULT_PORT = 8365
_SIZES = ("small", "large")
_SEEDED, _LOCK = "seeded", "lock"


class UsageError(Exception):
    """One clear line for the user, exit code 2."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = _Parser(
        prog="postroom-sandbox", description="A local Microsoft 365: Entra sign-in and Graph mail on one origin."
    )
    made.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default 127.0.0.1)")
    made.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port (default {DEFAULT_PORT}; 0: any free one)")
    made.add_argument("--home", type=Path, help="directory of its state (or POSTROOM_SANDBOX_HOME); none: memory")
    made.add_argument("--company", choices=_SIZES, default="small", help="what an empty sandbox is filled with")
    made.add_argument("--empty", action="store_true", help="start with nobody in it")
    made.add_argument("--mail", type=Path, metavar="FILE.mbox", help="your own mail instead of the generated mailbox")
    made.add_argument("--fresh", action="store_true", help="throw the state away first")
    made.add_argument("--seed", type=int, default=1, help="seed of the generated company (default 1)")
    return made


def main(argv: list[str] | None = None) -> int:
    """Runs until SIGTERM or Ctrl-C. Exit code 2 for bad options or a port in use."""
    options = parser().parse_args(argv)
    try:
        return _run(options)
    except UsageError as error:
        print(f"postroom-sandbox: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    listener = _listener(options.host, options.port)
    home: Path | None = options.home or (Path(found) if (found := os.environ.get("POSTROOM_SANDBOX_HOME")) else None)
    if options.mail is not None and not options.mail.is_file():
        raise UsageError(f"{options.mail} is no file")
    with _only_one(home):
        if options.fresh and home is not None:
            _forget(home)
        world = _open(home)
        try:
            _fill(world, options)
            return _serve(world, listener)
        finally:
            world.close()


def _open(home: Path | None) -> World:
    """The world as it was left; one whose filling was interrupted is thrown away and begun again."""
    try:
        world = World(home)
    except (OSError, sqlite3.Error) as error:
        raise UsageError(f"the home directory cannot be used: {error}") from None
    if home is not None and world.setting(_SEEDED) == "started":
        world.close()
        _forget(home)
        world = World(home)
    return world


@contextmanager
def _only_one(home: Path | None) -> Iterator[None]:
    """Holds the home directory. Raises `UsageError` when another sandbox has it."""
    if home is None:
        yield
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / _LOCK).open("w")
    except OSError as error:
        raise UsageError(f"the home directory cannot be used: {error}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another sandbox is running in {home}") from None
        yield


def _listener(host: str, port: int) -> socket.socket:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise UsageError(f"{host} is no loopback address; the sandbox never listens to a network")
    if not 0 <= port <= 65_535:
        raise UsageError(f"{port} is no port")
    try:
        return listen(host, port)
    except OSError:
        raise UsageError(f"port {port} on {host} is in use; choose another with --port") from None


def _forget(home: Path) -> None:
    """Removes a sandbox's own files; anything else in the directory stays."""
    for path in home.glob(f"{DATABASE_NAME}*"):
        path.unlink()


def _fill(world: World, options: argparse.Namespace) -> None:
    if options.empty or len(world.users):
        return
    with world.operation():
        world.set_setting(_SEEDED, "started")
    seed_company(world, size=options.company, seed=options.seed, without_mail=options.mail is not None)
    if options.mail is not None:
        _own_mail(world, options.mail)
    with world.operation():
        world.set_setting(_SEEDED, "yes")


def _own_mail(world: World, path: Path) -> None:
    try:
        import_file(world, path)
    except MailFileError as error:
        raise UsageError(str(error)) from None


def _serve(world: World, listener: socket.socket) -> int:
    server = make_server(world)
    host, port = listener.getsockname()[:2]
    server.on_ready = lambda: print(f"Sandbox is ready: http://{host}:{port}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
