"""The process above an embedded PostgreSQL: starts it, restarts it, and stops it when its last user is gone.

Runs as a stand-alone script (standard library only, so that it starts in milliseconds) with one argument, a JSON
object: see `Job`. Users of the server hold a shared lock on `users.lock`; a lock disappears with its holder however
that ends, so the guard needs no bookkeeping: once it gets the exclusive lock, nobody is left and the server stops.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

POLL_SECONDS = 0.1
RESTART_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0)
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 60


class Job(TypedDict):
    """What the guard is told: where things lie and how to run the server."""

    base: str
    command: list[str]
    uid: int | None
    gid: int | None


def die_with_parent(sig: int) -> None:
    """Ask Linux to send `sig` to this process when its parent dies; elsewhere do nothing."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, sig)


def is_postmaster(pid: int, data: Path) -> bool:
    """Is `pid` a server working in `data`? (A postmaster's working directory is its data directory.)"""
    proc = Path(f"/proc/{pid}")
    try:
        if proc.parent.is_dir() and Path("/proc/self").exists():
            return (proc / "cwd").readlink() == data
        ps = ["/bin/ps", "-o", "command=", "-p", str(pid)]
        return str(data) in subprocess.run(ps, capture_output=True, text=True, check=False).stdout
    except OSError:
        return False


def disarm_stale_pid_file(data: Path) -> None:
    """Make a left-over `postmaster.pid` harmless without weakening PostgreSQL's own safety check.

    The number in it may by now belong to a stranger (a container's restart reuses numbers), which PostgreSQL takes
    for a running server. Writing our own number keeps the shared memory key in the file, which PostgreSQL still uses
    to find surviving backends, while the number itself counts as stale: a server ignores its own parent.
    A real server that outlived its guard is stopped first.
    """
    pid_file = data / "postmaster.pid"
    try:
        lines = pid_file.read_text().splitlines()
        pid = abs(int(lines[0]))
    except (OSError, ValueError, IndexError):
        pid_file.unlink(missing_ok=True)
        return
    if is_postmaster(pid, data):
        _stop_stranger(pid, data)
    if pid_file.exists():
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")


def _stop_stranger(pid: int, data: Path) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and is_postmaster(pid, data):
        time.sleep(POLL_SECONDS / 2)


def spawn(job: Job) -> subprocess.Popen[bytes]:
    """Start the server as its own user; it dies with us (SIGINT is PostgreSQL's fast, clean shutdown)."""
    data = Path(job["base"]) / "data"
    disarm_stale_pid_file(data)
    uid, gid = job["uid"], job["gid"]
    return subprocess.Popen(
        job["command"],
        cwd=data,
        stdin=subprocess.DEVNULL,
        user=uid,
        group=gid,
        extra_groups=None if gid is None else [],
        preexec_fn=lambda: die_with_parent(signal.SIGINT),
    )


def stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; after a minute the immediate one (the next start then replays the log)."""
    for sig in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(sig)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)


def try_lock(fd: int, *, seconds: float = 0.0) -> bool:
    """Take the lock alone, or give up after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def guard(job: Job) -> int:
    """Run until nobody uses the server any more, or we are told to stop."""
    base = Path(job["base"])
    alive = os.open(base / "guard.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not try_lock(alive, seconds=2):  # somebody who only asks holds it for microseconds
        return 0  # another guard is at work
    os.ftruncate(alive, 0)
    os.write(alive, str(os.getpid()).encode())
    users = os.open(base / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    told_to_stop: list[int] = []
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, lambda number, _frame: told_to_stop.append(number))
    server, failures, started = spawn(job), 0, time.monotonic()
    try:
        while not told_to_stop and not try_lock(users):
            if server.poll() is not None:
                failures = 0 if time.monotonic() - started > 30 else failures
                time.sleep(RESTART_DELAYS[min(failures, len(RESTART_DELAYS) - 1)])
                server, failures, started = spawn(job), failures + 1, time.monotonic()
            time.sleep(POLL_SECONDS)
    finally:
        stop(server)
    return 0


if __name__ == "__main__":
    sys.exit(guard(json.loads(sys.argv[1])))
