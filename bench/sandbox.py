"""How fast the local Microsoft 365 hands out a mailbox, so that it is never what another benchmark measures.

`python -m bench.sandbox [--size 20000] [--json]`: one JSON line each for pages of messages with bodies and for a delta
round of state fields. The client reads raw bytes over one connection and decodes nothing; the limit is a bare uvicorn
application that answers with the very same bytes from memory.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import pickle
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

OWNER = "robin@northwind.example"
_LINK = re.compile(rb'"@odata\.(?:nextLink|deltaLink)":"([^"]+)"')
_STATE = (
    "id,changeKey,subject,from,toRecipients,receivedDateTime,isRead,isDraft,flag,hasAttachments,categories,"
    "conversationId,internetMessageId,parentFolderId"
)
_JOBS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("sandbox-pages-50", "/v1.0/me/messages?$top=50", {}),
    ("sandbox-pages-100", "/v1.0/me/messages?$top=100", {}),
    (
        "sandbox-spine",
        f"/v1.0/me/mailFolders/inbox/messages/delta?$select={_STATE}",
        {"Prefer": "odata.maxpagesize=500"},
    ),
)


def _fill(home: Path, size: int) -> None:
    from postroom_sandbox import company
    from postroom_sandbox.clock import seconds_of
    from postroom_sandbox.world import World

    world = World(home)
    stream = next(messages for address, messages in company.generate(size="large").mailboxes if address == OWNER)
    with world.operation():
        mailbox = world.mailbox(world.users.add(OWNER, "Robin"))
        mailbox.quiet = True
        for item in islice(stream, size):
            folder = mailbox.tree.at_path(item.folder_path)
            world.transport.file(mailbox, item.raw, folder, received=seconds_of(item.received), is_read=item.is_read)
        world.set_setting("seeded", "yes")
    world.close()


@contextmanager
def _serving(*command: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1].removeprefix("http://")
    finally:
        process.terminate()
        process.wait(10)


def _token(host: str) -> str:
    connection = http.client.HTTPConnection(host)
    connection.request("POST", "/sandbox/tokens", json.dumps({"user": OWNER, "scopes": ["Mail.ReadWrite"]}))
    return str(json.loads(connection.getresponse().read())["access_token"])


def _read(host: str, path: str, headers: dict[str, str]) -> tuple[list[bytes], float]:
    """Every page of a list or of a delta round, and the seconds it took."""
    connection = http.client.HTTPConnection(host)
    pages: list[bytes] = []
    started = time.perf_counter()
    while path:
        connection.request("GET", path, headers=headers)
        pages.append(connection.getresponse().read())
        link = _LINK.search(pages[-1][:4_000])
        path = link[1].decode().partition(host)[2] if link and b"nextLink" in link[0] else ""
    return pages, time.perf_counter() - started


def _read_again(host: str, count: int) -> float:
    connection = http.client.HTTPConnection(host)
    started = time.perf_counter()
    for number in range(count):
        connection.request("GET", f"/{number}")
        connection.getresponse().read()
    return time.perf_counter() - started


def _serve_floor(path: Path) -> None:
    import uvicorn

    from postroom_sandbox.server import listen

    pages: list[bytes] = pickle.loads(path.read_bytes())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = pages[int(scope["path"][1:])]
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})

    listener = listen("127.0.0.1", 0)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def run(size: int) -> Iterator[dict[str, Any]]:
    """One result for each job."""
    with tempfile.TemporaryDirectory() as folder:
        home, kept = Path(folder) / "home", Path(folder) / "pages"
        _fill(home, size)
        with _serving("-m", "postroom_sandbox", "--port", "0", "--home", str(home)) as host:
            token = {"Authorization": f"Bearer {_token(host)}"}
            _read(host, "/v1.0/me/messages?$top=1000&$select=id", token)
            for name, path, headers in _JOBS:
                pages, seconds = _read(host, path, token | headers)
                kept.write_bytes(pickle.dumps(pages))
                with _serving("-m", "bench.sandbox", "--floor", str(kept)) as floor:
                    limit = _read_again(floor, len(pages))
                yield _result(name, path, pages, seconds, limit)


def _result(name: str, path: str, pages: list[bytes], seconds: float, limit: float) -> dict[str, Any]:
    count = sum(page.count(b'"@odata.etag"') for page in pages)
    size = sum(map(len, pages)) / 1e6
    return {
        "name": name,
        "work": f"{count} messages, {len(pages)} pages, {size:.1f} MB of {path.partition('?')[0]}; messages/s",
        "postroom": round(count / seconds),
        "peers": {},
        "ratio": None,
        "limit": round(count / limit),
        "of_limit": round(limit / seconds, 3),
    }


def main(argv: list[str] | None = None) -> int:
    """Prints one JSON line per job."""
    parser = argparse.ArgumentParser(prog="bench.sandbox")
    parser.add_argument("--size", type=int, default=20_000, help="messages in the mailbox")
    parser.add_argument("--json", action="store_true", help="JSON lines (always)")
    parser.add_argument("--floor", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.floor is not None:
        _serve_floor(options.floor)
        return 0
    for result in run(options.size):
        print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
