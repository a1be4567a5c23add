"""A running sandbox for tests: `with running_sandbox() as sandbox: …`.

The server runs in a thread of this process, on a free loopback port, with its state in memory unless `home` is given.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from postroom_sandbox import entra
from postroom_sandbox.clock import Clock
from postroom_sandbox.entra.jwt import SigningKey
from postroom_sandbox.entra.records import KeyRecord
from postroom_sandbox.entra.shelf import Shelf
from postroom_sandbox.seeding import seed_company
from postroom_sandbox.server import listen, make_server
from postroom_sandbox.store.mailbox import Mailbox
from postroom_sandbox.users import User
from postroom_sandbox.world import World

MAIL_SCOPES = (
    "openid", "profile", "offline_access", "User.Read", "Mail.ReadWrite", "Mail.Send", "MailboxSettings.ReadWrite",
    "Mail.ReadWrite.Shared", "Mail.Send.Shared", "People.Read",
)  # fmt: skip


@lru_cache(maxsize=1)
def _pem() -> str:
    return SigningKey.new_pem().decode()


def share_signing_key(world: World) -> None:
    """Gives a new world the signing key of this test process: making one takes longer than most tests."""
    keys = Shelf(world, "entra-key", KeyRecord)
    if keys.get("1") is None:
        keys.put("1", KeyRecord(_pem()))


@dataclass
class Sandbox:
    """A sandbox that answers at `url`; `world` may be used directly inside `with sandbox.world.operation():`."""

    url: str
    world: World

    def user(self, address: str, name: str = "", **more: Any) -> User:
        """The user with that address, made when missing (`kind=`, `aliases=`, `delegates=` as in `users.add`)."""
        with self.world.operation():
            found = self.world.user_by_address(address)
            if found is None:
                found = self.world.users.add(address, name or address.partition("@")[0].title(), **more)
            if found.has_mailbox:
                self.world.mailbox(found)
            return found

    def mailbox(self, address: str) -> Mailbox:
        """The mailbox of a user."""
        with self.world.operation():
            return self.world.mailbox(self.user(address))

    def token(self, address: str, scopes: Sequence[str] = MAIL_SCOPES, *, minutes: int = 75) -> str:
        """An access token for Graph."""
        return str(self.tokens(address, scopes, minutes=minutes)["access_token"])

    def tokens(self, address: str, scopes: Sequence[str] = MAIL_SCOPES, *, minutes: int = 75) -> dict[str, Any]:
        """A whole token answer, refresh token included."""
        user = self.user(address)
        with self.world.operation():
            return entra.issue_token(self.world, user, scopes, minutes, base_url=self.url)

    def deliver(self, address: str, raw: bytes, *, folder: str = "inbox") -> str:
        """Delivers one raw message as real mail would come; returns its immutable id."""
        with self.world.operation():
            mailbox = self.mailbox(address)
            message = self.world.transport.deliver(mailbox, raw, folder=mailbox.tree.at_path(folder))
            return mailbox.immutable_id(message)


@contextmanager
def running_sandbox(
    *,
    home: Path | None = None,
    clock: Clock | None = None,
    company: Literal["small", "large"] | None = None,
    seed: int = 1,
    port: int = 0,
) -> Iterator[Sandbox]:
    """Starts a sandbox, empty or with a generated company ("small" or "large"), and stops it at the end."""
    world = World(home, clock=clock)
    share_signing_key(world)
    if company is not None and len(world.users) == 0:
        seed_company(world, size=company, seed=seed)
    listener = listen("127.0.0.1", port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = make_server(world)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            thread.join(0.005)
        yield Sandbox(url, world)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        world.close()
