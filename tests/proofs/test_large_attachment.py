"""150 MB go out in little memory, and what is lost on the way is sent again, not the whole file (product.md SE5)."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from postroom.files import storage
from postroom.providers.microsoft.upload import PART
from postroom.workspaces.commands import create_workspace

SIZE = 150 * 1024 * 1024
ALLOWED = 120 * 1024  # kilobytes above idle
ACCIDENTS = {7: "before", 19: "after", 20: "before", 33: "after"}  # by part: the connection is lost


class Session:
    """Where the file goes: keeps no byte of it, only how far it came and how much was sent."""

    def __init__(self) -> None:
        self.taken = self.sent = self.parts = self.sessions = 0
        session = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                session.sessions += 1
                self.answer({"uploadUrl": f"http://127.0.0.1:{session.port}/upload"}, 201)

            def do_GET(self) -> None:
                self.answer({"nextExpectedRanges": [f"{session.taken}-"]})

            def do_PUT(self) -> None:
                first, last, size = map(int, re.findall(r"\d+", self.headers["Content-Range"]))
                session.parts += 1
                accident = ACCIDENTS.get(session.parts, "")
                if accident == "before":
                    self.close_connection = True
                    return
                left = int(self.headers["Content-Length"])
                assert left == last - first + 1 and first == session.taken
                while left:
                    left -= len(self.rfile.read(min(left, 65_536)))
                session.taken, session.sent = last + 1, session.sent + last - first + 1
                if accident == "after":
                    self.close_connection = True
                elif session.taken == size:
                    self.answer({}, 201)
                else:
                    self.answer({"nextExpectedRanges": [f"{session.taken}-"]})

            def answer(self, told: dict[str, Any], status: int = 200) -> None:
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port


@pytest.fixture
def session() -> Iterator[Session]:
    found = Session()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join(5)


@pytest.mark.skipif(sys.platform != "linux", reason="what a process uses is read from Linux's /proc")
def test_150_megabytes_take_little_memory_and_go_on_where_they_were_cut_off(db: None, session: Session) -> None:
    piece = os.urandom(1024 * 1024)
    pieces = (piece for _ in range(150))
    blob = storage.store_stream(create_workspace("Northwind"), pieces, content_type="video/mp4")
    try:
        order = {
            "url": f"http://127.0.0.1:{session.port}",
            "workspace": blob.workspace_id,
            "sha256": blob.sha256,
            "size": SIZE,
        }
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "postroom.config.settings_test"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.proofs.uploading", json.dumps(order)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        storage.path(blob).unlink(missing_ok=True)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert said["peak"] - said["idle"] < ALLOWED, said
    assert session.taken == SIZE and session.sessions == 1
    assert session.sent == SIZE  # no byte was taken twice
    assert session.parts == -(-SIZE // PART) + sum(how == "before" for how in ACCIDENTS.values())
    print(f"150 MB: {(said['peak'] - said['idle']) / 1024:.0f} MB above idle")  # noqa: T201
