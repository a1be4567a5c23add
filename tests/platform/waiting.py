"""Waiting for something to become true, without guessing how long it takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
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
