"""Work spread over processes: what each of them says, line by line, as it comes."""

from __future__ import annotations

import selectors
import subprocess
from collections.abc import Iterator, Sequence


def lines(commands: Sequence[Sequence[str]]) -> Iterator[str]:
    """Start every command; all lines of their outputs. What is left running when nobody listens any more is ended."""
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    with selectors.DefaultSelector() as ready:
        for run in runs:
            assert run.stdout is not None
            ready.register(run.stdout, selectors.EVENT_READ)
        try:
            while ready.get_map():
                for key, _ in ready.select():
                    if line := key.fileobj.readline():  # type: ignore[union-attr]
                        yield line
                    else:
                        ready.unregister(key.fileobj)
        finally:
            for run in runs:
                run.terminate()
                run.wait()
