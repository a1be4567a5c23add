"""What a process of ours knows about its own end, and about its place on the machine."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import suppress
from pathlib import Path

_SESSION = Path("/proc/self/autogroup")
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


def keep_what_is_loaded() -> None:
    """Called once all a process needs is loaded: none of that is ever garbage.

    Python looked through all of it every now and then, a fifth of a second in the middle of somebody's request. What
    comes later is looked through somewhat less often than usual; seldom would be worse: to free what has gathered
    after fifty thousand objects takes a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 20)


def give_way(nice: int) -> None:
    """Let the other processes of this machine come first; called once, before work begins.

    Linux may share the processor between sessions first, and niceness then counts only within one of them
    (sched(7), "The autogroup feature"): a session that is ours alone is lowered as a whole.
    """
    with suppress(OSError):
        os.nice(nice)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            _SESSION.write_text(str(nice))
