"""The product and a local Microsoft 365 together: real HTTP and a real database, but time is moved, not waited for.

with running(monkeypatch, settings) as both:
    mailbox = both.connect("ada@northwind.example")
    both.settle(mailbox)
    assert both.difference(mailbox) == []
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from postroom.accounts.models import User
from postroom.lib import clock
from postroom.mail.dump import dump
from postroom.mailboxes import commands
from postroom.mailboxes.models import Mailbox
from postroom.providers import registry
from postroom.providers.microsoft import client
from postroom.sync import lanes, mailbox_hooks, push, runner
from postroom.sync.models import Lane
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership
from postroom_sandbox.entra import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from postroom_sandbox.testing import Sandbox, running_sandbox

ADDRESS = "ada@northwind.example"
COLLEAGUE = "ben@northwind.example"
GRAPH = "/v1.0/"


class Together:
    """``settle`` runs the engine in this thread and moves the clocks of both sides instead of waiting."""

    def __init__(self, sandbox: Sandbox, hook: "Hook", held: clock.Clock) -> None:
        self.sandbox, self.hook, self.held = sandbox, hook, held
        self.http = httpx2.Client(base_url=sandbox.url, timeout=60)
        self.member = _member()

    # -- the product's side

    def connect(self, address: str = ADDRESS, history: str = "all") -> Mailbox:
        """A mailbox as after consent and the history question; nothing has run yet."""
        return commands.connect_sandbox(address, history)

    def settle(self, mailbox: Mailbox, *, ahead: timedelta = timedelta(minutes=1)) -> int:
        """Run what is due now or comes due within ``ahead``. Returns how many runs that took."""
        until, runs = self.held.at + ahead, 0
        while True:
            made = runner.run_mailbox(mailbox.pk)
            runs += made
            due = Lane.objects.filter(mailbox=mailbox, paused=False, due_at__lte=until).order_by("due_at").first()
            if due is None or due.due_at is None or runs > 2000 or (not made and due.due_at <= self.held.at):
                return runs
            self.advance(max(timedelta(0), due.due_at - self.held.at))

    def advance(self, by: timedelta) -> None:
        """Move both clocks; what waited at the provider for its time to come happens."""
        self.held.advance(by)
        self.sandbox.world.clock.advance(by.total_seconds())
        self.sandbox.world.transport.run_due()

    def follow(self, mailbox: Mailbox, *, ahead: timedelta = timedelta(minutes=1)) -> None:
        """Ask for every delta and come to rest."""
        mailbox_hooks.sync_now(mailbox)
        self.settle(mailbox, ahead=ahead)

    def take_pushed(self, *, wait: bool = False) -> int:
        """Hand what was posted to us to the product, as its web process would. ``wait``: at least one body."""
        bodies = self.hook.taken(wait=wait)
        for body in bodies:
            push.take(registry.connector("microsoft").notified(body))
        return len(bodies)

    # -- both sides

    def ours(self, mailbox: Mailbox) -> list[str]:
        return list(dump(mailbox))

    def theirs(self, address: str) -> list[str]:
        return self.http.get(f"/sandbox/mailboxes/{address}/dump").raise_for_status().text.split("\n")[:-1]

    def difference(self, mailbox: Mailbox) -> list[str]:
        """Lines that only one side has, marked with whose they are."""
        return difference(self.ours(mailbox), self.theirs(mailbox.address))

    # -- the provider's side

    def requests(self, since: int = 0, *, path: str = GRAPH) -> list[dict[str, Any]]:
        """Exchanges after number ``since`` whose path begins so."""
        lines = self.http.get("/sandbox/requests", params={"since": since}).raise_for_status().text.splitlines()
        rows = [json.loads(line) for line in lines]
        return [row for row in rows if urlsplit(row["url"]).path.startswith(path)]

    def mark(self) -> int:
        """The number of the latest exchange."""
        return self.sandbox.world.traffic.count

    def import_(self, address: str, mbox: bytes, *, folder: str = "inbox") -> int:
        params = {"folder": folder}
        answer = self.http.post(f"/sandbox/mailboxes/{address}/import", params=params, content=mbox)
        return int(answer.raise_for_status().json()["imported"])

    def faults(self, rules: list[dict[str, Any]], *, seed: int = 1, except_token: str = "") -> None:
        body = {"rules": rules, "seed": seed, "except_token": except_token}
        self.http.put("/sandbox/faults", json=body).raise_for_status()

    def struck(self) -> int:
        """How often the present rules have struck."""
        return sum(rule.struck for rule in self.sandbox.world.faults.rules)

    def calm(self) -> None:
        self.http.delete("/sandbox/faults").raise_for_status()


def difference(ours: list[str], theirs: list[str]) -> list[str]:
    """Lines of two dumps that are not in both as often; an order of lines that is not the same is one line."""
    mine, yours = Counter(ours), Counter(theirs)
    found = [f"ours   {line}" for line in (mine - yours).elements()]
    found += [f"theirs {line}" for line in (yours - mine).elements()]
    return found or ([] if ours == theirs else ["the same lines in another order"])


def _member() -> Membership:
    owner = User.objects.create_user(ADDRESS, "Ada Byron")
    return add_member(create_workspace("Northwind Traders"), owner, role="Admin")


class Hook:
    """The address that push is sent to: answers the handshake, keeps what is posted until somebody takes it."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._arrived = threading.Condition()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0].encode()
                self.send_response(200 if token else 202)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(token)))
                self.end_headers()
                self.wfile.write(token)
                if not token:
                    hook._keep(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def _keep(self, body: bytes) -> None:
        with self._arrived:
            self._bodies.append(body)
            self._arrived.notify_all()

    def taken(self, *, wait: bool = False) -> list[bytes]:
        with self._arrived:
            if wait:
                assert self._arrived.wait_for(lambda: bool(self._bodies), timeout=10), "nothing was posted"
            bodies, self._bodies = self._bodies, []
        return bodies

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _NoHeartbeat:
    """Time stands still here: no lease runs out while a step is under way."""

    def __init__(self, lane: Lane) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def forget_process() -> None:
    """What a process keeps in memory about the provider is forgotten, as after a restart."""
    registry.connector.cache_clear()
    client.pool.cache_clear()


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Together]:
    """Both sides, with two empty mailboxes there. The caller has a database with transactions of its own."""
    hook = Hook()
    with running_sandbox() as sandbox, clock.frozen() as held:
        for address, name in ((ADDRESS, "Ada Byron"), (COLLEAGUE, "Ben Okafor")):
            sandbox.user(address, name)
        for name, value in microsoft(sandbox.url).items():
            monkeypatch.setenv(name, value)
            setattr(settings, name, value)
        settings.POSTROOM_PUBLIC_URL = hook.url
        monkeypatch.setattr(lanes, "wake", lambda *mailbox_ids: None)
        monkeypatch.setattr(runner, "Heartbeat", _NoHeartbeat)
        forget_process()
        try:
            yield Together(sandbox, hook, held)
        finally:
            forget_process()
            hook.stop()


def microsoft(url: str) -> dict[str, str]:
    """The settings under which the sandbox at ``url`` is Microsoft."""
    return {
        "MICROSOFT_CLIENT_ID": DEFAULT_CLIENT_ID,
        "MICROSOFT_CLIENT_SECRET": DEFAULT_CLIENT_SECRET,
        "MICROSOFT_TENANT": "common",
        "MICROSOFT_LOGIN_URL": url,
        "MICROSOFT_GRAPH_URL": url,
    }
