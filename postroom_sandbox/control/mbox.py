"""Reading mbox files: mboxrd, with or without the final newline."""

from __future__ import annotations

import re
from collections.abc import Iterator

from postroom_sandbox.mime.headers import timestamp

_START = re.compile(rb"^From [^\n]*\n?", re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_ENVELOPE = re.compile(rb"From \S+\s+(.*\d{4}.*)")


def split_mbox(data: bytes) -> Iterator[tuple[bytes, int | None]]:
    """Each message's bytes, and the date of its `From ` line when there is one.

    Data that does not begin with `From ` is one single message.
    """
    if not data.startswith(b"From "):
        if data:
            yield data, None
        return
    starts = list(_START.finditer(data))
    ends = [found.start() for found in starts[1:]] + [len(data)]
    for start, end in zip(starts, ends, strict=True):
        body = data[start.end() : end]
        yield _QUOTED.sub(rb"\1", body), _date(start[0])


def _date(line: bytes) -> int | None:
    found = _ENVELOPE.match(line)
    return timestamp(found[1].decode("ascii", "replace").strip()) if found else None
