"""The sandbox over real sockets: what only a network can show."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from postroom_sandbox.graph.tests.client import mail
from postroom_sandbox.testing import Sandbox, running_sandbox
from postroom_sandbox.world import World

ADA = "ada@contoso.example"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        running.user(ADA)
        yield running


def ask(sandbox: Sandbox, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, data, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def fault(sandbox: Sandbox, **rule: Any) -> None:
    assert ask(sandbox, "PUT", "/sandbox/faults", {"rules": [rule]})[0] == 200


def test_a_reset_before_the_work_leaves_nothing_done(sandbox: Sandbox) -> None:
    token = sandbox.token(ADA)
    fault(sandbox, nth=1, reset="before")
    with pytest.raises(ConnectionResetError):
        ask(sandbox, "POST", "/v1.0/me/mailFolders", {"displayName": "X"}, token)
    assert sandbox.mailbox(ADA).tree.child(sandbox.mailbox(ADA).tree["msgfolderroot"], "X") is None


def test_a_reset_after_the_work_leaves_it_done(sandbox: Sandbox) -> None:
    token = sandbox.token(ADA)
    fault(sandbox, nth=1, reset="after")
    with pytest.raises(ConnectionResetError):
        ask(sandbox, "POST", "/v1.0/me/mailFolders", {"displayName": "X"}, token)
    assert sandbox.mailbox(ADA).tree.child(sandbox.mailbox(ADA).tree["msgfolderroot"], "X") is not None


def test_a_truncated_answer_ends_in_the_middle(sandbox: Sandbox) -> None:
    token = sandbox.token(ADA)
    fault(sandbox, nth=1, truncate=True)
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        ask(sandbox, "GET", "/v1.0/me/mailFolders", token=token)
    assert ask(sandbox, "GET", "/v1.0/me/mailFolders", token=token)[0] == 200


def test_a_failure_may_hide_that_the_work_was_done(sandbox: Sandbox) -> None:
    token = sandbox.token(ADA)
    fault(sandbox, nth=1, status=504, after_work=True)
    assert ask(sandbox, "POST", "/v1.0/me/mailFolders", {"displayName": "X"}, token)[0] == 504
    assert ask(sandbox, "POST", "/v1.0/me/mailFolders", {"displayName": "X"}, token)[0] == 409


def test_faults_are_cleared(sandbox: Sandbox) -> None:
    token = sandbox.token(ADA)
    fault(sandbox, status=429, retry_after=2)
    assert ask(sandbox, "GET", "/v1.0/me", token=token)[0] == 429
    assert ask(sandbox, "DELETE", "/sandbox/faults")[0] == 204
    assert ask(sandbox, "GET", "/v1.0/me", token=token)[0] == 200


def test_a_megabyte_message_and_ten_thousand_recipients_arrive(sandbox: Sandbox) -> None:
    people = ",\r\n ".join(f"P{number} <p{number}@x.example>" for number in range(10_000))
    raw = f"To: {people}\r\nSubject: many\r\n\r\n".encode() + b"word " * 400_000
    assert ask(sandbox, "POST", f"/sandbox/mailboxes/{ADA}/deliver", raw)[0] == 201
    (row,) = json.loads(ask(sandbox, "GET", "/v1.0/me/messages", token=sandbox.token(ADA))[1])["value"]
    assert len(row["toRecipients"]) == 10_000


# -- the command


def start(*options: str, home: Path | None = None) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "postroom_sandbox", "--port", "0", "--empty", *options]
    process = subprocess.Popen([*command, *(["--home", str(home)] if home else [])], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Sandbox is ready: http://127.0.0.1:"), line
    return process, line.split()[-1]


def send(url: str, path: str, body: bytes | None = None, method: str = "POST") -> bytes:
    request = urllib.request.Request(url + path, data=body, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def test_state_survives_being_killed(tmp_path: Path) -> None:
    process, url = start(home=tmp_path / "home")
    send(url, "/sandbox/users", json.dumps({"address": ADA, "name": "Ada"}).encode())
    for number in range(5):
        send(url, f"/sandbox/mailboxes/{ADA}/deliver", mail(number=number))
    before = send(url, f"/sandbox/mailboxes/{ADA}/dump", method="GET")
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    process, url = start(home=tmp_path / "home")
    try:
        assert send(url, f"/sandbox/mailboxes/{ADA}/dump", method="GET") == before
        assert before.count(b"\n") == 5
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_one_home_is_for_one_sandbox_and_fresh_forgets_it(tmp_path: Path) -> None:
    process, url = start(home=tmp_path)
    try:
        send(url, "/sandbox/users", json.dumps({"address": ADA}).encode())
        code, said = run("--port", "0", "--empty", "--home", str(tmp_path))
        assert (code, "another sandbox is running" in said) == (2, True)
    finally:
        process.terminate()
        process.wait(10)
    process, url = start("--fresh", home=tmp_path)
    try:
        assert json.loads(send(url, "/sandbox/company", method="GET"))["users"] == []
    finally:
        process.terminate()
        process.wait(10)


def test_own_mail_is_put_into_the_first_mailbox(tmp_path: Path) -> None:
    path = tmp_path / "mine.mbox"
    path.write_bytes(b"From x Fri Nov 20 10:00:00 2026\n" + mail())
    command = [sys.executable, "-m", "postroom_sandbox", "--port", "0", "--mail", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        people = json.loads(send(url, "/sandbox/company", method="GET"))["users"]
        first = next(person["address"] for person in people if person["kind"] == "work")
        assert send(url, f"/sandbox/mailboxes/{first}/dump", method="GET").count(b"\n") == 1
    finally:
        process.terminate()
        process.wait(10)


def test_an_interrupted_filling_is_begun_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.operation():
        world.users.add("half@contoso.example", "Half")
        world.set_setting("seeded", "started")
    world.close()
    process, url = start(home=tmp_path)
    try:
        assert json.loads(send(url, "/sandbox/company", method="GET"))["users"] == []
    finally:
        process.terminate()
        process.wait(10)


def run(*options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "postroom_sandbox", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def test_bad_options_and_a_busy_port_end_with_one_line_and_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = str(taken.getsockname()[1])
        for options in (
            ["--port", busy, "--empty"],
            ["--bogus"],
            ["--company", "huge"],
            ["--host", "0.0.0.0"],
            ["--port", "99999"],
            ["--port", "0", "--mail", str(tmp_path / "none.mbox")],
        ):
            code, said = run(*options)
            assert (code, said.count("\n")) == (2, 1), said
            assert said.startswith("postroom-sandbox: ")


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Host": "evil.example:8100"}, 403),  # a name that was made to lead here
        ("GET", {"Host": "127.0.0.1.evil.example"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 200),  # a link that leads here
        ("GET", {"Host": "localhost:1"}, 200),
    ],
)
def test_a_web_page_from_elsewhere_gets_nothing(
    sandbox: Sandbox, method: str, headers: dict[str, str], status: int
) -> None:
    path = "/sandbox/company" if method == "GET" else "/sandbox/users"
    with httpx2.Client() as client:
        answer = client.request(method, f"{sandbox.url}{path}", headers=headers, content=b'{"address": "x@y.example"}')
    assert answer.status_code == status
