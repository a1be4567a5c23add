"""Many open Inboxes on one web process: its memory, how fast they hear of an event, and what pages cost meanwhile.

A real `postroom serve` over a real database; each open Inbox is a member of their own with a session of their own and
the same connection to `/events` that a browser holds. Events are what colleagues do: assign a thread, mark one read.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from bench import common, million

MESSAGES = 5_000
EVENTS = 60
PATIENCE = 10.0  # seconds an event may take
TARGET = 1_000  # milliseconds until every other screen has it (issue: within 1 s)


def run(size: int) -> Iterator[dict[str, Any]]:
    """Four results. `size`: how many open Inboxes."""
    with common.home() as home, common.database_server(home):
        settings = {**common.environment(home), "POSTROOM_PUBLIC_URL": "http://127.0.0.1"}
        common.set_up(settings)
        common.migrate()
        million.load(MESSAGES)
        sessions, thread = _members(size), _thread()
        with _web(settings) as (port, pid):
            yield from asyncio.run(_measure(port, pid, sessions, thread))


def _members(size: int) -> list[str]:
    """Members with a session each; the keys of the sessions."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from postroom.accounts.models import User
    from postroom.workspaces.commands import add_member
    from postroom.workspaces.models import Workspace

    workspace, found = Workspace.objects.get(), []
    for number in range(size):
        if number:
            user = User.objects.create_user(f"member{number}@northwind.example", f"Member {number}")
            add_member(workspace, user)
        else:  # whose mailbox it is
            user = User.objects.get(email=common.OWNER)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        found.append(str(session.session_key))
    return found


def _thread() -> int:
    """A thread of the first member's mailbox, which everybody reads and that member works in."""
    from postroom.mail.models import Thread
    from postroom.mailboxes.models import Connection, Mailbox

    box = Mailbox.objects.get(address=common.OWNER)
    grant = {"provider": "microsoft", "account_key": "bench", "address": box.address, "scopes": common.SCOPES}
    box.connection = Connection.objects.create(workspace_id=box.workspace_id, member_id=box.owner_id, **grant)
    box.save()
    return Thread.objects.filter(mailbox__address=common.OWNER, unread=0).order_by("pk")[0].pk


@contextlib.contextmanager
def _web(settings: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The web process: port and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "postroom.config.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **settings}, cwd=common.ROOT, stdout=sys.stderr)
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the web process did not start")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


# -- open screens --------------------------------------------------------------------------------------------------


@dataclass
class Screen:
    """One open connection to `/events`; `heard` are the moments at which an event of each topic came."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[tuple[float, str]] = field(default_factory=list)

    @classmethod
    async def open(cls, port: int, session: str) -> Screen:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: postroom={session}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"/events: {head[:60]!r}")
        screen = cls(reader, writer)
        while not await screen.hears("hello"):
            pass
        return screen

    async def hears(self, topic: str) -> bool:
        line = await self.reader.readline()
        return line.startswith(f"event: {topic}".encode())

    async def listen(self) -> None:
        while line := await self.reader.readline():
            if line.startswith(b"event: "):
                self.heard.append((time.perf_counter(), line[7:].decode().strip()))


async def _measure(port: int, pid: int, sessions: list[str], thread: int) -> list[dict[str, Any]]:
    member = Member(port, sessions[0])
    for _ in range(30):
        await asyncio.to_thread(member.get, "/inbox/")
    before, quiet = await asyncio.to_thread(_figures, pid), await _pages(member, 60)
    began = time.perf_counter()
    screens = await _opened(port, sessions)
    opening = time.perf_counter() - began
    await asyncio.sleep(3)
    after = await asyncio.to_thread(_figures, pid)
    listening = [asyncio.create_task(one.listen()) for one in screens]
    stop = asyncio.Event()
    meanwhile = asyncio.create_task(_until(stop, Member(port, sessions[-1])))
    waits, missed = await _events(member, screens, thread)
    stop.set()
    busy = await meanwhile
    for one in listening:
        one.cancel()
    what = f"{len(sessions)} open Inboxes on one web process"
    return [
        common.result(
            "open inboxes: memory", f"{what}; megabytes more than without", round(after["mb"] - before["mb"], 1),
            before=before, after=after, opened_in_seconds=round(opening, 1),
        ),
        common.result(
            "open inboxes: an event",
            f"{what}; {len(waits)} arrivals of {EVENTS} assignments and marks; from sending the request, median ms",
            round(statistics.median(waits)), p99=round(common.percentile(waits, 0.99)), longest=round(max(waits)),
            missed=missed, target=TARGET, met=not missed and max(waits) < TARGET,
        ),
        common.result(
            "open inboxes: a page", f"{what}; {len(busy)} Inbox pages one by one during the events; median ms",
            round(statistics.median(busy), 1), p99=round(common.percentile(busy, 0.99), 1),
            without_open_inboxes=round(statistics.median(quiet), 1),
        ),
    ]  # fmt: skip


async def _opened(port: int, sessions: list[str]) -> list[Screen]:
    """All at once, as after a restart of the web process."""
    return list(await asyncio.gather(*(Screen.open(port, one) for one in sessions)))


async def _events(member: Member, screens: list[Screen], thread: int) -> tuple[list[float], int]:
    """Milliseconds from asking until each screen had it; how many never did."""
    from django.db.models import Max

    from postroom.workspaces.models import Membership

    ours = await asyncio.to_thread(lambda: Membership.objects.aggregate(last=Max("pk"))["last"])
    waits, missed = list[float](), 0
    asks = [
        ("assign", {"to": str(ours)}, "team"),
        ("unread", {}, "mail"),
        ("assign", {"to": ""}, "team"),
        ("", {}, "mail"),
    ]
    for number in range(EVENTS):
        what, told, topic = asks[number % len(asks)]
        for one in screens:
            one.heard.clear()
        began = time.perf_counter()
        if what:
            await asyncio.to_thread(member.post, f"/inbox/threads/{thread}/{what}/", told)
        else:  # opening it marks it read
            await asyncio.to_thread(member.get, f"/inbox/threads/{thread}/")
        while time.perf_counter() - began < PATIENCE and not all(_at(one, topic) for one in screens):
            await asyncio.sleep(0.01)
        arrived = [at for one in screens if (at := _at(one, topic))]
        waits += [(at - began) * 1000 for at in arrived]
        missed += len(screens) - len(arrived)
        await asyncio.sleep(0.05)
    return waits, missed


def _at(screen: Screen, topic: str) -> float | None:
    return next((at for at, heard in screen.heard if heard == topic), None)


# -- pages ---------------------------------------------------------------------------------------------------------


class Member:
    """A browser with one connection that is kept."""

    def __init__(self, port: int, session: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies = f"postroom={session}"
        self._token = ""

    def get(self, path: str) -> float:
        """Milliseconds until it was complete."""
        began = time.perf_counter()
        answer = self._ask("GET", path)
        if not self._token and (cookie := answer.headers.get("Set-Cookie")):
            self._token = cookie.partition(";")[0].partition("=")[2]
            self._cookies += f"; postroom-csrf={self._token}"
        return (time.perf_counter() - began) * 1000

    def post(self, path: str, told: dict[str, str]) -> None:
        headers = {"X-CSRFToken": self._token, "HX-Request": "true", "Referer": "http://127.0.0.1/"}
        self._ask("POST", path, urlencode(told), {**headers, "Content-Type": "application/x-www-form-urlencoded"})

    def _ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Any:
        self._connection.request(method, path, body, {"Cookie": self._cookies, "Host": "127.0.0.1", **(headers or {})})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {urlsplit(path).path}: {answer.status} {text[:200]!r}")
        return answer


async def _pages(member: Member, count: int) -> list[float]:
    return [await asyncio.to_thread(member.get, "/inbox/") for _ in range(count)]


async def _until(stop: asyncio.Event, member: Member) -> list[float]:
    found = []
    while not stop.is_set():
        found.append(await asyncio.to_thread(member.get, "/inbox/"))
    return found


def _figures(pid: int) -> dict[str, Any]:
    """Memory (megabytes), threads, and connections of the process to the database."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    from django.db import connection

    with connection.cursor() as db:
        db.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        (connections,) = db.fetchone()
    return {
        "mb": round(int(status["VmRSS"].split()[0]) / 1024, 1),
        "threads": int(status["Threads"]),
        "connections": connections,
    }
