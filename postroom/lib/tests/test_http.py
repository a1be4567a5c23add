"""The client: no redirects, bounded answers, and a name."""

from __future__ import annotations

import httpx2
import pytest

from postroom.lib import http


def client_that_answers(answer: httpx2.Response, seen: list[httpx2.Request] | None = None) -> httpx2.Client:
    def handle(request: httpx2.Request) -> httpx2.Response:
        if seen is not None:
            seen.append(request)
        return answer

    return http.client(transport=httpx2.MockTransport(handle))


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    over = client_that_answers(httpx2.Response(302, headers={"Location": "http://169.254.169.254/"}))
    assert over.get("http://x.example/").status_code == 302


def test_we_say_who_we_are() -> None:
    seen: list[httpx2.Request] = []
    client_that_answers(httpx2.Response(200), seen).get("http://x.example/")
    assert seen[0].headers["user-agent"].startswith("Postroom/")


def test_an_answer_up_to_the_limit_is_read_whole() -> None:
    over = client_that_answers(httpx2.Response(200, content=b"x" * 1000, headers={"X-Kept": "yes"}))
    answer = http.fetch(over, "GET", "http://x.example/", max_bytes=1000)
    assert (answer.content, answer.headers["x-kept"]) == (b"x" * 1000, "yes")


def test_a_longer_answer_is_cut_off() -> None:
    over = client_that_answers(httpx2.Response(200, content=b"x" * 1001))
    with pytest.raises(http.AnswerTooLarge):
        http.fetch(over, "GET", "http://x.example/", max_bytes=1000)


def test_what_counts_is_the_size_after_decompression() -> None:
    import gzip

    bomb = httpx2.Response(200, content=gzip.compress(b"0" * 10_000_000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(http.AnswerTooLarge):
        http.fetch(client_that_answers(bomb), "GET", "http://x.example/", max_bytes=100_000)
