"""`postroom doctor`: what is right and what is not, each with what to do about it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psycopg

from postroom.config.env import Environment, SettingsError, load
from postroom.lib import http
from postroom.lib.crypto import BadKey, Keyring, generate_key
from postroom.lib.postgres import PostgresError, PostgresServer

OLDEST_SERVER = 150000
CLOCK_TOLERANCE_SECONDS = 120  # tokens and subscriptions stop making sense beyond it
_SERVER_STATE = """
select to_regclass('django_migrations') is not null, getdatabaseencoding(), extract(epoch from clock_timestamp())
"""
LOGIN, GRAPH = "https://login.microsoftonline.com", "https://graph.microsoft.com"


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `mend` is empty when it is right."""

    what: str
    state: str
    mend: str = ""


def examine(say: Callable[[str], None]) -> int:
    """Look at everything and say it; exit code 0 when nothing is wrong, 1 otherwise, 2 when nothing can be read."""
    try:
        environment = load()
    except SettingsError as problem:
        say(f"✗ settings: {problem}")
        return 2
    wrong = 0
    for look in (_secrets, _database, _public_url, _entra):
        for finding in look(environment):
            wrong += bool(finding.mend)
            say(f"{'✗' if finding.mend else '✓'} {finding.what}: {finding.state}")
            if finding.mend:
                say(f"  → {finding.mend}")
    say("Everything is in order." if not wrong else f"{wrong} to mend.")
    return 1 if wrong else 0


def generate_keys() -> str:
    """Lines for a .env file."""
    return f"POSTROOM_SECRET_KEY={secrets.token_urlsafe(48)}\nPOSTROOM_ENCRYPTION_KEYS={generate_key()}\n"


def _secrets(environment: Environment) -> Iterator[Finding]:
    generate = "generate both with `postroom doctor --generate-keys` and put them into .env"
    secret = environment.text("POSTROOM_SECRET_KEY")
    right = len(secret) >= 32
    yield Finding("secret key", "set" if right else "missing or too short", "" if right else generate)
    try:
        keys = environment.words("POSTROOM_ENCRYPTION_KEYS")
        Keyring(keys)
        yield Finding("encryption keys", f"{len(keys)} (the first seals, all open)")
    except BadKey as problem:
        yield Finding("encryption keys", str(problem), generate)


def _database(environment: Environment) -> Iterator[Finding]:
    server: PostgresServer | None = None
    try:
        parameters = environment.database()
        if parameters is None:
            server = PostgresServer(Path(environment.values["POSTROOM_HOME"]))
            dsn = server.start()
            where = f"embedded, in {server.base}"
        else:
            dsn, where = environment.text("DATABASE_URL"), f"on {parameters.get('host', 'this machine')}"
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            yield from _server_findings(connection, where)
    except (SettingsError, PostgresError, psycopg.OperationalError) as problem:
        first_line = str(problem).strip().split("\n")[0]
        yield Finding("database", first_line, "check DATABASE_URL, or unset it to use the embedded PostgreSQL")
    finally:
        if server is not None:
            server.stop()


def _server_findings(connection: psycopg.Connection[tuple[object, ...]], where: str) -> Iterator[Finding]:
    version = connection.info.server_version
    too_old = "Postroom needs PostgreSQL 15 or newer" if version < OLDEST_SERVER else ""
    yield Finding("database", f"PostgreSQL {version // 10000}.{version % 10000} {where}", too_old)
    row = connection.execute(_SERVER_STATE).fetchone()
    assert row is not None
    migrated, encoding, epoch = row
    yield Finding("tables", "there" if migrated else "missing", "" if migrated else "run `postroom migrate`")
    if encoding != "UTF8":
        yield Finding("encoding", str(encoding), "create the database with encoding UTF8")
    yield _clock("database's clock", float(str(epoch)))


def _clock(what: str, epoch: float) -> Finding:
    off = abs(epoch - time.time())
    mend = "" if off < CLOCK_TOLERANCE_SECONDS else "synchronise this machine's clock (NTP)"
    return Finding(what, f"{off:.0f} s apart from ours", mend)


def _public_url(environment: Environment) -> Iterator[Finding]:
    try:
        url = environment.url("POSTROOM_PUBLIC_URL", "")
    except SettingsError as problem:
        yield Finding("public URL", str(problem), "set it to the address members open")
        return
    if not url:
        yield Finding("public URL", "not set: mail is polled, real-time is off (members see that in Settings)")
        return
    local = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    if not local and not url.startswith("https://"):
        yield Finding("public URL", url, "Microsoft notifies https addresses only: put a TLS proxy in front")
        return
    try:
        with http.client(read_seconds=10) as client:
            answer = client.get(f"{url}/healthz")
        right = answer.status_code == 200
        mend = "" if right else "something else answers there: check the proxy's target and its Host header"
        yield Finding("public URL", f"{url} answers {answer.status_code}", mend)
    except httpx2.HTTPError as problem:
        yield Finding("public URL", f"{url}: {problem}", "start `postroom serve`, or check DNS, TLS and the proxy")


CALLBACK = "/mailboxes/connect/microsoft/callback"


def _entra(environment: Environment) -> Iterator[Finding]:
    register = (
        "register an app in Entra (docs/microsoft-setup.md) and set MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET"
    )
    for name in ("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET"):
        there = bool(environment.text(name))
        yield Finding(name, "set" if there else "not set", "" if there else register)
    base = environment.text("POSTROOM_PUBLIC_URL") or "http://127.0.0.1:8000"
    yield Finding("redirect URI", f"{base.rstrip('/')}{CALLBACK} (register it in Entra, to the letter)")
    try:
        login = environment.url("MICROSOFT_LOGIN_URL", LOGIN)
        graph = environment.url("MICROSOFT_GRAPH_URL", GRAPH)
    except SettingsError as problem:
        yield Finding("Microsoft", str(problem), "unset it to use Microsoft's own address")
        return
    tenant = environment.text("MICROSOFT_TENANT", "common")
    address = f"{login}/{tenant}/v2.0/.well-known/openid-configuration"
    with http.client(read_seconds=15) as client:
        yield from _discovery(client, address)
        yield from _graph(client, graph)


def _discovery(client: httpx2.Client, address: str) -> Iterator[Finding]:
    try:
        answer = http.fetch(client, "GET", address, max_bytes=1_000_000)
        issuer = json.loads(answer.content)["issuer"] if answer.status_code == 200 else ""
    except (httpx2.HTTPError, ValueError, KeyError) as problem:
        yield Finding("Entra", f"{address}: {problem}", "allow outgoing HTTPS to it, or check MICROSOFT_LOGIN_URL")
        return
    mend = "" if issuer else "check MICROSOFT_TENANT: common, organizations, or your tenant's id"
    yield Finding("Entra", f"answers {answer.status_code}" + (f", issuer {issuer}" if issuer else ""), mend)
    if date := answer.headers.get("date"):
        yield _clock("Microsoft's clock", _epoch(date))


def _graph(client: httpx2.Client, graph: str) -> Iterator[Finding]:
    try:
        answer = http.fetch(client, "GET", f"{graph}/v1.0/me", max_bytes=1_000_000)
    except httpx2.HTTPError as problem:
        yield Finding("Graph", f"{graph}: {problem}", "allow outgoing HTTPS to it, or check MICROSOFT_GRAPH_URL")
        return
    right = answer.status_code == 401  # nobody is signed in: so it is Graph
    yield Finding("Graph", f"answers {answer.status_code}", "" if right else "check MICROSOFT_GRAPH_URL")


def _epoch(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return datetime.now(UTC).timestamp()
