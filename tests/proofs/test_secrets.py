"""No secret lies open in the database or in a log (issue 3, "Must show"): searched for by value, after everything that
handles secrets was done, well and badly, with every logger at DEBUG.

What is secret is not listed by hand: it is what went through the sealing, what both sides exchanged over HTTP, what
people typed, and the cookies of their browsers.
"""

from __future__ import annotations

import io
import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from postroom.accounts import microsoft, second_factor
from postroom.accounts.models import User
from postroom.lib.crypto import Keyring
from postroom.mailboxes import grants
from postroom.mailboxes.models import Connection, Mailbox
from postroom.providers.errors import ProviderError
from postroom.sync import mailbox_hooks, runner
from postroom.workspaces import sign_in as policy
from postroom.workspaces.models import Role
from postroom_sandbox.entra import DEFAULT_CLIENT_SECRET
from tests.proofs import at_microsoft
from tests.proofs.together import ADDRESS, COLLEAGUE, Together, running

PASSWORD = "Correct-horse-battery-9"
HIDDEN_FIELDS = {
    "access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "client_assertion", "nonce",
    "verifier",
}  # fmt: skip
SHORTEST = 6  # characters of what can be searched for without finding it everywhere


class Secrets:
    """Every secret value that came by, with where it was seen."""

    def __init__(self) -> None:
        self.values: dict[str, set[str]] = {}

    def add(self, value: object, where: str) -> None:
        if isinstance(value, str) and len(value) >= SHORTEST:
            self.values.setdefault(value, set()).add(where)

    def add_within(self, document: object, where: str) -> None:
        """The secret fields of a JSON document, however deep."""
        if isinstance(document, dict):
            for name, value in document.items():
                if name in HIDDEN_FIELDS:
                    self.add(value, f"{where} {name}")
                else:
                    self.add_within(value, where)
        elif isinstance(document, list):
            for one in document:
                self.add_within(one, where)

    def found_in(self, text: str) -> list[str]:
        """Where from the secrets are that stand in a text; never the secrets themselves."""
        return sorted({" = ".join(sorted(wheres)) for value, wheres in self.values.items() if value in text})


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Collects what is sealed from now on."""
    kept = Secrets()
    seal = Keyring.seal

    def watched(ring: Keyring, secret: bytes, place: Any) -> bytes:
        text = secret.decode()
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if isinstance(document, dict):
            kept.add_within(document, f"sealed as {place[-1]}")
        elif isinstance(document, list):
            for one in document:
                kept.add(one, f"sealed as {place[-1]}")
        else:
            kept.add(text, f"sealed as {place[-1]}")
        return seal(ring, secret, place)

    monkeypatch.setattr(Keyring, "seal", watched)
    kept.add(DEFAULT_CLIENT_SECRET, "client secret")
    kept.add(PASSWORD, "password")
    return kept


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All loggers at DEBUG, with tracebacks, as text; but for two of Django's that quote everything and that no setting
    of ours can turn on: what a template was given, what a statement was given."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(lambda record: not record.name.startswith(("django.db", "django.template")))
    loggers = [logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    before = [(one, one.level, one.disabled) for one in loggers]
    for one in loggers:
        one.setLevel(logging.DEBUG)
        one.disabled = False
    logging.root.addHandler(handler)
    try:
        yield written
    finally:
        logging.root.removeHandler(handler)
        for one, level, disabled in before:
            one.setLevel(level)
            one.disabled = disabled


def exchanged(both: Together, secrets: Secrets) -> None:
    """What went over the wire: bearer tokens, the bodies of /token, the codes in addresses."""
    for exchange in list(both.sandbox.world.traffic._kept):
        bearer = str(exchange.request.headers.get("authorization", ""))
        secrets.add(bearer.partition(" ")[2], "bearer token")
        for text in (exchange.request.body, exchange.response.body):
            whole = bytes(text or b"").decode(errors="replace")
            secrets.add_within(dict(parse_qsl(whole)) if "&" in whole[:2000] else _json(whole), "exchanged")


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def returned(secrets: Secrets, where: str) -> str:
    """Keeps the code of the address Microsoft sends the browser back to."""
    secrets.add_within(dict(parse_qsl(urlsplit(where).query)), "callback")
    return where


def cookies(secrets: Secrets, client: Client) -> None:
    for cookie in client.cookies.values():
        secrets.add(cookie.value, f"cookie {cookie.key}")


def dump() -> str:
    """Every row of every table, what is packed in it unpacked: bytes as text, sessions as what they hold."""
    parts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            with cursor.copy(f'copy (select * from "{table}") to stdout') as rows:
                parts.append(b"".join(rows).decode())
    text = "\n".join(parts)
    packed = (bytes.fromhex(one).decode("latin-1") for one in re.findall(r"\\\\x((?:[0-9a-f]{2})+)", text))
    sessions = (json.dumps(one.get_decoded()) for one in Session.objects.all())
    return "\n".join([text, *packed, *sessions])


# --- the flows ---------------------------------------------------------------------------------------------------


def people_sign_in(client: Client, both: Together, secrets: Secrets) -> User:
    """A password, a wrong one, an authenticator app, a code, Microsoft."""
    user = both.member.user
    user.set_password(PASSWORD)
    user.save()
    policy.allow_tenant(
        both.member.workspace, both.sandbox.user(COLLEAGUE).tenant_id, "Northwind",
        Role.objects.get(workspace=both.member.workspace, name="Member"),
    )  # fmt: skip
    client.post("/sign-in/", {"email": ADDRESS, "password": f"{PASSWORD}-wrong"})
    client.post("/sign-in/", {"email": ADDRESS, "password": PASSWORD})
    cookies(secrets, client)
    secret = "".join(client.get("/settings/security/authenticator/").context["groups"])
    secrets.add(secret, "authenticator secret")
    code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
    client.post("/settings/security/authenticator/", {"code": code})
    assert second_factor.has(user)
    for recovery in second_factor.recovery_codes(user):
        secrets.add(recovery, "recovery code")
    microsoft._provider.cache_clear()
    other = Client()
    where = returned(secrets, at_microsoft.sign_in(other.post("/sign-in/microsoft/").url, COLLEAGUE))
    assert at_microsoft.come_back(other, where).status_code == 302
    assert at_microsoft.come_back(other, where).status_code == 403
    cookies(secrets, other)
    Client().post("/sign-in/microsoft/")  # on the way, never to come back: its verifier waits in a session
    return user


def a_mailbox_is_connected(client: Client, secrets: Secrets) -> Mailbox:
    """By its pages; once more with an answer that was used, one that is made up and one that was declined."""
    path = "/mailboxes/connect/microsoft/"
    begun = client.post(path, {"feature": ["mail", "sending"]})
    where = returned(secrets, at_microsoft.sign_in(begun.url, ADDRESS))
    at_microsoft.come_back(client, where)
    at_microsoft.come_back(client, where)
    client.get(f"{path}callback?state=made-up&code=a-made-up-code-0123456789")
    secrets.add("a-made-up-code-0123456789", "callback made-up code")
    begun = client.post(path, {"feature": ["mail"]})
    at_microsoft.come_back(client, at_microsoft.sign_in(begun.url, COLLEAGUE, decision="cancel"))
    client.post(path, {"feature": ["mail"]})  # and one that waits
    mailbox = Mailbox.objects.get()
    client.post(f"/mailboxes/{mailbox.pk}/history/", {"history": "all"})
    return mailbox


def it_is_synced_and_fails(both: Together, mailbox: Mailbox) -> None:
    """Mail, a provider that stumbles, tokens that expire, a refused refresh, a challenge, a mistake of ours."""
    address = mailbox.address
    both.import_(address, b"From a@b.example Sat Nov 21 10:00:00 2026\nFrom: a@b.example\nSubject: x\n\nhello\n\n")
    both.settle(mailbox)
    trouble = (
        "expire-tokens",  # a refresh
        "claims-challenge",  # 401 with a challenge
        "revoke",  # a refresh that is refused, and then no token at all
    )
    for what in trouble:
        both.http.post(f"/sandbox/mailboxes/{address}/{what}", json={}).raise_for_status()
        both.http.post(f"/sandbox/mailboxes/{address}/expire-tokens")
        mailbox_hooks.sync_now(mailbox)
        runner.run_mailbox(mailbox.pk)
    owner = Connection.objects.get()
    for _ in range(2):
        try:
            grants.Tokens(owner.pk)(rejected="something")
        except ProviderError as problem:
            logging.getLogger("postroom.tests").exception("a failure of the provider: %s %r", problem, problem)
    try:
        raise RuntimeError("a mistake of ours", grants.open_grant(owner).expires, owner)
    except RuntimeError:
        logging.getLogger("postroom.tests").exception("a mistake")


def test_no_secret_lies_open_in_the_database_or_in_a_log(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any, secrets: Secrets
) -> None:
    with everything_logged() as written, running(monkeypatch, settings) as both:
        settings.POSTROOM_BASE_URL = "http://127.0.0.1:8000"
        client = Client(raise_request_exception=False, headers={"Host": "127.0.0.1:8000"})
        people_sign_in(client, both, secrets)
        mailbox = a_mailbox_is_connected(client, secrets)
        it_is_synced_and_fails(both, mailbox)
        exchanged(both, secrets)
        stored, logged = dump(), written.getvalue()

    kinds = set().union(*secrets.values.values())
    for expected in ("bearer token", "exchanged refresh_token", "exchanged code_verifier", "exchanged code",
                     "recovery code", "cookie postroom", "authenticator secret", "callback code"):  # fmt: skip
        assert expected in kinds, (expected, sorted(kinds))
    assert len(logged) > 20_000, "the loggers were not at DEBUG"
    assert len(stored) > 20_000
    in_database = [where for where in secrets.found_in(stored) if not where.startswith("cookie postroom")]
    assert in_database == []  # (a session's key is how the database finds it)
    quoting = [line.split(" ")[3] for line in logged.splitlines() if secrets.found_in(line)]
    assert (secrets.found_in(logged), quoting) == ([], [])
