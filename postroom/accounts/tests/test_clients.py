"""Where requests come from, in few words."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from postroom.accounts import clients


@pytest.mark.parametrize(
    ("agent", "short"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/130.0 Safari/537 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox on Linux"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 500, "x" * 80),
        ("", ""),
    ],
)
def test_a_browser_is_named_in_three_words(agent: str, short: str) -> None:
    assert clients.short_agent(agent) == short


def test_an_address_that_is_none_is_left_out() -> None:
    assert clients.network_address(RequestFactory().get("/", REMOTE_ADDR="unix:")) is None
    assert clients.network_address(RequestFactory().get("/", REMOTE_ADDR="2001:db8::7")) == "2001:db8::7"
