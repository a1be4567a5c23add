"""Django's pages on an ASGI server: the body is read first, a thread makes the answer, the loop sends it.

Django's own ASGI handler costs several times more per page (docs/decisions/0002-serving.md), and generic WSGI
bridges keep a thread busy while a slow client uploads or downloads. Here a thread is used only while Python code
works on the request: bodies wait in memory, larger ones in a temporary file, and long answers are pulled in portions.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
WSGIApplication = Callable[..., Iterable[bytes]]

IN_MEMORY = 1_000_000
PORTION = 256 * 1024


class BodyTooLarge(Exception):
    """The request is longer than this caller may send."""


class ClientGone(Exception):
    """The browser hung up before its request was complete."""


class Bridge:
    """An ASGI application (http only) around a WSGI one."""

    def __init__(self, application: WSGIApplication, *, threads: int, body_limit: Callable[[Scope], int]) -> None:
        """`body_limit` says how many bytes a request may have, by its scope."""
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._body_limit = body_limit

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(scope, receive, limit=self._body_limit(scope))
        except BodyTooLarge:
            await send_text(send, 413, "This is larger than Postroom accepts.\n", close=True)
            return
        except ClientGone:
            return
        try:
            await self._answer(environ(scope, body), send, head=scope["method"] == "HEAD")
        finally:
            body.close()

    async def _answer(self, env: dict[str, Any], send: Send, *, head: bool) -> None:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._pool, Answer.make, self._application, env)
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            if answer.whole is not None or head:
                await send({"type": "http.response.body", "body": b"" if head else answer.whole})
                return
            while portion := await loop.run_in_executor(self._pool, answer.portion):
                await send({"type": "http.response.body", "body": portion, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            if answer.whole is None:
                await loop.run_in_executor(self._pool, answer.close)


class Answer:
    """What the application returned: whole when it is at hand, else to be pulled in portions."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.whole: bytes | None = None
        self._result: Iterable[bytes] = ()
        self._chunks: Iterator[bytes] = iter(())

    @classmethod
    def make(cls, application: WSGIApplication, env: dict[str, Any]) -> Answer:
        """Run the application; called in a thread."""
        answer = cls()
        answer._result = application(env, answer._start)
        if getattr(answer._result, "streaming", True):  # Django's own answers say whether they are
            answer._chunks = iter(answer._result)
        else:
            try:
                answer.whole = b"".join(answer._result)
            finally:
                answer.close()
        return answer

    def _start(self, status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> Callable[..., None]:
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return lambda data: None  # the write() of WSGI's childhood; Django does not call it

    def portion(self) -> bytes:
        """The next bytes, empty at the end; called in a thread."""
        parts, size = [], 0
        for chunk in self._chunks:
            parts.append(chunk)
            size += len(chunk)
            if size >= PORTION:
                break
        return b"".join(parts)

    def close(self) -> None:
        """Django's end of request: signals, connections back; called in a thread."""
        close = getattr(self._result, "close", None)
        if close is not None:
            close()


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> IO[bytes]:
    """The whole request body, rewound. Raises BodyTooLarge (before reading where the length is said) or ClientGone."""
    with suppress(ValueError):
        if int(header(scope, b"content-length") or 0) > limit:
            raise BodyTooLarge
    body: IO[bytes] = io.BytesIO()
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            body.close()
            raise ClientGone
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            body.close()
            raise BodyTooLarge
        if size > IN_MEMORY and isinstance(body, io.BytesIO):
            body = _moved_to_disk(body)
        body.write(chunk)
    body.seek(0)
    return body


def _moved_to_disk(body: io.BytesIO) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the bridge, after the answer
    file.write(body.getbuffer())
    body.close()
    return file


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that (lower-case) name."""
    return next((value for key, value in scope["headers"] if key == name), None)


def environ(scope: Scope, body: IO[bytes]) -> dict[str, Any]:
    """A WSGI environment (PEP 3333) for an ASGI scope."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    body.seek(0, io.SEEK_END)
    length = body.tell()
    body.seek(0)
    env: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:
            continue  # X_Forwarded_Proto must not pass for X-Forwarded-Proto
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        joiner = "; " if key == "HTTP_COOKIE" else ","
        env[key] = f"{env[key]}{joiner}{value}" if key in env else value
    env["CONTENT_LENGTH"] = str(length)  # also right for chunked uploads
    return env


async def send_text(send: Send, status: int, text: str, *, close: bool = False) -> None:
    """A short plain answer."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text.encode())).encode())]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
