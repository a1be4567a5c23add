"""A world of two companies and a real HTTP server in a thread, for clients that are not ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from ...clock import Clock
from ...company.people import USERS
from ...database import Database
from ...http import ApiError, Request, Response, Route, Router, json_response
from ...users import UserRegistry
from ..jwt import SigningKey
from ..records import KeyRecord
from ..shelf import Shelf

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class TinyWorld(SimpleNamespace):
    """As much of a world as sign-in needs."""

    @contextmanager
    def operation(self) -> Iterator[None]:
        with self.lock:
            yield
        self.db.commit()

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other


def tiny_world(*, frozen: bool = True, database: Database | None = None, key: bool = True) -> Any:
    """A world with everybody of the small company and no mail; the same signing key each time unless `key` is off."""
    database = database or Database()
    users = UserRegistry(database)
    if not len(users):
        for person in USERS:
            users.add(
                person.address, person.name, kind=person.kind, tenant_id=person.tenant_id, aliases=list(person.aliases)
            )
    clock = Clock(frozen_at=START if frozen else None)
    world: Any = TinyWorld(db=database, users=users, clock=clock, lock=threading.RLock())
    if key and not len(keys := Shelf(world, "entra-key", KeyRecord)):
        keys.put("1", KeyRecord(_one_key()))
    return world


@lru_cache(maxsize=1)
def _one_key() -> str:
    return SigningKey.new_pem().decode()


def call(routes: list[Route], request: Request) -> Response:
    """Serves one request the way the app does, errors as Graph's envelope."""
    match = Router(routes).find(request.method, request.segments)
    if match is None or match.handler is None:
        return Response(404)
    try:
        response = match.handler(request, **match.params)
        assert isinstance(response, Response)
        return response
    except ApiError as error:
        body = {"error": {"code": error.code, "message": error.message}}
        return json_response(body, error.status, headers=error.headers)


def request(method: str, url: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Request:
    """A request as the server would hand it on."""
    parts = urlsplit(url)
    lower = {key.lower(): value for key, value in (headers or {}).items()}
    return Request(method, parts.path, parts.query, {"host": "127.0.0.1:8365", **lower}, body)


@contextmanager
def serving(routes: list[Route]) -> Iterator[str]:
    """A server on a free port; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            response = call(routes, request(self.command, self.path, body=body, headers=dict(self.headers.items())))
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
