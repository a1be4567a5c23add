"""A Graph client without a network: requests go straight into the application."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from postroom_sandbox import entra
from postroom_sandbox.app import Application
from postroom_sandbox.clock import Clock
from postroom_sandbox.http import Request, Response
from postroom_sandbox.limits import Limits
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.testing import MAIL_SCOPES, share_signing_key
from postroom_sandbox.users import User
from postroom_sandbox.world import World

HOST = "sandbox.test"
ADA, BOB = "ada@contoso.example", "bob@contoso.example"
QUIET = Limits(replays=0, empty_pages=0, duplicates=0, send_delay_ms=0)  # delta without its surprises


class Answer:
    """A response, decoded on demand."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.body = response.body
        self._response = response

    def header(self, name: str) -> str | None:
        return self._response.header(name)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


class Graph:
    """A world with Ada and Bob in it, and Ada's client."""

    def __init__(self, *, clock: Clock | None = None, limits: Limits = QUIET) -> None:
        self.world = World(clock=clock)
        share_signing_key(self.world)
        self.app = Application(self.world)
        self.ada, self.bob = self.user(ADA, "Ada Love"), self.user(BOB, "Bob Stone")
        for user in (self.ada, self.bob):
            self.world.limits[user.id] = limits
        self.token = self.token_for(self.ada)

    def user(self, address: str, name: str = "", **more: Any) -> User:
        with self.world.operation():
            return self.world.users.add(address, name, **more)

    def token_for(self, user: User, scopes: Sequence[str] = MAIL_SCOPES) -> str:
        with self.world.operation():
            return str(entra.issue_token(self.world, user, scopes, base_url="")["access_token"])

    def mailbox(self, user: User | None = None) -> Mailbox:
        return self.world.mailbox(user or self.ada)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Request:
        parts = urlsplit(path)
        base = "" if parts.path.startswith(("/v1.0", "/api", "/sandbox")) else "/v1.0"
        sent = {"host": HOST, "authorization": f"Bearer {self.token}"}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if body is not None and not isinstance(body, bytes):
            sent["content-type"] = "application/json"
        sent |= {key.replace("_", "-").lower(): value for key, value in headers.items()}
        return Request(
            method, quote(f"{base}{parts.path}", safe="/%'()$:=&,@"), quote(parts.query, safe="%&=$'()/,:+"), sent, data
        )

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        request = self.request(method, path, body, **headers)
        return Answer(asyncio.run(self.app.handle(request))[0])

    def many(self, *requests: Request) -> list[Answer]:
        async def together() -> list[tuple[Response, int | None]]:
            return await asyncio.gather(*(self.app.handle(request) for request in requests))

        return [Answer(response) for response, _ in asyncio.run(together())]

    def get(self, path: str, **headers: str) -> Any:
        answer = self("GET", path, **headers)
        assert answer.status == 200, answer.body
        return answer.json

    def deliver(self, raw: bytes | None = None, *, to: User | None = None, folder: str = "inbox", **fields: Any) -> str:
        """Delivers mail and returns its default id."""
        with self.world.operation():
            mailbox = self.mailbox(to)
            message = self.world.transport.deliver(mailbox, raw or mail(**fields), folder=mailbox.tree.at_path(folder))
            return mailbox.default_id(message)

    def draft(self, **fields: Any) -> Any:
        answer = self("POST", "/me/messages", {"subject": "Draft", **fields})
        assert answer.status == 201, answer.body
        return answer.json

    def settle(self) -> None:
        """Lets what was submitted go out."""
        self.world.clock.advance(60)
        self.world.transport.run_due()


def mail(
    *,
    number: int = 1,
    subject: str = "Plan",
    sender: str = "carol@outside.example",
    body: str = "Hello",
    headers: str = "",
) -> bytes:
    """A small plain message."""
    head = f"From: Carol <{sender}>\r\nTo: {ADA}\r\nSubject: {subject}\r\nMessage-ID: <m{number}@outside.example>\r\n"
    return f"{head}Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n{headers}\r\n{body}\r\n".encode()


def to(*addresses: str) -> list[dict[str, Any]]:
    """Recipients."""
    return [{"emailAddress": {"address": address}} for address in addresses]


def encoded(data: bytes) -> str:
    """Base64 text."""
    return base64.b64encode(data).decode()
