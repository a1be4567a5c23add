"""The processes of a small installation: a local Microsoft 365, a database of its own, one web process, workers.

Everything lives in one directory and is reached over loopback; every process is ours and ends with us.
"""

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from postroom.config.children import Child, stop_all
from postroom.config.demo import SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET, answers
from postroom.config.serve import bind
from postroom.lib.crypto import generate_key
from postroom.lib.postgres import PostgresServer

READY_SECONDS = 120.0
POSTROOM = [sys.executable, "-m", "postroom.config.cli"]


@dataclass
class Town:
    """``up()`` starts everything but the workers; ``down()`` ends it all."""

    home: Path
    workers: int
    web: str = ""
    sandbox: str = ""
    kills: int = 0
    _listening: socket.socket | None = None
    _environment: dict[str, str] = field(default_factory=dict)
    _children: list[Child] = field(default_factory=list)
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=600))

    def __post_init__(self) -> None:
        self.home.chmod(0o711)  # a database server started by root runs as somebody else, who has to pass
        self.database = PostgresServer(self.home)

    # -- up and down

    def up(self) -> None:
        self._listening = bind("127.0.0.1", 0)
        with bind("127.0.0.1", 0) as probe:
            port = probe.getsockname()[1]
        self.web = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.sandbox = f"http://127.0.0.1:{port}"
        self._environment = self._settings()
        self._child("sandbox", [sys.executable, "-m", "postroom_sandbox", "--empty", "--port", str(port)]).start()
        self.database.start()
        self.postroom("migrate")
        os.environ.update(self._environment)
        self._wait(lambda: answers(f"{self.sandbox}/sandbox/company"), "the local Microsoft 365")
        web = self._child("web", [*POSTROOM, "serve", "--socket", str(self._listening.fileno())])
        web.sockets = [self._listening]
        web.start()
        self._wait(lambda: answers(f"{self.web}/healthz"), "the web process")
        for number in range(1, self.workers + 1):
            self._child(f"worker {number}", [*POSTROOM, "worker"]).start()

    def down(self) -> None:
        stop_all(self._children)
        if self._listening is not None:
            self._listening.close()
        self.database.destroy()

    def _settings(self) -> dict[str, str]:
        ours = ("POSTROOM_", "MICROSOFT_", "DJANGO_", "DATABASE_URL")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "POSTROOM_HOME": str(self.home),
            "POSTROOM_SECRET_KEY": secrets.token_urlsafe(48),
            "POSTROOM_ENCRYPTION_KEYS": generate_key(),
            "POSTROOM_PUBLIC_URL": self.web,
            "POSTROOM_LOG_LEVEL": "WARNING",
            "DATABASE_URL": "",
            "MICROSOFT_CLIENT_ID": SANDBOX_CLIENT_ID,
            "MICROSOFT_CLIENT_SECRET": SANDBOX_CLIENT_SECRET,
            "MICROSOFT_TENANT": "common",
            "MICROSOFT_LOGIN_URL": self.sandbox,
            "MICROSOFT_GRAPH_URL": self.sandbox,
            "DJANGO_SETTINGS_MODULE": "postroom.config.settings",
        }

    def _child(self, name: str, command: list[str]) -> Child:
        child = Child(name, command, self._environment, self.home / f"{name.replace(' ', '-')}.log")
        self._children.append(child)
        return child

    def _wait(self, question: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not question():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what} does not come up (logs in {self.home})")
            time.sleep(0.1)

    # -- accidents

    def mend(self) -> None:
        """Start again what has died, as a supervisor does."""
        for child in self._children:
            child.mend()

    def kill_a_worker(self, pick: random.Random) -> None:
        """SIGKILL for a random worker that runs."""
        running = [one for one in self._children if one.name.startswith("worker") and one.running]
        if running:
            victim = pick.choice(running)
            assert victim.process is not None
            os.killpg(victim.process.pid, signal.SIGKILL)
            self.kills += 1

    def restart_database(self) -> float:
        """The server is told to shut down, whoever is connected, and started again. Returns the seconds it was away."""
        began = time.monotonic()
        pid = int((self.database.data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGINT)
        while Path(f"/proc/{pid}").exists() and time.monotonic() - began < READY_SECONDS:
            time.sleep(0.02)
        self.database.ensure_running()
        return time.monotonic() - began

    # -- talking to it

    def postroom(self, *arguments: str) -> str:
        """One command of the installation. Raises RuntimeError when it fails."""
        done = subprocess.run(
            [*POSTROOM, *arguments], env=self._environment, capture_output=True, text=True, timeout=600
        )
        if done.returncode:
            raise RuntimeError(f"postroom {' '.join(arguments)}: {done.stderr or done.stdout}"[-2000:])
        return done.stdout

    def control(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self.http.request(method, self.sandbox + path, **options).raise_for_status()

    def theirs(self, address: str) -> list[str]:
        return self.control("GET", f"/sandbox/mailboxes/{address}/dump").text.split("\n")[:-1]

    def ours(self, address: str) -> list[str]:
        return self.postroom("mailbox", "dump", address).split("\n")[:-1]

    def posts(self) -> list[dict[str, Any]]:
        """Every POST to our endpoint that the other side's log still holds, with `ms` and `status`."""
        lines = self.control("GET", "/sandbox/notifications?since=0").text.splitlines()
        return [one for one in map(json.loads, lines) if one["kind"] == "notification"]
