"""A webhook endpoint for tests: answers handshakes, keeps what it was sent, and can be told to misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Webhook:
    """`items` in the order received, `posts` their grouping, `handshakes` the validation calls."""

    def __init__(self) -> None:
        self.url = ""
        self.posts: list[list[dict[str, Any]]] = []
        self.handshakes: list[str] = []
        self.answer_token = lambda token: token
        self.statuses: list[int] = []  # the next answers; 202 when empty
        self.changed = threading.Condition()

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for post in self.posts for item in post]

    def wait(self, count: int, *, seconds: float = 5.0) -> list[dict[str, Any]]:
        """The items, once there are at least `count`."""
        with self.changed:
            arrived = self.changed.wait_for(lambda: len(self.items) >= count, seconds)
        assert arrived, f"only {len(self.items)} of {count} items came: {self.items}"
        return self.items


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A running endpoint on a free port."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = parse_qs(urlsplit(self.path).query).get("validationToken")
            if token:
                hook.handshakes.append(token[0])
                self._answer(200, hook.answer_token(token[0]).encode())
                return
            status = hook.statuses.pop(0) if hook.statuses else 202
            with hook.changed:
                if status < 300:
                    hook.posts.append(json.loads(body)["value"])
                    hook.changed.notify_all()
            self._answer(status, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
