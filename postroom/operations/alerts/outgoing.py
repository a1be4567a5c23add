"""Posting to an address that a member typed in: only the public internet, signed, no redirects.

The name is resolved here, every address must be public, and the connection goes to the very address that was checked:
a name that changes its mind in between leads nowhere. Hosts the operator named in POSTROOM_ALERT_HOSTS may be private.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

import httpx2
from django.conf import settings

from postroom.lib import http
from postroom.mail.pictures import is_public, resolve

SECONDS = 10.0
MAX_ANSWER = 64_000
Resolve = Callable[[str, int], list[str]]


class NotDelivered(Exception):
    """The text says why, in words for a settings page; no address of the inside is in it."""


def new_salt() -> str:
    return secrets.token_urlsafe(16)


def signing_secret(workspace_id: int, salt: str) -> str:
    """What the receiver checks signatures with; derived, so that it is stored nowhere."""
    key = hmac.new(settings.SECRET_KEY.encode(), f"alert webhook {workspace_id} {salt}".encode(), hashlib.sha256)
    return "whsec_" + base64.urlsafe_b64encode(key.digest()).decode().rstrip("=")


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 over "<seconds>.<body>"."""
    made = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={made}"


def check_url(url: str) -> SplitResult:
    """Raises NotDelivered for what is no https address (http for hosts the operator named)."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise NotDelivered("this is no web address") from None
    named = host in settings.POSTROOM_ALERT_HOSTS
    if not host or parts.username or parts.password or not url.isprintable() or " " in url or port == 0:
        raise NotDelivered("this is no web address")
    if parts.scheme != "https" and not (named and parts.scheme == "http"):
        raise NotDelivered("the address must begin with https://")
    return parts


def post(
    url: str, body: bytes, *, secret: str, delivery: int, over: httpx2.Client | None = None, resolve: Resolve = resolve
) -> None:
    """Deliver once. Raises NotDelivered."""
    parts = check_url(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = _allowed(host, port, resolve)
    literal = f"[{address}]" if ":" in address else address
    target = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
    headers = {
        "Host": host if parts.port is None else f"{host}:{parts.port}",
        "Content-Type": "application/json",
        "Postroom-Signature": signature(secret, body, int(time.time())),
        "Postroom-Delivery": str(delivery),
    }
    client = over or http.client(read_seconds=SECONDS, trust_env=False)
    try:
        answer = http.fetch(
            client, "POST", target, max_bytes=MAX_ANSWER, max_seconds=SECONDS, content=body, headers=headers,
            extensions={"sni_hostname": host},
        )  # fmt: skip
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as problem:
        raise NotDelivered(f"no answer ({type(problem).__name__})") from None
    finally:
        if over is None:
            client.close()
    if not 200 <= answer.status_code < 300:
        raise NotDelivered(f"it answered {answer.status_code}")


def _allowed(host: str, port: int, resolve: Resolve) -> str:
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError):
        raise NotDelivered("its name is not known") from None
    if host.lower() not in settings.POSTROOM_ALERT_HOSTS and not all(is_public(one) for one in addresses):
        raise NotDelivered("it is not on the public internet")
    if not addresses:
        raise NotDelivered("its name is not known")
    return addresses[0]
