"""Remote pictures: whatever a mail names, the answer is a picture or nothing."""

import itertools

import httpx2
import pytest

from postroom.lib import http
from postroom.mail import pictures

PNG = b"\x89PNG\r\n\x1a\n"


def fetch(url: str, answers: dict[str, httpx2.Response] | None = None, *, address: str = "93.184.216.34") -> bytes:
    asked = httpx2.MockTransport(lambda request: (answers or {})[request.url.path])
    with httpx2.Client(transport=asked) as over:
        return pictures.fetch(url, over=over, resolve=lambda host, port: [address]).content


@pytest.mark.parametrize("url", ["http://[", "http://x:99999/a", "ftp://x/a", "http://", "", "http://x:a/", "//x/a"])
def test_what_is_no_web_address_is_no_picture(url: str) -> None:
    with pytest.raises(pictures.NoPicture):
        fetch(url)


@pytest.mark.parametrize("there", ["http://[", "http://x:99999/", "file:///etc/passwd"])
def test_a_redirect_to_nowhere_is_no_picture(there: str) -> None:
    with pytest.raises(pictures.NoPicture):
        fetch("http://x/a", {"/a": httpx2.Response(302, headers={"Location": there})})


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1", "2002:7f00:1::", "0.0.0.0",
     "100.64.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::7f00:1"],
)  # fmt: skip
def test_only_the_public_internet_is_asked(address: str) -> None:
    with pytest.raises(pictures.NoPicture):
        fetch("http://x/a", {"/a": httpx2.Response(200, content=PNG)}, address=address)


def test_a_picture_is_known_by_its_first_bytes_and_a_page_is_none() -> None:
    assert fetch("http://x/a", {"/a": httpx2.Response(200, content=PNG)}) == PNG
    with pytest.raises(pictures.NoPicture):
        fetch("http://x/a", {"/a": httpx2.Response(200, headers={"Content-Type": "image/png"}, content=b"<svg>")})


def test_a_server_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=pictures.SECONDS)
    monkeypatch.setattr(http, "monotonic", lambda: next(clock))
    endless = httpx2.Response(200, content=iter([PNG] * 50))
    with pytest.raises(pictures.NoPicture, match="ReadTimeout"):
        fetch("http://x/a", {"/a": endless})
