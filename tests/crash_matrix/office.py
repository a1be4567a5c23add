"""An office: a mailbox at the sandbox, connected and at rest, and one worker whose accidents are told beforehand.

Everything is in virtual time and one database transaction, which is rolled back at the end.
"""

from __future__ import annotations

import os
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from unittest.mock import patch

import httpx2
from django.test import override_settings

from postroom.accounts.models import User
from postroom.lib import clock
from postroom.mail.dump import dump
from postroom.mail.models import Composition, Message
from postroom.mail.outbound import servers
from postroom.mail.sync import backfill
from postroom.mailboxes import commands, grants
from postroom.mailboxes.models import Mailbox
from postroom.providers import budget, registry
from postroom.providers.microsoft import client, sending, upload
from postroom.sync import lanes, mailbox_hooks
from postroom.sync.models import Activity, Lane
from postroom.workspaces.commands import add_member, create_workspace
from postroom.workspaces.models import Membership
from postroom_sandbox.clock import Clock
from postroom_sandbox.testing import Sandbox, running_sandbox
from tests.platform.mail_server import MailServer, Taken, mail_server
from tests.proofs.together import difference, forget_process, microsoft
from tests.simulation import world as simulated
from tests.simulation.workers import Killed, Workers

ADDRESS = "ada@northwind.example"
COLLEAGUE, THIRD = "ben@northwind.example", "cleo@northwind.example"
OUTSIDE = "dirk@contoso.example"
PART = 2 * 320 * 1024  # so that a file of three megabytes has several parts
_FOLDERS = {"inbox": "Inbox", "sentitems": "Sent Items", "drafts": "Drafts"}
LONGEST = timedelta(hours=6)  # in which a message has to have come to its end
SENDING = Composition.State.SENDING


class Accident(NamedTuple):
    """``kind``: kill, reset before, reset after. ``at``: at which moment (kill) or request (reset), counted from the
    last accident; or at the next request whose name begins so."""

    kind: str
    at: int | str

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"


@dataclass
class Office:
    sandbox: Sandbox
    held: clock.Clock
    member: Membership
    workers: Workers
    http: httpx2.Client
    relay: MailServer  # the workspace's own mail server
    mailbox: Mailbox = field(init=False)
    letter: Message = field(init=False)  # what answers answer
    ticks: float = 0.0
    requests: int = 0  # that the worker made since the last accident
    pending: list[Accident] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)  # moments and requests of the last message, since its last accident
    asked: list[str] = field(default_factory=list)  # the requests made for the last message
    last: str = ""  # what the worker was about to do, or had just done
    _since: int = 0  # moments that had passed at the last accident
    _tokens: dict[str, str] = field(default_factory=dict)
    _folders: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def moments(self) -> int:
        """Moments since the last accident."""
        return self.workers.moments - self._since

    # -- time and work

    def advance(self, by: timedelta) -> None:
        self.ticks += by.total_seconds()
        self.held.advance(by)
        self.sandbox.world.clock.advance(by.total_seconds())
        self.sandbox.world.transport.run_due()

    def send(self, composition: Composition, accidents: Sequence[Accident] = ()) -> None:
        """Work until the message has come to its end and nothing is due soon, with these accidents on the way."""
        self.pending, self.happened, self.asked = list(accidents), [], []
        self.requests, self._since = 0, self.workers.moments
        until = self.held.at + LONGEST
        while self.held.at < until and Composition.objects.get(pk=composition.pk).state == SENDING:
            self._next(until)
        self.pending.clear()
        self._arm()  # what was to happen to this message does not happen to the next
        self.size = (self.moments, self.requests)
        self.rest()

    def rest(self, ahead: timedelta = timedelta(minutes=1)) -> None:
        until = self.held.at + ahead
        while self._next(until):
            pass

    def _next(self, until: Any) -> bool:
        """Run what is due, or let time pass until something is. False when nothing is due until then."""
        lane = Lane.objects.filter(mailbox=self.mailbox, paused=False, due_at__lte=until).order_by("due_at").first()
        if lane is None or lane.due_at is None:
            self.advance(max(timedelta(0), until - self.held.at))
            return False
        if lane.due_at > self.held.at:
            self.advance(lane.due_at - self.held.at)
        self._run()
        return True

    def _run(self) -> None:
        worker = self.workers.all[0]
        worker.begin(self.mailbox.pk)
        self._arm()
        self.workers.run(worker)
        if worker.failed is not None:
            raise worker.failed
        if not worker.done:  # it was killed: its lease runs out, and a process that knows nothing goes on
            assert self.pending, f"a worker ended with no accident before it: {self.last}"
            self._struck()
            registry.connector.cache_clear()
            self.advance(lanes.LEASE + timedelta(seconds=1))

    def _struck(self) -> None:
        self.happened.append(f"{self.pending.pop(0)} ({self.last})")
        self.requests, self._since = 0, self.workers.moments
        self._arm()

    def _arm(self) -> None:
        """If the next accident is a kill, its moment is counted down from now on."""
        at = self.pending[0].at if self.pending and self.pending[0].kind == "kill" else ""
        self.workers.all[0].fate = at - self.moments if isinstance(at, int) else 0

    # -- the way to the provider

    def request(self, handle: Any, transport: Any, request: httpx2.Request) -> httpx2.Response:
        """One request: a moment before, a moment after, and the connection lost where it was told to be."""
        if self.workers.current is None or request.url.path.endswith("/token"):  # when one is asked for is chance
            answer: httpx2.Response = handle(transport, request)
            return answer
        self.requests += 1
        self.asked.append(f"{request.method} {request.url.path.rpartition('/')[2][:30]}")
        what = self.asked[-1]
        self._point("reset before", f"before {what}")
        response: httpx2.Response = handle(transport, request)
        response.read()
        self._point("reset after", f"after {what}")
        return response

    def _point(self, kind: str, what: str) -> None:
        self.last = what
        self.workers.moment()
        if not self.pending or not self._meets(self.pending[0], kind):
            return
        if self.pending[0].kind == "kill":
            raise Killed
        self._struck()
        raise ConnectionResetError if " SMTP " in what else httpx2.ReadError("connection reset")

    def _meets(self, accident: Accident, kind: str) -> bool:
        """Whether this accident happens at this point. A kill that is told by a request's name comes after it."""
        if isinstance(accident.at, int):
            return accident == Accident(kind, self.requests)
        named = self.asked[-1].startswith(accident.at)
        return named and (accident.kind == kind or (accident.kind == "kill" and kind == "reset after"))

    def spoken(self, send: Any, smtp: Any, text: Any) -> None:
        """Something is said to the mail server."""
        if self.workers.current is not None:
            words = text if isinstance(text, str) else ""
            self.requests += 1
            self.asked.append(f"SMTP {words[:4].strip() or 'text'}")
            self._point("reset before", f"before {self.asked[-1]}")
        send(smtp, text)

    def heard(self, listen: Any, smtp: Any) -> Any:
        """It has answered."""
        answer = listen(smtp)
        if self.workers.current is not None and self.asked:
            self._point("reset after", f"after {self.asked[-1]}")
        return answer

    # -- the provider's side

    def bring(self, taken: Taken) -> None:
        """The mail server hands on what it took, to whom it knows."""
        for address in taken.recipients:
            if address in (ADDRESS, COLLEAGUE, THIRD):
                self.sandbox.deliver(address, taken.content)

    def graph(self, address: str, method: str, path: str, body: Any = None) -> Any:
        """What somebody at the provider does or sees; JSON, or the bytes of ``$value``."""
        if address not in self._tokens:
            self._tokens[address] = self.sandbox.token(address, minutes=60 * 24 * 400)
        headers = {"Authorization": f"Bearer {self._tokens[address]}", "Prefer": 'IdType="ImmutableId"'}
        answer = self.http.request(method, f"/v1.0/me{path}", json=body, headers=headers).raise_for_status()
        return answer.content if path.endswith("$value") else answer.json() if answer.content else None

    def folders(self, address: str) -> dict[str, str]:
        """The names of somebody's well-known folders, by id; asked once."""
        if address not in self._folders:
            ids = {name: self.graph(address, "GET", f"/mailFolders/{role}")["id"] for role, name in _FOLDERS.items()}
            self._folders[address] = {identifier: name for name, identifier in ids.items()}
        return self._folders[address]

    def differences(self) -> list[str]:
        """What the two sides do not agree on, once the product has asked for everything."""
        Lane.objects.filter(mailbox=self.mailbox).update(paused=False)
        mailbox_hooks.sync_now(self.mailbox)
        self.rest()
        answer = self.http.get(f"/sandbox/mailboxes/{ADDRESS}/dump")
        return difference(list(dump(self.mailbox)), answer.text.split("\n")[:-1])


# --- opening one ---------------------------------------------------------------------------------------------------


@contextmanager
def office() -> Iterator[Office]:
    """A fresh one, connected and at rest."""
    with ExitStack() as stack:
        stack.enter_context(simulated._quiet())
        there = Clock(frozen_at=simulated.START)
        sandbox = stack.enter_context(running_sandbox(clock=there))
        held = stack.enter_context(clock.frozen(simulated.START))
        stack.enter_context(simulated._one_transaction())
        for address in (ADDRESS, COLLEAGUE, THIRD):
            sandbox.user(address)
        relay = stack.enter_context(mail_server())
        http = stack.enter_context(httpx2.Client(base_url=sandbox.url, trust_env=False))
        found = Office(sandbox=sandbox, held=held, member=_member(), workers=Workers(1), http=http, relay=relay)
        relay.delivered = found.bring
        for hook in _hooks(found):
            stack.enter_context(hook)
        forget_process()
        stack.callback(forget_process)
        _connect(found)
        stack.enter_context(found.workers.watching())
        yield found


def _member() -> Membership:
    workspace = create_workspace("Northwind", slug="northwind-matrix")
    return add_member(workspace, User.objects.create_user(email=ADDRESS, password=None), role="Admin")


def _connect(found: Office) -> None:
    """One letter from a colleague, with a file, is there; from then on only the outbox works."""
    letter = {
        "subject": "Offer",
        "body": {"contentType": "html", "content": "<p>Could you send it?</p>"},
        "toRecipients": [{"emailAddress": {"address": ADDRESS}}],
        "ccRecipients": [{"emailAddress": {"address": THIRD}}],
        "attachments": [
            {"@odata.type": "#microsoft.graph.fileAttachment", "name": "plan.txt", "contentBytes": "cGxhbg=="}
        ],
    }
    found.graph(COLLEAGUE, "POST", "/sendMail", {"message": letter})
    found.advance(timedelta(seconds=5))
    found.mailbox = commands.connect_sandbox(ADDRESS, "all")
    with found.workers.watching():
        found.rest()
    server = {"host": "127.0.0.1", "port": found.relay.port, "security": "none", "steps_in": False}
    servers.save(found.member.workspace, password=None, domains=["northwind.example"], **server)
    found.letter = Message.objects.get(mailbox=found.mailbox, subject="Offer")
    Lane.objects.filter(mailbox=found.mailbox).exclude(activity=Activity.OUTBOX).update(paused=True)


def _hooks(found: Office) -> Iterator[Any]:
    given = microsoft(found.sandbox.url)
    yield patch.dict(os.environ, given)
    yield override_settings(**given, POSTROOM_PUBLIC_URL="", POSTROOM_MAIL_HOSTS=["127.0.0.1"])
    yield patch.object(lanes, "wake", lambda *mailbox_ids: None)
    yield patch.object(lanes, "soon", lambda mailbox_id: None)
    yield patch.object(grants, "_apart", lambda work: work())
    yield patch.object(backfill, "ThreadPoolExecutor", simulated._Inline)
    yield patch.object(budget, "_budgets", simulated._Budgets(found))  # type: ignore[arg-type]
    yield patch.object(upload, "PART", PART)

    def pass_time(seconds: float) -> None:
        found.advance(timedelta(seconds=seconds))

    yield patch.object(sending.Sending, "_sleep", staticmethod(pass_time))
    yield patch.dict(client.Graph.__init__.__kwdefaults__, {"sleep": pass_time})
    say, listen = smtplib.SMTP.send, smtplib.SMTP.getreply
    yield patch.object(smtplib.SMTP, "send", lambda smtp, text: found.spoken(say, smtp, text))
    yield patch.object(smtplib.SMTP, "getreply", lambda smtp: found.heard(listen, smtp))
    handle = httpx2.HTTPTransport.handle_request
    yield patch.object(
        httpx2.HTTPTransport, "handle_request", lambda transport, request: found.request(handle, transport, request)
    )
