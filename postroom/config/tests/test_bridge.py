"""The bridge between the server and Django: bodies of every size and speed, answers of every kind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from postroom.config.bridge import IN_MEMORY, Bridge

LIMIT = 3_000_000


def scope(*headers: tuple[str, str], method: str = "POST", path: str = "/x", query: str = "") -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


def call(
    application: Callable[..., Iterable[bytes]], request: dict[str, Any], *chunks: bytes | None
) -> list[dict[str, Any]]:
    """Send the chunks (None: the client hangs up) and return what was sent back."""
    messages = [
        {"type": "http.disconnect"} if chunk is None
        else {"type": "http.request", "body": chunk, "more_body": position < len(chunks) - 1}
        for position, chunk in enumerate(chunks or (b"",))
    ]  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    bridge = Bridge(application, threads=2, body_limit=lambda _: LIMIT)
    asyncio.run(bridge(request, receive, send))
    bridge.close()
    return sent


def body_of(sent: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


class Whole(list[bytes]):
    streaming = False


def echo(env: dict[str, Any], start: Callable[..., Any]) -> Whole:
    body = env["wsgi.input"].read()
    start("200 OK", [("Content-Type", "text/plain"), ("X-Length", env["CONTENT_LENGTH"])])
    return Whole([body])


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY, IN_MEMORY + 1, LIMIT])
def test_a_body_arrives_whole_whatever_its_size(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    pieces = [data[:size][i : i + 65_536] for i in range(0, max(size, 1), 65_536)]
    sent = call(echo, scope(), *pieces)
    assert sent[0]["status"] == 200
    assert (b"x-length", str(size).encode()) in sent[0]["headers"]
    assert body_of(sent) == data[:size]


def test_a_body_that_says_it_is_too_large_is_refused_unread() -> None:
    sent = call(echo, scope(("content-length", str(LIMIT + 1))))
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_body_that_turns_out_too_large_is_refused() -> None:
    assert call(echo, scope(), b"x" * LIMIT, b"x")[0]["status"] == 413


def test_nothing_is_done_for_a_client_that_hung_up() -> None:
    ran = threading.Event()

    def application(env: dict[str, Any], start: Callable[..., Any]) -> Whole:
        ran.set()
        return echo(env, start)

    assert call(application, scope(), b"half", None) == []
    assert not ran.is_set()


def test_a_long_answer_comes_in_portions_and_is_closed() -> None:
    closed = threading.Event()

    class Streaming:
        streaming = True

        def __iter__(self) -> Iterable[bytes]:
            return iter([b"x" * 100_000] * 10)

        def close(self) -> None:
            closed.set()

    def application(env: dict[str, Any], start: Callable[..., Any]) -> Streaming:
        start("200 OK", [])
        return Streaming()

    sent = call(application, scope(method="GET"))
    assert body_of(sent) == b"x" * 1_000_000
    assert 3 < len(sent) < 10
    assert sent[-1].get("more_body", False) is False
    assert closed.is_set()


def test_a_head_request_gets_headers_only() -> None:
    assert body_of(call(echo, scope(method="HEAD"), b"body")) == b""


def test_an_underscore_does_not_pass_for_a_dash_and_cookies_are_joined() -> None:
    seen: dict[str, Any] = {}

    def application(env: dict[str, Any], start: Callable[..., Any]) -> Whole:
        seen.update(env)
        return echo(env, start)

    headers = [("x_forwarded_proto", "https"), ("cookie", "a=1"), ("cookie", "b=2"), ("x-tag", "1"), ("x-tag", "2")]
    call(application, scope(*headers, path="/ü/%2F", query="q=%20"))
    assert "HTTP_X_FORWARDED_PROTO" not in seen
    assert (seen["HTTP_COOKIE"], seen["HTTP_X_TAG"]) == ("a=1; b=2", "1,2")
    assert seen["PATH_INFO"].encode("latin-1").decode() == "/ü/%2F"
    assert seen["QUERY_STRING"] == "q=%20"
