"""`postroom demo`: database, sandbox, web and worker in one command, kept running until it is told to stop.

    lock the home -> take the ports -> sandbox, database -> migrate and seed -> web and worker -> ready -> watch

The listening socket of the web process is ours and handed down, so a killed web process costs a pause, not an error.
Everything the other commands need to find the running demo is in `demo.env` in the home.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from postroom.config import seeding
from postroom.config.children import Child, stop_all
from postroom.config.env import DEMO_FILE, read_env_file
from postroom.config.serve import bind
from postroom.lib.crypto import generate_key
from postroom.lib.postgres import PostgresServer

HOST = "127.0.0.1"
WEB_PORT, SANDBOX_PORT = 8000, 8365
# The sandbox's registered application; public, it opens nothing but the sandbox.
SANDBOX_CLIENT_ID = "8f6c2b1e-4d7a-4c53-9e21-6b0d5a3f7c90"
SANDBOX_CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105
READY_SECONDS = 120.0
WATCH_SECONDS = 0.25
KEPT_SECRETS = ("POSTROOM_SECRET_KEY", "POSTROOM_ENCRYPTION_KEYS")


class DemoError(Exception):
    """The demo cannot start; one line for the person who asked."""


@dataclass(frozen=True)
class Options:
    """What `postroom demo` was asked for; a port of None means "the usual one, or any free one"."""

    home: Path
    port: int | None = None
    sandbox_port: int | None = None
    fresh: bool = False
    open_browser: bool = True
    mail: Path | None = None


class Demo:
    """The supervisor. `run()` returns the exit code."""

    def __init__(self, options: Options, say: Callable[[str], None] = print) -> None:
        self._options = options
        self._say = say
        self._stopping = False
        self._children: list[Child] = []
        self._server = PostgresServer(options.home)

    def run(self) -> int:
        """Everything, until SIGTERM or Ctrl-C. Raises DemoError before anything was started."""
        lock = take_lock(self._options.home)
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sig, lambda *_: setattr(self, "_stopping", True))
        try:
            self._prepare_home()
            listening = self._take_port("--port", self._options.port, WEB_PORT)
            sandbox_port = self._sandbox_port()
            environment = self._environment(listening.getsockname()[1], sandbox_port)
            self._start(environment, listening, sandbox_port)
            self._watch()
        finally:
            self._stop()
            os.close(lock)
        return 0

    # -- before ------------------------------------------------------------------------------------------------

    def _prepare_home(self) -> None:
        home = self._options.home
        if self._options.fresh:
            self._server.destroy()
            for name in ("sandbox", "files", "log"):
                shutil.rmtree(home / name, ignore_errors=True)
            (home / DEMO_FILE).unlink(missing_ok=True)
        (home / "log").mkdir(parents=True, exist_ok=True)

    def _take_port(self, option: str, asked: int | None, usual: int) -> socket.socket:
        """The asked port or a DemoError; without a wish the usual one, or with a word about it any free one."""
        try:
            return bind(HOST, usual if asked is None else asked)
        except OSError as problem:
            if asked is not None:
                raise DemoError(f"Port {asked} cannot be used ({problem.strerror}): choose another {option}.") from None
            free = bind(HOST, 0)
            self._say(f"Port {usual} is in use; taking {free.getsockname()[1]} instead.")
            return free

    def _sandbox_port(self) -> int:
        with self._take_port("--sandbox-port", self._options.sandbox_port, SANDBOX_PORT) as probe:
            return int(probe.getsockname()[1])

    def _environment(self, port: int, sandbox_port: int) -> dict[str, str]:
        """Settings of this demo, kept in the home: secrets stay, addresses follow the ports."""
        path = self._options.home / DEMO_FILE
        kept = read_env_file(path)
        sandbox = f"http://{HOST}:{sandbox_port}"
        settings = {
            "POSTROOM_SECRET_KEY": kept.get(KEPT_SECRETS[0]) or secrets.token_urlsafe(48),
            "POSTROOM_ENCRYPTION_KEYS": kept.get(KEPT_SECRETS[1]) or generate_key(),
            "POSTROOM_PUBLIC_URL": f"http://{HOST}:{port}",
            "MICROSOFT_CLIENT_ID": SANDBOX_CLIENT_ID,
            "MICROSOFT_CLIENT_SECRET": SANDBOX_CLIENT_SECRET,
            "MICROSOFT_TENANT": "common",
            "MICROSOFT_LOGIN_URL": sandbox,
            "MICROSOFT_GRAPH_URL": sandbox,
        }
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        new.replace(path)
        own = {"POSTROOM_HOME": str(self._options.home), "POSTROOM_DEMO": "1", "DATABASE_URL": ""}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MICROSOFT_")}
        return {**inherited, **settings, **own, "DJANGO_SETTINGS_MODULE": "postroom.config.settings"}

    # -- start -------------------------------------------------------------------------------------------------

    def _start(self, environment: dict[str, str], listening: socket.socket, sandbox_port: int) -> None:
        sandbox = self._child("sandbox", sandbox_command(self._options, sandbox_port), environment)
        sandbox.start()
        self._server.start()
        os.environ.update(environment)
        seeding.prepare_database()
        self._await("sandbox", f"{environment['MICROSOFT_LOGIN_URL']}/sandbox/company")
        seeding.seed_from_sandbox(environment["MICROSOFT_LOGIN_URL"], with_records=self._options.mail is None)
        command = [sys.executable, "-m", "postroom.config.cli"]
        serve = [*command, "serve", "--socket", str(listening.fileno())]
        self._child("web", serve, environment, sockets=[listening]).start()
        self._child("worker", [*command, "worker"], environment).start()
        url = environment["POSTROOM_PUBLIC_URL"]
        self._await("web", f"{url}/healthz")
        if not self._stopping:
            self._announce(url, environment["MICROSOFT_LOGIN_URL"])

    def _child(
        self, name: str, command: list[str], environment: dict[str, str], sockets: list[socket.socket] | None = None
    ) -> Child:
        child = Child(name, command, environment, self._options.home / "log" / f"{name}.log", sockets or [])
        self._children.append(child)
        return child

    def _await(self, name: str, url: str) -> None:
        """Until `url` answers; children that die meanwhile are started again, a few times."""
        child = next(child for child in self._children if child.name == name)
        deadline = time.monotonic() + READY_SECONDS
        while not self._stopping and not answers(url):
            self._mend()
            if child.failures > 3 or time.monotonic() > deadline:
                tail = child.log.read_text(errors="replace").strip().splitlines()[-1:] or ["no output"]
                raise DemoError(f"The {name} process does not come up: {tail[0][:300]} (log: {child.log})")
            time.sleep(0.1)

    def _announce(self, url: str, sandbox: str) -> None:
        sign_in = f"{url}/demo/sign-in?as={seeding.FIRST_MEMBER}"
        self._say(f"Postroom is ready: {url}")
        self._say(f"  Sign in with one click:            {sign_in}")
        self._say(f"  The other side (local Microsoft):  {sandbox}/")
        self._say("  Ctrl-C stops everything; the next start continues here.")
        sys.stdout.flush()
        if self._options.open_browser and (sys.platform == "darwin" or os.environ.get("DISPLAY")):
            webbrowser.open(sign_in)

    # -- while it runs, and after ------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopping:
            self._server.ensure_running()
            self._mend()
            time.sleep(WATCH_SECONDS)

    def _mend(self) -> None:
        for child in self._children:
            if line := child.mend():
                self._say(line)

    def _stop(self) -> None:
        stop_all(self._children)
        seeding.release_database()
        self._server.stop()


def take_lock(home: Path) -> int:
    """One demo per home. Raises DemoError when one runs."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise DemoError(
            f"{home} cannot be used ({problem.strerror}): set POSTROOM_HOME to a directory of yours."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        running = read_env_file(home / DEMO_FILE).get("POSTROOM_PUBLIC_URL", "another terminal")
        raise DemoError(f"Postroom is already running with {home}: see {running}, or set POSTROOM_HOME.") from None
    return lock


def answers(url: str) -> bool:
    """Does something answer this address with success?"""
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310 - our own loopback address
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def sandbox_command(options: Options, port: int) -> list[str]:
    """How the local Microsoft 365 is started; it keeps its state in our home."""
    command = [sys.executable, "-m", "postroom_sandbox", "--port", str(port), "--home", str(options.home / "sandbox")]
    return [*command, *(["--mail", str(options.mail)] if options.mail else [])]
