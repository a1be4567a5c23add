"""How the contract suite reaches each provider's other side: who delivers, moves and breaks things there."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2

from postroom.providers import errors
from postroom.providers.contract import Connector, Grant, MailSource
from postroom.providers.memory import Memory
from postroom.providers.microsoft import Microsoft
from postroom.providers.microsoft.settings import Settings
from postroom_sandbox.entra import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from postroom_sandbox.entra.tests.browser import Browser
from postroom_sandbox.testing import Sandbox, running_sandbox

NUMBERS = count(1)
CALLBACK = "http://127.0.0.1:8000/mailboxes/connect/microsoft/callback"


class World(ABC):
    """One provider with a fresh mailbox ``address`` and a colleague's mailbox ``colleague``."""

    connector: Connector

    def __init__(self) -> None:
        number = next(NUMBERS)
        self.address, self.colleague = f"ana{number}@northwind.example", f"ben{number}@northwind.example"
        self.tokens: dict[str, str] = {}
        self.asked: list[tuple[str | None, str | None]] = []

    def source(self, address: str = "", *, shared: str | None = None) -> MailSource:
        """A fresh source, as after a restart."""
        owner = address or self.address

        def token(*, rejected: str | None = None, claims: str | None = None) -> str:
            if rejected is not None:
                self.asked.append((rejected, claims))
                self.tokens.pop(owner, None)
            if owner not in self.tokens:
                self.tokens[owner] = self.fresh_token(owner)
            return self.tokens[owner]

        key = f"{self.connector.name}:{shared or owner}"
        return self.connector.mail(token=token, mailbox_key=key, address=shared)

    @abstractmethod
    def fresh_token(self, owner: str) -> str: ...
    @abstractmethod
    def reject_tokens(self) -> None:
        """The tokens given so far are refused."""

    @abstractmethod
    def grant(self) -> Grant:
        """Sign in as ``address`` the way people do."""

    @abstractmethod
    def refuse_refresh(self) -> None:
        """The next refresh says that the member has to sign in again."""

    @abstractmethod
    def deliver(self, *, subject: str = "Hello", body: str = "Hello", file: bytes = b"", folder: str = "inbox") -> str:
        """A message arrives; its id. ``folder`` is ``inbox`` or the id that ``folder()`` gave."""

    @abstractmethod
    def read(self, message_id: str) -> None: ...
    @abstractmethod
    def move(self, message_id: str, folder_id: str) -> None: ...
    @abstractmethod
    def purge(self, message_id: str) -> None: ...
    @abstractmethod
    def folder(self, name: str, parent: str | None = None) -> str: ...
    @abstractmethod
    def remove_folder(self, folder_id: str) -> None: ...
    @abstractmethod
    def expire_cursors(self) -> None: ...
    @abstractmethod
    def trouble(self, step: str, *, after: bool = False, times: int = 1) -> None:
        """The next ``times`` calls of ``step`` break: before anything is done or ``after`` it."""

    @abstractmethod
    def away(self, reply: str) -> None:
        """The colleague switches automatic replies on."""

    @abstractmethod
    def hook(self) -> str:
        """An address for push."""

    @abstractmethod
    def posted(self) -> bytes:
        """The next body that was posted there; waits for it."""


class MemoryWorld(World):
    def __init__(self) -> None:
        super().__init__()
        self.connector = self.memory = Memory()
        self.box = self.memory.mailbox(self.address)
        self.box.page = 10
        self.memory.mailbox(self.colleague)
        self.waiting: list[bytes] = []

    def fresh_token(self, owner: str) -> str:
        return self.memory.accounts.grant(owner).access_token

    def reject_tokens(self) -> None:
        for token in self.tokens.values():
            self.memory.accounts.reject(token)

    def grant(self) -> Grant:
        return self.memory.authority().redeem(code=self.address, redirect_uri=CALLBACK, verifier="v" * 43, nonce="n")

    def refuse_refresh(self) -> None:
        self.memory.accounts.fail_refresh = errors.ReauthNeeded(reason="revoked")

    def deliver(self, *, subject: str = "Hello", body: str = "Hello", file: bytes = b"", folder: str = "inbox") -> str:
        return self.box.deliver(subject=subject, html=body, folder=folder, files={"a.bin": file} if file else None)

    def read(self, message_id: str) -> None:
        self.box.read(message_id)

    def move(self, message_id: str, folder_id: str) -> None:
        self.box.move(message_id, folder_id)

    def purge(self, message_id: str) -> None:
        self.box.delete(message_id)

    def folder(self, name: str, parent: str | None = None) -> str:
        return self.box.folder(name, parent)

    def remove_folder(self, folder_id: str) -> None:
        self.box.remove_folder(folder_id)

    def expire_cursors(self) -> None:
        self.box.expire_cursors()

    def trouble(self, step: str, *, after: bool = False, times: int = 1) -> None:
        self.box.fail_next(errors.Transient(maybe_done=True), on=step, after=after, times=times)

    def away(self, reply: str) -> None:
        self.memory.mailbox(self.colleague).away = reply

    def hook(self) -> str:
        return "memory://hook"

    def posted(self) -> bytes:
        self.waiting += self.box.notifications()
        return self.waiting.pop(0)


# The step of the contract -> (method, path) of the request it makes last.
STEPS = {
    "spine": ("GET", "/v1.0/*/messages/delta*"),
    "pull": ("GET", "/v1.0/me/messages*"),
    "get": ("POST", "/v1.0/$batch"),
    "apply": ("POST", "/v1.0/$batch"),
    "create_draft": ("POST", "/v1.0/me/messages"),
    "attach": ("POST", "/v1.0/*/attachments*"),
    "send": ("POST", "/v1.0/*/send"),
}


class SandboxWorld(World):
    """Microsoft's connector against the sandbox over HTTP; the other side uses Graph and the control calls itself."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        settings = Settings(
            client_id=DEFAULT_CLIENT_ID,
            client_secret=DEFAULT_CLIENT_SECRET,
            login_url=sandbox.url,
            graph_url=f"{sandbox.url}/v1.0",
        )
        self.connector = Microsoft(settings)
        for address in (self.address, self.colleague):
            sandbox.user(address)
        self.http = httpx2.Client(base_url=sandbox.url, headers={"Prefer": 'IdType="ImmutableId"'})
        self.own_token = sandbox.token(self.address)
        self.server: Hook | None = None

    def close(self) -> None:
        self.control("DELETE", "/sandbox/faults")
        self.http.close()
        if self.server:
            self.server.stop()

    def control(self, method: str, path: str, **options: Any) -> httpx2.Response:
        answer = self.http.request(method, path, **options)
        assert answer.status_code < 300, answer.text
        return answer

    def graph(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.own_token}"}
        answer = self.control(method, f"/v1.0/me{path}", headers=headers, **options)
        return answer.json() if answer.content else None

    def fresh_token(self, owner: str) -> str:
        return self.sandbox.token(owner)

    def reject_tokens(self) -> None:
        self.control("POST", f"/sandbox/mailboxes/{self.address}/expire-tokens")
        self.own_token = self.sandbox.token(self.address)

    def grant(self) -> Grant:
        authority = self.connector.authority()
        url = authority.authorize_url(
            redirect_uri=CALLBACK,
            scopes=[scope for feature in self.connector.features for scope in feature.scopes],
            state="state-1",
            nonce="nonce-1",
            verifier="v" * 43,
        )
        browser = Browser(self.sandbox.url).open(url).sign_in(self.address)
        browser.decide("accept")
        assert browser.answer["state"] == "state-1"
        return authority.redeem(code=browser.answer["code"], redirect_uri=CALLBACK, verifier="v" * 43, nonce="nonce-1")

    def refuse_refresh(self) -> None:
        self.control("POST", f"/sandbox/mailboxes/{self.address}/revoke")

    def deliver(self, *, subject: str = "Hello", body: str = "Hello", file: bytes = b"", folder: str = "inbox") -> str:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "Bob <bob@contoso.example>", self.address, subject
        mail["Message-ID"] = f"<{next(NUMBERS)}@contoso.example>"
        mail.set_content(body, subtype="html")
        if file:
            mail.add_attachment(file, maintype="application", subtype="octet-stream", filename="a.bin")
        message_id = self.sandbox.deliver(self.address, mail.as_bytes())
        if folder != "inbox":
            self.move(message_id, folder)
        return message_id

    def read(self, message_id: str) -> None:
        self.graph("PATCH", f"/messages/{quote(message_id)}", json={"isRead": True})

    def move(self, message_id: str, folder_id: str) -> None:
        self.graph("POST", f"/messages/{quote(message_id)}/move", json={"destinationId": folder_id})

    def purge(self, message_id: str) -> None:
        self.graph("POST", f"/messages/{quote(message_id)}/permanentDelete")

    def folder(self, name: str, parent: str | None = None) -> str:
        path = f"/mailFolders/{quote(parent)}/childFolders" if parent else "/mailFolders"
        return str(self.graph("POST", path, json={"displayName": name})["id"])

    def remove_folder(self, folder_id: str) -> None:
        self.graph("DELETE", f"/mailFolders/{quote(folder_id)}")

    def expire_cursors(self) -> None:
        self.control("POST", f"/sandbox/mailboxes/{self.address}/expire-delta")

    def trouble(self, step: str, *, after: bool = False, times: int = 1) -> None:
        method, path = STEPS[step]
        rule = {"match": {"method": method, "path": path}, "times": times, "reset": "after" if after else "before"}
        self.control("PUT", "/sandbox/faults", json={"rules": [rule], "except_token": self.own_token})

    def away(self, reply: str) -> None:
        headers = {"Authorization": f"Bearer {self.sandbox.token(self.colleague)}"}
        told = {"automaticRepliesSetting": {"status": "alwaysEnabled", "internalReplyMessage": reply}}
        self.control("PATCH", "/v1.0/me/mailboxSettings", headers=headers, json=told)

    def hook(self) -> str:
        self.server = self.server or Hook()
        return self.server.url

    def posted(self) -> bytes:
        assert self.server, "ask for hook() first"
        return self.server.next()


class Hook:
    """A webhook as small as it can be: answers the handshake, keeps what is posted."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._arrived = threading.Condition()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0]
                self.send_response(200 if token else 202)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                self.wfile.write(token.encode())
                if not token:
                    hook._take(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def _take(self, body: bytes) -> None:
        with self._arrived:
            self._bodies.append(body)
            self._arrived.notify_all()

    def next(self) -> bytes:
        with self._arrived:
            assert self._arrived.wait_for(lambda: bool(self._bodies), timeout=10), "nothing was posted"
            return self._bodies.pop(0)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@contextmanager
def memory_worlds() -> Iterator[Any]:
    yield MemoryWorld


@contextmanager
def microsoft_worlds() -> Iterator[Any]:
    with running_sandbox() as sandbox:
        yield lambda: SandboxWorld(sandbox)


# Every provider of the registry has to be here; a test says so.
WORLDS = {"memory": memory_worlds, "microsoft": microsoft_worlds}
