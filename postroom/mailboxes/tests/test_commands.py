"""Connecting without a browser: only with a sandbox on this machine."""

import base64
import json
from collections.abc import Callable

import httpx2
import pytest
from pytest_django import Settings

from postroom.mailboxes import commands
from postroom.mailboxes.models import Mailbox
from postroom.mailboxes.tests.fakes import FakeProvider
from postroom.workspaces.models import Membership

pytestmark = pytest.mark.django_db
Answer = Callable[[int, bytes], None]


def token(address: str = "adele@northwind.example", **changes: object) -> bytes:
    claims = {"tid": "tenant", "oid": "adele", "name": "Adele Vance", "preferred_username": address}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    body = {
        "access_token": "a",
        "refresh_token": "r",
        "expires_in": 4500,
        "id_token": f"h.{payload}.s",
        "scope": "Mail.ReadWrite Mail.Send User.Read",
    }
    return json.dumps({**body, **changes}).encode()


@pytest.fixture
def sandbox(settings: Settings, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Decides what the sandbox answers."""
    settings.MAILBOX_HOOKS = ["postroom.mailboxes.tests.recorder"]
    settings.MICROSOFT_LOGIN_URL = "http://127.0.0.1:8365"

    def answer(status: int, body: bytes) -> None:
        transport = httpx2.MockTransport(lambda request: httpx2.Response(status, content=body))
        monkeypatch.setattr(commands.http, "client", lambda **_: httpx2.Client(transport=transport))

    answer(200, token())
    return answer


def test_the_member_with_that_address_owns_the_mailbox(
    adele: Membership, ben: Membership, sandbox: Answer, told: list[str]
) -> None:
    sandbox(200, token("ben@northwind.example"))
    mailbox = commands.connect_sandbox("Ben@Northwind.example", "12m")
    assert (mailbox.address, mailbox.owner, mailbox.history) == ("ben@northwind.example", ben, "12m")
    assert told == ["connected ben@northwind.example", "history 12m"]


def test_an_address_nobody_has_goes_to_the_first_admin(adele: Membership, sandbox: Answer, told: list[str]) -> None:
    sandbox(200, token("info@northwind.example"))
    assert commands.connect_sandbox("info@northwind.example").owner == adele


def test_doing_it_twice_renews_the_grant(adele: Membership, sandbox: Answer, told: list[str]) -> None:
    first, second = (commands.connect_sandbox("adele@northwind.example") for _ in range(2))
    assert first.pk == second.pk and Mailbox.objects.count() == 1


@pytest.mark.parametrize("url", ["https://login.microsoftonline.com", "http://10.0.0.7:8365", "http://sandbox:8365"])
def test_another_host_than_this_machine_is_refused(
    url: str, adele: Membership, sandbox: Answer, settings: Settings
) -> None:
    settings.MICROSOFT_LOGIN_URL = url
    with pytest.raises(commands.CommandRefused, match="sandbox on this machine"):
        commands.connect_sandbox("adele@northwind.example")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [(404, b"", "no grant"), (200, b"<html>", "no token"), (200, token(id_token="x"), "no token")],
)
def test_what_the_sandbox_refuses_is_said_in_a_line(
    status: int, body: bytes, words: str, adele: Membership, sandbox: Answer
) -> None:
    sandbox(status, body)
    with pytest.raises(commands.CommandRefused, match=words):
        commands.connect_sandbox("adele@northwind.example")
    assert Mailbox.objects.count() == 0


def test_a_wrong_range_is_refused_before_anything_is_asked(adele: Membership) -> None:
    with pytest.raises(commands.CommandRefused, match="30d"):
        commands.connect_sandbox("adele@northwind.example", "7y")


def test_without_a_workspace_it_says_what_to_do(sandbox: Answer) -> None:
    with pytest.raises(commands.CommandRefused, match="postroom demo"):
        commands.connect_sandbox("adele@northwind.example")


def test_the_list_has_a_row_per_mailbox(mailbox: Mailbox, told: list[str], settings: Settings) -> None:
    settings.MAILBOX_HOOKS = ["postroom.mailboxes.tests.recorder"]
    (row,) = commands.list_mailboxes()
    assert (row["address"], row["health"], row["messages"]) == ("adele@northwind.example", "never", 0)


def test_an_unknown_address_is_refused(db: None) -> None:
    with pytest.raises(commands.CommandRefused, match="no mailbox"):
        commands.disconnect("nobody@northwind.example")
