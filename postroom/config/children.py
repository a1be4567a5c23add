"""Child processes that are kept alive: started again when they die, gone when we are gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from postroom.lib.postgres_guard import die_with_parent

RESTART_DELAYS = (0.1, 0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS = 20.0
STOP_SECONDS = 15.0


@dataclass
class Child:
    """One process of a name, whatever its current number."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    sockets: Sequence[socket.socket] = ()
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    _started: float = 0.0
    _due: float = field(default=0.0)

    def start(self) -> None:
        """Start it. On Linux it gets SIGTERM when we die, however that happens."""
        parent = os.getpid()

        def prepare() -> None:
            die_with_parent(signal.SIGTERM)
            if os.getppid() != parent:  # we died between fork and here
                os._exit(1)

        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[s.fileno() for s in self.sockets],
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop the children in order
                preexec_fn=prepare,
            )
        self._started = time.monotonic()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def mend(self) -> str:
        """Start again what has died, with growing patience. Returns a line to show, or ""."""
        if self.running:
            return ""
        now = time.monotonic()
        if not self._due:
            code = self.process.returncode if self.process else None
            self.failures = 1 if now - self._started > STEADY_SECONDS else self.failures + 1
            self._due = now + RESTART_DELAYS[min(self.failures, len(RESTART_DELAYS)) - 1]
            return f"The {self.name} process ended ({_why(code)}); it starts again. Its log: {self.log}"
        if now >= self._due:
            self._due = 0.0
            self.start()
        return ""

    def ask_to_stop(self) -> None:
        if self.process is not None and self.running:
            self.process.terminate()

    def wait_stopped(self, deadline: float) -> None:
        """Wait until it has ended; at the deadline it is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def stop_all(children: Sequence[Child]) -> None:
    """Ask all at once, then wait for each."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.wait_stopped(deadline)


def _why(code: int | None) -> str:
    if code is None:
        return "never started"
    if code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
