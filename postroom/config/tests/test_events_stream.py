"""`/events`: who gets a stream, what it carries, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from postroom.accounts.models import User
from postroom.config import events
from postroom.config.events import EventStream, member_of_cookie
from postroom.lib.live import Hub
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership


@pytest.fixture
def adele(db: None) -> Membership:
    return add_member(create_workspace("Contoso"), User.objects.create_user("adele@contoso.com", "Adele"))


def cookie_of(client: Client) -> bytes:
    return f"other=1; {settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode()


def test_the_session_says_which_member_it_is(client: Client, adele: Membership) -> None:
    client.force_login(adele.user)
    assert member_of_cookie(cookie_of(client)) == adele


@pytest.mark.parametrize("cookie", [b"", b"postroom=forged", b"postroom=", b"\xff\xfe", b"a;;;=b"])
def test_a_stranger_is_nobody(db: None, cookie: bytes) -> None:
    assert member_of_cookie(cookie) is None


def test_an_ended_session_is_nobody(client: Client, adele: Membership) -> None:
    client.force_login(adele.user)
    cookie = cookie_of(client)
    adele.user.set_password("another one")  # changes the session's fingerprint
    adele.user.save()
    assert member_of_cookie(cookie) is None


def test_a_deactivated_person_is_nobody(client: Client, adele: Membership) -> None:
    client.force_login(adele.user)
    User.objects.update(is_active=False)
    assert member_of_cookie(cookie_of(client)) is None


class Browser:
    """The other end of a stream."""

    def __init__(self, stream: EventStream, *headers: tuple[bytes, bytes], method: str = "GET") -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self._got = asyncio.Condition()
        scope = {"type": "http", "method": method, "path": "/events", "headers": [(b"host", b"crm"), *headers]}
        self.task = asyncio.create_task(stream(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        async with self._got:
            self.sent.append(dict(message))
            self._got.notify_all()

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    async def until(self, question: Callable[[], bool]) -> None:
        async with self._got:
            await asyncio.wait_for(self._got.wait_for(question), 10)


@pytest.fixture
def member(monkeypatch: pytest.MonkeyPatch) -> Membership:
    found = Membership(pk=10, workspace_id=1)
    monkeypatch.setattr(events, "member_of_cookie", lambda cookie: found)
    monkeypatch.setattr(events, "_note_presence", lambda member: None)
    return found


def event(number: int) -> str:
    return f'{{"w":1,"t":"mail","d":{{"n":{number}}}}}'


def test_events_reach_the_browser_and_leaving_frees_its_place(member: Membership) -> None:
    async def story() -> None:
        hub = Hub("")
        browser = Browser(EventStream(hub))
        await browser.until(lambda: "event: hello" in browser.text)
        hub.receive(event(1))
        await browser.until(lambda: 'event: mail\ndata: {"n":1}\n\n' in browser.text)
        assert browser.sent[0]["status"] == 200
        assert dict(browser.sent[0]["headers"])[b"content-type"].startswith(b"text/event-stream")
        browser.left.set()
        await browser.task
        assert hub.size == 0

    asyncio.run(story())


def test_a_browser_that_returns_goes_on_after_the_last_event_it_saw(member: Membership) -> None:
    async def story() -> None:
        hub = Hub("")
        stream = EventStream(hub)
        first = Browser(stream)
        await first.until(lambda: "hello" in first.text)
        hub.receive(event(1))
        await first.until(lambda: '"n":1' in first.text)
        last = [line for line in first.text.splitlines() if line.startswith("id: ")][-1].removeprefix("id: ")
        first.left.set()
        await first.task
        hub.receive(event(2))
        second = Browser(stream, (b"last-event-id", last.encode()))
        await second.until(lambda: '"n":2' in second.text)
        assert '"n":1' not in second.text
        second.left.set()
        await second.task

    asyncio.run(story())


@pytest.mark.parametrize(("ago", "heard"), [(60_000, True), (0, False)])
def test_a_page_hears_what_happened_since_it_was_asked_for(member: Membership, ago: int, heard: bool) -> None:
    async def story() -> None:
        hub = Hub("")
        hub.receive(event(1))
        browser = Browser(EventStream(hub), (b"last-event-id", f"ago-{ago}".encode()))
        await browser.until(lambda: "hello" in browser.text)
        hub.receive(event(2))
        await browser.until(lambda: '"n":2' in browser.text)
        assert ('"n":1' in browser.text) == heard and "resync" not in browser.text
        browser.left.set()
        await browser.task

    asyncio.run(story())


def test_a_browser_of_another_process_is_told_to_look_again(member: Membership) -> None:
    async def story() -> None:
        browser = Browser(EventStream(Hub("")), (b"last-event-id", b"0badf00d-7"))
        await browser.until(lambda: "event: resync" in browser.text)
        browser.left.set()
        await browser.task

    asyncio.run(story())


def test_a_stopping_server_ends_its_streams(member: Membership) -> None:
    async def story() -> None:
        stream = EventStream(Hub(""))
        browser = Browser(stream)
        await browser.until(lambda: "hello" in browser.text)
        stream.close()
        await asyncio.wait_for(browser.task, 10)
        assert browser.sent[-1].get("more_body", False) is False

    asyncio.run(story())


def test_a_stranger_is_told_to_stop_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "member_of_cookie", lambda cookie: None)

    async def story() -> None:
        browser = Browser(EventStream(Hub("")))
        await browser.task
        assert browser.sent[0]["status"] == 204

    asyncio.run(story())


@pytest.mark.parametrize(("method", "origin"), [("POST", b""), ("GET", b"https://evil.example")])
def test_only_our_own_pages_may_listen(member: Membership, method: str, origin: bytes) -> None:
    async def story() -> None:
        browser = Browser(EventStream(Hub("")), (b"origin", origin), method=method)
        await browser.task
        assert browser.sent[0]["status"] == 405

    asyncio.run(story())


def test_an_open_screen_says_again_and_again_that_its_member_looks(
    member: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Membership] = []
    monkeypatch.setattr(events, "_note_presence", seen.append)
    monkeypatch.setattr(events, "HERE_SECONDS", 0.001)

    async def patiently() -> int:
        browser = Browser(EventStream(Hub("")))
        while len(seen) < 3:
            await asyncio.sleep(0)
        browser.left.set()
        await browser.task
        await asyncio.sleep(0)
        return len(seen)

    count = asyncio.run(patiently())
    assert set(seen) == {member} and count == len(seen)
