"""Remote pictures of a mail, fetched by us when the reader asks: the sender learns our address, not the reader's.

Only the public internet is spoken to: the name is resolved here, every address must be public, and the connection goes
to the very address that was checked. What comes back is a picture by its first bytes, or nothing.
"""

import ipaddress
import socket
from collections.abc import Callable
from functools import cache
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx2

from postroom.lib import http

MAX_BYTES = 10_000_000
MAX_REDIRECTS = 3
SECONDS = 10.0
_SIGNS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}

_CARRY_IPV4 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))  # RFC 6052, RFC 4291 2.5.5.1

Resolve = Callable[[str, int], list[str]]


class NoPicture(Exception):
    """There is nothing to show at this address, or it may not be asked. The text says which."""


class Picture(NamedTuple):
    content_type: str
    content: bytes


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Raises ``OSError``."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@cache
def _client() -> httpx2.Client:
    return http.client(
        read_seconds=SECONDS, trust_env=False, headers={"Accept": "image/*", "User-Agent": "Mozilla/5.0"}
    )


def fetch(url: str, *, over: httpx2.Client | None = None, resolve: Resolve = resolve) -> Picture:
    """The picture at a public address. Raises ``NoPicture``."""
    for _ in range(MAX_REDIRECTS + 1):
        try:
            answer = _ask(url, over or _client(), resolve)
            if not answer.is_redirect:
                break
            url = urljoin(url, answer.headers.get("location", ""))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as trouble:  # what is no URL is a ValueError
            raise NoPicture(type(trouble).__name__) from trouble
    if answer.status_code != 200:
        raise NoPicture(f"answered {answer.status_code}")
    return Picture(_type_of(answer.content), answer.content)


def _ask(url: str, over: httpx2.Client, resolve: Resolve) -> httpx2.Response:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NoPicture("not a web address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _public(resolve(parts.hostname, port))
    literal = f"[{address}]" if ":" in address else address
    target = parts._replace(netloc=f"{literal}:{port}", fragment="").geturl()
    host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    return http.fetch(
        over,
        "GET",
        target,
        max_bytes=MAX_BYTES,
        max_seconds=SECONDS,
        headers={"Host": host},
        extensions={"sni_hostname": parts.hostname},
    )


def _public(addresses: list[str]) -> str:
    """The first address, if all of them belong to the public internet."""
    if not addresses or not all(is_public(one) for one in addresses):
        raise NoPicture("not on the public internet")
    return addresses[0]


def is_public(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if any(ip in network for network in _CARRY_IPV4):
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not ip.is_multicast and (inner is None or inner.is_global)


def kind_of(content: bytes) -> str:
    """The type of a picture by its first bytes (32 are enough); empty when it is none that is shown."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for sign, kind in _SIGNS.items() if content.startswith(sign)), "")


def _type_of(content: bytes) -> str:
    if kind := kind_of(content):
        return kind
    raise NoPicture("not a picture")
