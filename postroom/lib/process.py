"""What a process of ours knows about its own end."""

from __future__ import annotations

import threading

_stopping = threading.Event()


def stopping() -> bool:
    """Was this process asked to stop? Long work finishes its step, gives back what it holds, and returns."""
    return _stopping.is_set()


def request_stop() -> None:
    """Ask the work of this process to end; called from the signal handler."""
    _stopping.set()


def wait_for_stop(seconds: float) -> bool:
    """Pause, but no longer than until the process is asked to stop; True when it was."""
    return _stopping.wait(seconds)
