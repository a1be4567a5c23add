"""Mail for the tests, and the clock's help to get it there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from postroom_sandbox.testing import Sandbox

ADA, BOB = "ada@contoso.example", "bob@contoso.example"


def raw_message(
    number: int = 1, *, subject: str = "Plan", sender: str = "carol@outside.example", to: str = ADA
) -> bytes:
    """A small message; those with the same subject answer number 1."""
    lines = [
        f"From: Carol <{sender}>",
        f"To: {to}",
        f"Subject: {subject}",
        f"Message-ID: <m{number}@outside.example>",
        f"Date: Fri, 20 Nov 2026 10:{number % 60:02}:00 +0000",
        *(["In-Reply-To: <m1@outside.example>"] if number > 1 else []),
        "",
        f"Message number {number}.",
    ]
    return "\r\n".join(lines).encode()


def deliver_thread(sandbox: Sandbox, address: str, *, count: int) -> None:
    """Delivers `count` messages of one conversation."""
    for number in range(1, count + 1):
        sandbox.deliver(address, raw_message(number, to=address))


def send_everything(sandbox: Sandbox) -> None:
    """Lets everything that waits to be sent go out now."""
    sandbox.world.clock.advance(60)
    sandbox.world.transport.run_due()


@contextmanager
def webhook() -> Iterator[str]:
    """An address that answers Graph's validation and takes notifications."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0].encode()
            self.send_response(200 if token else 202)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(token)))
            self.end_headers()
            self.wfile.write(token)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/notify"
    finally:
        server.shutdown()
        server.server_close()
