"""What every answer has: strict headers, a page with a reference id for failures, nothing for strangers."""

from __future__ import annotations

import logging

import pytest
from django.db import OperationalError
from django.test import Client

from postroom.config import views

pytestmark = pytest.mark.django_db


def test_pages_allow_nothing_from_elsewhere(client: Client) -> None:
    headers = client.get("/sign-in/").headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]


def test_static_files_change_their_address_with_their_content(client: Client) -> None:
    page = client.get("/sign-in/").content.decode()
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "?v=" in address
    assert client.get(address).status_code == 200


def test_health_needs_no_sign_in(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


def test_an_unexpected_error_shows_a_reference_that_is_in_the_log(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret of a mail")

    monkeypatch.setattr(views.connection, "cursor", fail)
    client.raise_request_exception = False
    logging.getLogger("postroom.web").propagate = True
    response = client.get("/healthz?token=private")
    assert response.status_code == 500
    reference = caplog.records[-1].getMessage().split()[-1]
    assert reference in response.content.decode()
    assert "private" not in caplog.records[-1].getMessage()


def test_a_database_that_is_away_is_said_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(views.connection, "cursor", fail)
    client.raise_request_exception = False
    response = client.get("/healthz")
    assert response.status_code == 503
    assert "database is not answering" in response.content.decode()
