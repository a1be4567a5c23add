"""`python -m bench [NAME …] [--size N] [--json]`: what is measured, a JSON line each on stdout.

Each line has `name`, `work` (what was done), `postroom`, `peers` (name -> figure of the same work in the same run),
`ratio` (to the first peer), `limit` (the floor measured in the same run) and `of_limit`; more where it helps.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

BENCHES = {  # name -> module with `run(size)`, default size
    "sandbox": ("bench.sandbox", 20_000),
    "backfill": ("bench.backfill", 0),
    "pages": ("bench.pages", 1_000_000),
    "push": ("bench.push", 200),
    "interaction": ("bench.interaction", 10),
    "open-inboxes": ("bench.open_inboxes", 500),
}


def main(argv: list[str] | None = None) -> int:
    """Runs the named benchmarks, or all. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHES)}; none: all")
    parser.add_argument("--size", type=int, help="how much work: messages in the mailbox, mails sent")
    parser.add_argument("--json", action="store_true", help="JSON lines (always)")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHES)}")
    if options.size is not None and options.size < 1:
        parser.error("--size must be at least 1")
    for name in options.names or BENCHES:
        for result in _run(name, options.size):
            print(json.dumps(result), flush=True)
    return 0


def _run(name: str, size: int | None) -> Iterator[dict[str, Any]]:
    module, usual = BENCHES[name]
    result: Iterator[dict[str, Any]] = import_module(module).run(usual if size is None else size)
    return result


if __name__ == "__main__":
    sys.exit(main())
