"""What the benchmarks share: a database of their own, a local Microsoft 365 in its own process, mail to fill it with.

Nothing here touches the installation somebody works with: homes are temporary (or `var/bench` for what is worth
keeping), the database server runs with the settings of production, durability included.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from postroom.lib.crypto import generate_key
from postroom.lib.postgres import DATABASE, PostgresServer

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus" / "threads"
OWNER = "robin@northwind.example"
SCOPES = ["offline_access", "User.Read", "Mail.ReadWrite", "Mail.Send"]


def note(text: str) -> None:
    """Progress, for a person who waits; results alone go to stdout."""
    print(text, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


# -- database ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def home(kept: str = "") -> Iterator[Path]:
    """An empty temporary home; with `kept` the directory of that name in `var/bench`, which stays."""
    if kept:
        path = ROOT / "var" / "bench" / kept
        path.mkdir(parents=True, exist_ok=True)
        yield path
        return
    path = Path(tempfile.mkdtemp(prefix="postroom-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def database_server(where: Path, *, keep: bool = False) -> Iterator[PostgresServer]:
    """A running embedded server; its data goes with the block unless `keep`."""
    server = PostgresServer(where)
    server.start()
    try:
        yield server
    finally:
        with contextlib.suppress(Exception):
            _leave_database()
        if keep:
            server.stop()
        else:
            server.destroy()


def _leave_database() -> None:
    from django.db import connections

    connections.close_all()


def environment(where: Path, sandbox: str = "http://127.0.0.1:1") -> dict[str, str]:
    """The settings of an installation in `where` whose Microsoft is the sandbox."""
    return {
        "POSTROOM_HOME": str(where),
        "POSTROOM_SECRET_KEY": secrets.token_urlsafe(48),
        "POSTROOM_ENCRYPTION_KEYS": generate_key(),
        "POSTROOM_PUBLIC_URL": "http://127.0.0.1:1",  # as with push on; nobody listens, and nothing is delivered
        "POSTROOM_LOG_LEVEL": "WARNING",
        "DATABASE_URL": "",
        "MICROSOFT_CLIENT_ID": "8f6c2b1e-4d7a-4c53-9e21-6b0d5a3f7c90",
        "MICROSOFT_CLIENT_SECRET": "sandbox-client-secret",
        "MICROSOFT_TENANT": "common",
        "MICROSOFT_LOGIN_URL": sandbox,
        "MICROSOFT_GRAPH_URL": sandbox,
        "DJANGO_SETTINGS_MODULE": "postroom.config.settings",
    }


def set_up(settings: Mapping[str, str], *, database: str = DATABASE) -> None:
    """Django in this process, on `database` of the embedded server."""
    import django

    os.environ.update(settings)
    django.setup()
    from django.conf import settings as made
    from django.db import connection

    connection.settings_dict["NAME"] = made.DATABASES["default"]["NAME"] = database


def migrate() -> None:
    """The schema of the current database."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def owner_and_contacts(addresses: Sequence[str], companies: int = 50) -> Any:
    """A workspace with its admin, and a contact for each address (the first ones' domains are companies)."""
    from postroom.accounts.models import User
    from postroom.records.models import Company, CompanyDomain, Person, PersonAddress
    from postroom.workspaces.commands import add_member, create_workspace

    workspace = create_workspace("Northwind")
    member = add_member(workspace, User.objects.create_user(OWNER, "Robin"), role="Admin")
    people = [Person(workspace=workspace, name=a.partition("@")[0], owner=member) for a in addresses]
    for person, address in zip(Person.objects.bulk_create(people), addresses, strict=True):
        PersonAddress.objects.create(workspace=workspace, person=person, address=address)
    for domain in list(dict.fromkeys(a.rpartition("@")[2] for a in addresses))[:companies]:
        company = Company.objects.create(workspace=workspace, name=domain, owner=member)
        CompanyDomain.objects.create(workspace=workspace, company=company, domain=domain)
    return member


# -- the other side ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def sandbox(where: Path) -> Iterator[str]:
    """The local Microsoft 365 with its state in `where`, in a process of its own. Gives its origin."""
    command = [sys.executable, "-m", "postroom_sandbox", "--port", "0", "--empty", "--home", str(where)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(20)


def call(origin: str, method: str, path: str, body: object = None, *, raw: bytes = b"") -> bytes:
    """One control call. Raises RuntimeError when it is refused."""
    connection = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=120)
    try:
        connection.request(method, path, raw or (json.dumps(body) if body is not None else None))
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
    return content


def token(origin: str, address: str = OWNER) -> str:
    """An access token for Graph."""
    return str(json.loads(call(origin, "POST", "/sandbox/tokens", {"user": address, "scopes": SCOPES}))["access_token"])


def fill(where: Path, size: int = 0) -> str:
    """Puts mail into OWNER's mailbox: the real threads of the corpus, or `size` generated messages.

    Returns what it is, in words.
    """
    from postroom_sandbox.world import World

    world = World(where)
    try:
        with world.operation():
            mailbox = world.mailbox(world.users.add(OWNER, "Robin"))
            mailbox.quiet = True
            world.set_setting("seeded", "yes")
        if size or not CORPUS.is_dir():
            _generated(world, size or 8_000)
            return "generated mail"
        _real(world)
        return "real mail"
    finally:
        world.close()


def _real(world: Any) -> None:
    from postroom_sandbox.seeding import import_file

    for number, path in enumerate(sorted(CORPUS.glob("*.mbox.xz"))):
        import_file(world, path, address=OWNER, folder="inbox" if number % 2 else f"Lists/{path.stem[:20]}")


def _generated(world: Any, size: int) -> None:
    from postroom_sandbox import company
    from postroom_sandbox.clock import seconds_of

    stream = next(messages for address, messages in company.generate(size="large").mailboxes if address == OWNER)
    with world.operation():
        mailbox = world.mailbox(world.user_by_address(OWNER))
        mailbox.quiet = True
        for number, item in enumerate(islice(stream, size)):
            folder = mailbox.tree.at_path(item.folder_path)
            world.transport.file(mailbox, item.raw, folder, received=seconds_of(item.received), is_read=item.is_read)
            if number % 2_000 == 1_999:
                world.commit()


def senders(origin: str, count: int = 500) -> list[str]:
    """The addresses that wrote most, as a CRM would know them."""
    lines = call(origin, "GET", f"/sandbox/mailboxes/{OWNER}/dump").splitlines()
    found = Counter(str(json.loads(line).get("from") or "").lower() for line in lines)
    return [address for address, _ in found.most_common() if address.count("@") == 1 and address != OWNER][:count]


# -- results -------------------------------------------------------------------------------------------------------


def result(
    name: str,
    work: str,
    postroom: float,
    *,
    peers: Mapping[str, float] | None = None,
    ratio: float | None = None,
    limit: float | None = None,
    of_limit: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One line of output (contracts/interfaces.md)."""
    line = {"name": name, "work": work, "postroom": postroom, "peers": dict(peers or {})}
    return {**line, "ratio": ratio, "limit": limit, "of_limit": of_limit, **more}


def child(arguments: Sequence[str], settings: Mapping[str, str], *, timeout: float = 900) -> dict[str, Any]:
    """Runs `python -m …` with these settings and returns the last line it printed, as JSON."""
    run = subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        check=True,
    )
    return dict(json.loads(run.stdout.strip().splitlines()[-1]))


Bench = Callable[[int], Iterator[dict[str, Any]]]
