"""The one way to speak HTTP to the outside: time-outs, no redirects, no proxy surprises, answers of a bounded size.

Connectors get their client here. It is safe to share between threads; make one per process and purpose and keep it, so
that connections are used again.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import httpx2

from postroom import __version__

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0  # Graph answers a large page in up to 30 s
MAX_ANSWER_BYTES = 200_000_000  # attachments to 150 MB, base64 included
USER_AGENT = f"Postroom/{__version__}"


class AnswerTooLarge(httpx2.RequestError):
    """The answer was cut off because it was longer than the caller allows."""


def client(*, connections: int = 32, read_seconds: float = READ_SECONDS, **options: Any) -> httpx2.Client:
    """A synchronous client. `options` go to `httpx2.Client` (base_url, transport, headers …)."""
    headers = {"User-Agent": USER_AGENT, **options.pop("headers", {})}
    return httpx2.Client(
        timeout=httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30),
        follow_redirects=False,
        trust_env=options.pop("trust_env", True),
        headers=headers,
        **options,
    )


def fetch(
    over: httpx2.Client,
    method: str,
    url: str,
    *,
    max_bytes: int = MAX_ANSWER_BYTES,
    max_seconds: float = float("inf"),
    **options: Any,
) -> httpx2.Response:
    """One request whose answer is read whole, but never more than `max_bytes` (after decompression), and not for more
    than `max_seconds` from a server that trickles: the client's own time-out only limits each pause.

    Raises AnswerTooLarge, and httpx2's errors for everything else.
    """
    end = monotonic() + max_seconds
    with over.stream(method, url, **options) as response:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > max_bytes:
                raise AnswerTooLarge(f"more than {max_bytes} bytes", request=response.request)
            if monotonic() > end:
                raise httpx2.ReadTimeout(f"more than {max_seconds} seconds", request=response.request)
            chunks.append(chunk)
    headers = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in _DECODED]
    return httpx2.Response(response.status_code, headers=headers, content=b"".join(chunks), request=response.request)


_DECODED = {"content-encoding", "content-length", "transfer-encoding"}  # no longer true of the content we hold
