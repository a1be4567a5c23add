"""The record of every Graph and Entra exchange, bounded in memory, tokens masked when it is read."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from postroom_sandbox.http import Request, Response

MASK = "***"
_SECRET_HEADERS = {"authorization", "cookie", "set-cookie"}
_SECRET_FIELDS = {
    "access_token", "refresh_token", "id_token", "code", "client_secret", "client_assertion", "code_verifier",
}  # fmt: skip
_SECRET_IN_URL = re.compile(r"\b(code|client_secret|access_token|refresh_token|id_token)=[^&#]*")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, by reference."""

    n: int
    t: float
    request: Request
    response: Response
    mailbox: str

    @property
    def size(self) -> int:
        """Bytes it keeps alive."""
        return len(self.request.body) + len(self.response.body) + 2_000


class Traffic:
    """The newest exchanges, up to `max_bytes`. Keeping one costs nothing but memory; JSON is made on reading."""

    def __init__(self, *, max_bytes: int = 192 * 1024 * 1024) -> None:
        self.enabled = True
        self.max_bytes = max_bytes
        self.count = 0
        self._kept: deque[Exchange] = deque()
        self._bytes = 0

    def add(self, request: Request, response: Response, *, mailbox: str, t: float) -> None:
        """Records an exchange; the oldest make room."""
        self.count += 1
        if not self.enabled:
            return
        exchange = Exchange(self.count, t, request, response, mailbox)
        self._kept.append(exchange)
        self._bytes += exchange.size
        while self._bytes > self.max_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.popleft().size

    def clear(self) -> None:
        """Forgets what was recorded; numbering goes on."""
        self._kept.clear()
        self._bytes = 0

    def lines(self, since: int = 0) -> Iterator[bytes]:
        """Exchanges with `n > since` as JSON lines (interfaces.md)."""
        for exchange in list(self._kept):
            if exchange.n > since:
                yield json.dumps(_shown(exchange), ensure_ascii=True).encode() + b"\n"


def _shown(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    return {
        "n": exchange.n,
        "method": request.method,
        "url": _SECRET_IN_URL.sub(rf"\1={MASK}", request.url),
        "request_headers": _masked(list(request.headers.items())),
        "request_body": _body(request.body, request.headers.get("content-type", "")),
        "status": response.status,
        "response_headers": _masked(response.headers),
        "response_body": _body(response.body, response.header("content-type") or ""),
        "mailbox": exchange.mailbox or None,
        "t": exchange.t,
    }


def _masked(headers: list[tuple[str, str]]) -> dict[str, str]:
    shown: dict[str, str] = {}
    for name, value in headers:
        if name.lower() in _SECRET_HEADERS:
            value = f"{value.split(' ')[0]} {MASK}" if name.lower() == "authorization" else MASK
        shown[name] = _SECRET_IN_URL.sub(rf"\1={MASK}", value) if name.lower() == "location" else value
    return shown


def _body(body: bytes, content_type: str) -> Any:
    if not body:
        return None
    if "json" in content_type:
        try:
            return _without_secrets(json.loads(body))
        except (ValueError, RecursionError):
            return None
    if "x-www-form-urlencoded" in content_type:
        pattern = re.compile(rf"\b({'|'.join(_SECRET_FIELDS)})=[^&]*")
        return pattern.sub(rf"\1={MASK}", body.decode("utf-8", "replace"))
    return body.decode("utf-8", "replace") if content_type.startswith("text/plain") else None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict) and not _SECRET_FIELDS.isdisjoint(value) and "error" not in value:
        secret = {"access_token", "refresh_token", "id_token"}
        return {key: MASK if key in secret else item for key, item in value.items()}
    return value
