"""A person at Microsoft's pages, without a browser: picks the account, accepts what is asked, comes back."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx2
from django.test import Client

_FLOW = re.compile(r'name="flow" value="([^"]+)"')
_ACTION = re.compile(r'<form[^>]*action="([^"]+)"')


def sign_in(url: str, address: str, *, decision: str = "accept") -> str:
    """The address Microsoft sends the browser back to, with its code or error."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    with _quiet(), httpx2.Client(base_url=origin, follow_redirects=False, timeout=20) as browser:
        answer = browser.get(url)
        for _ in range(6):
            if answer.status_code in (302, 303):
                where = answer.headers["Location"]
                if not where.startswith(origin):
                    return where
                answer = browser.get(where)
                continue
            flow, action = _FLOW.search(answer.text), _ACTION.search(answer.text)
            assert flow and action, answer.text[:500]
            told = {"flow": flow[1]}
            told |= {"account": address} if 'name="account"' in answer.text else {"decision": decision}
            answer = browser.post(action[1], data=told)
    raise AssertionError("no way out of Microsoft's pages")


@contextmanager
def _quiet() -> Iterator[None]:
    """A browser's requests are in no log of the product's."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def come_back(client: Client, where: str):
    """Open the address in the product's browser."""
    told = urlsplit(where)
    return client.get(f"{told.path}?{told.query}")
