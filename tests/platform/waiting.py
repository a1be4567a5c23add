"""Homes for real processes, and waiting for what they do without guessing how long it takes."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def eventually(question: Callable[[], T], *, seconds: float = 30.0, what: str = "") -> T:
    """The first true answer. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what or question}")
        time.sleep(0.02)
    return answer


def alive(pid: int) -> bool:
    """Does this process run? (A zombie does not.)"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_of(marker: Path) -> dict[int, str]:
    """Every running process whose command line or working directory names this path: {pid: command line}."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if alive(int(entry.name)) and (str(marker) in command or f"POSTROOM_HOME={marker}\0" in environment):
            found[int(entry.name)] = command
    return found


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home that root's database server may enter too (pytest's own directories are closed to other users).

    At the end, whatever still runs in it is killed.
    """
    home = Path(tempfile.mkdtemp(prefix="postroom-test-"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        kill_all(home)
        shutil.rmtree(home, ignore_errors=True)


def kill_all(home: Path) -> None:
    """End every process that belongs to a home, at once."""
    for pid in processes_of(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: not processes_of(home))
