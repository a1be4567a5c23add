"""Odd, broken and hostile mail: all of it arrives, the dumps agree, and every message opens (issue: "Bad input")."""

from collections.abc import Iterable

import pytest
from django.test import Client
from django.urls import reverse

from postroom.mail.models import Folder, Message
from postroom.mailboxes.models import Mailbox
from postroom.sync.models import Quarantined
from tests.mirror import corpus
from tests.mirror.opening import open_all
from tests.proofs.together import ADDRESS, Together

BIG = 10_000_000  # bytes of the largest message; the full run takes 150 MB
SOME = 12  # of the torture set's messages, one in so many
DEEP = 12


@pytest.fixture
def client(both: Together, client: Client) -> Client:
    client.force_login(both.member.user)
    return client


def arrive(both: Together, mail: Iterable[tuple[str, bytes]], *, folder: str) -> list[str]:
    return [both.sandbox.deliver(ADDRESS, raw, folder=folder) for _, raw in mail]


def all_there(both: Together, mailbox: Mailbox, count: int) -> None:
    """Nothing lost, nothing set aside, nothing different."""
    assert list(Quarantined.objects.values_list("reason", flat=True)) == []
    assert Message.objects.filter(mailbox=mailbox, body_state="stored").count() == count
    assert both.difference(mailbox) == []
    mailbox.refresh_from_db()
    assert mailbox.health == "healthy"


def test_bad_input_is_stored_whole_and_opens(both: Together, client: Client) -> None:
    count = len(arrive(both, corpus.bad_input(big=BIG), folder="inbox"))
    mailbox = both.connect()
    both.settle(mailbox)
    all_there(both, mailbox, count)
    assert opens(client, mailbox) == []


def test_bad_input_that_arrives_later_is_no_different(both: Together, client: Client) -> None:
    mailbox = both.connect()
    both.settle(mailbox)
    count = len(arrive(both, corpus.bad_input(big=100_000), folder="inbox"))
    both.follow(mailbox)
    all_there(both, mailbox, count)


def test_the_torture_set_is_stored_whole_and_opens(both: Together, client: Client) -> None:
    if not corpus.here():
        pytest.skip(corpus.MISSING)
    count = len(arrive(both, list(corpus.torture())[::SOME], folder="Torture"))
    mailbox = both.connect()
    both.settle(mailbox)
    all_there(both, mailbox, count)
    assert opens(client, mailbox) == []


def test_folders_twelve_deep_with_names_of_every_kind(both: Together, client: Client) -> None:
    token = {"Authorization": f"Bearer {both.sandbox.token(ADDRESS)}"}
    parent = ""
    for name in [
        "a/b",
        "📁",
        "مشروع",
        "R&D <b>",
        "..",
        "%2F",
        "'; --",
        "x" * 255,
        "Ünïcode",
        "a/b/c",
        "\u202eabc",
        "12",
    ]:
        path = f"/v1.0/me/mailFolders/{parent}/childFolders" if parent else "/v1.0/me/mailFolders"
        answer = both.http.post(path, json={"displayName": name}, headers=token).raise_for_status()
        parent = answer.json()["id"]
    moved = both.sandbox.deliver(ADDRESS, b"Subject: deep down\r\nFrom: a@outside.example\r\n\r\nHello")
    path = f"/v1.0/me/messages/{moved}/move"
    headers = {**token, "Prefer": 'IdType="ImmutableId"'}
    both.http.post(path, json={"destinationId": parent}, headers=headers).raise_for_status()
    mailbox = both.connect()
    both.settle(mailbox)
    all_there(both, mailbox, 1)
    folder, depth = Message.objects.get().folder, 0
    while folder is not None:
        assert client.get(reverse("inbox:folder", args=[mailbox.pk, folder.pk])).status_code == 200
        folder, depth = Folder.objects.filter(pk=folder.parent_id).first(), depth + 1
    assert depth >= DEEP
    assert opens(client, mailbox) == []


@pytest.mark.parametrize("escaped", [r"\ud83d", r"\udc00 \ud800", r"\u202e\u0007\u001b[31m"])
def test_a_subject_that_is_no_proper_text(both: Together, client: Client, escaped: str) -> None:
    """As another program may write it: Graph takes any JSON string, a lone half of a surrogate pair included."""
    token = {"Authorization": f"Bearer {both.sandbox.token(ADDRESS)}", "Content-Type": "application/json"}
    body = f'{{"subject": "odd {escaped}", "body": {{"contentType": "html", "content": "<p>{escaped}</p>"}}}}'
    answer = both.http.post("/v1.0/me/messages", content=body.encode(), headers=token)
    if answer.status_code == 400:
        pytest.skip("this Microsoft 365 refuses such a text")
    answer.raise_for_status()
    mailbox = both.connect()
    both.settle(mailbox)
    all_there(both, mailbox, 1)
    assert Message.objects.get().subject.startswith("odd")
    assert opens(client, mailbox) == []


def test_what_a_database_cannot_hold_is_replaced(both: Together, client: Client) -> None:
    """NUL is no character for PostgreSQL; Graph may send it all the same, and then it is shown as what it is."""
    token = {"Authorization": f"Bearer {both.sandbox.token(ADDRESS)}"}
    said = {"subject": "nul \0 inside", "body": {"contentType": "html", "content": "<p>nul \0 inside</p>"}}
    both.http.post("/v1.0/me/messages", json=said, headers=token).raise_for_status()
    mailbox = both.connect()
    both.settle(mailbox)
    message = Message.objects.get(body_state="stored")
    assert message.subject == "nul \ufffd inside"
    assert opens(client, mailbox) == []


def opens(client: Client, mailbox: Mailbox) -> list[str]:
    return open_all(client, mailbox)[1]
