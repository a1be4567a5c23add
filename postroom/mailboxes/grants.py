"""Grants: sealed in the row, opened to be used, refreshed once for everybody.

The refresh of one connection happens under a lock on its row, in a transaction that holds nothing else, and whoever
waited for the lock looks first whether a fresh token is there already. So an expiry costs one request among any number
of threads and machines, and a rotated refresh token is kept even when its caller fails later (design.md section 4).
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TypeVar

import msgspec
from django.db import OperationalError, connection, transaction

from postroom.accounts.keys import keyring
from postroom.lib.clock import now
from postroom.lib.crypto import CannotOpen
from postroom.lib.resealing import reseal_rows
from postroom.mailboxes import features
from postroom.mailboxes.failures import NEEDS_SIGN_IN, clear_connection, mark_connection
from postroom.mailboxes.models import Connection, Failure
from postroom.providers import errors, registry
from postroom.providers.contract import Grant

log = logging.getLogger(__name__)
T = TypeVar("T")

EARLY = timedelta(minutes=5)  # a token this close to its end is renewed: it has to last through a long request
LOCK_WAIT = "40s"  # longer than a refresh takes; then the caller tries again later instead of hanging


def place(owner: Connection) -> tuple[str, str, str]:
    """The associated data of a connection's box: a copy in another row stays shut."""
    return (f"workspace {owner.workspace_id}", f"connection {owner.pk}", "grant")


def open_grant(owner: Connection) -> Grant:
    """The grant of a stored connection. Raises ``errors.ReauthNeeded`` when it was erased, ``errors.OperatorFault``
    when this process has not got the key."""
    if not owner.sealed_grant:
        raise errors.ReauthNeeded("the grant was erased", reason="revoked")
    try:
        return msgspec.json.decode(keyring().open(owner.sealed_grant, place(owner)), type=Grant)
    except CannotOpen as problem:
        raise errors.OperatorFault(f"POSTROOM_ENCRYPTION_KEYS: {problem}", code="grant_sealed") from None


def keep(owner: Connection, grant: Grant, *, before: Grant | None = None) -> Grant:
    """Seal a grant into its (stored) connection and take back a failure. What a refresh left out stays as it was."""
    whole = msgspec.structs.replace(
        grant,
        refresh_token=grant.refresh_token or (before and before.refresh_token),
        scopes=grant.scopes or (before.scopes if before else frozenset()),
        account=grant.account or (before and before.account),
    )
    owner.sealed_grant = keyring().seal(msgspec.json.encode(whole), place(owner))
    was_on = features.granted_names(owner) if before and whole.scopes != before.scopes else []
    owner.access_expires, owner.scopes = whole.expires, sorted(whole.scopes)
    clear_connection(owner)
    owner.save(update_fields=["sealed_grant", "access_expires", "scopes", "failure", "failure_code", "failure_claims"])
    if was_on:
        features.note_answer(owner, was_on)  # taken back at the provider: off, and said so
    return whole


def erase(owner: Connection) -> None:
    """Forget the grant; the connection can only be reconnected from now on."""
    owner.sealed_grant, owner.access_expires = b"", None
    owner.save(update_fields=["sealed_grant", "access_expires"])


def reseal() -> int:
    """Bring every grant under the newest key, as ``reseal_rows`` says."""
    return reseal_rows(Connection.objects.exclude(sealed_grant=b""), "sealed_grant", place, keyring())


class Tokens:
    """The ``TokenSource`` of a connection. Threads may share one. ``read``: its row as it was read a moment ago, which
    serves for the first token if that is still good."""

    def __init__(self, connection_id: int, *, read: Connection | None = None) -> None:
        self.connection_id = connection_id
        self._read = read
        self._grant: Grant | None = None
        self._lock = threading.Lock()

    def __call__(self, *, rejected: str | None = None, claims: str | None = None) -> str:
        """A valid access token. Raises ``ReauthNeeded``, ``OperatorFault``, ``AccessLost`` or ``Transient``."""
        with self._lock:
            if self._grant is None or not _usable(self._grant, rejected):
                row, self._read = self._read, None
                self._grant = current(self.connection_id, rejected=rejected, claims=claims, read=row)
            return self._grant.access_token


def current(
    connection_id: int, *, rejected: str | None = None, claims: str | None = None, read: Connection | None = None
) -> Grant:
    """The connection's grant with an access token that is valid for a while and is not ``rejected``. ``read``: the row,
    where it is at hand."""
    owner = read or Connection.objects.filter(pk=connection_id).first()
    if owner is None:
        raise errors.AccessLost("the mailbox was disconnected", reason="delegate")
    _refuse_if_failed(owner)
    grant = open_grant(owner)
    if _usable(grant, rejected):
        return grant
    try:
        outcome = _apart(partial(_refreshed, connection_id, rejected, claims))
    except OperationalError as problem:  # lock_timeout, or the database went away
        raise errors.Transient("another refresh of this connection takes long", code="refresh_busy") from problem
    if isinstance(outcome, errors.ProviderError):
        raise outcome
    return outcome


def _usable(grant: Grant, rejected: str | None) -> bool:
    return grant.access_token != rejected and grant.expires - now() > EARLY


def _refuse_if_failed(owner: Connection) -> None:
    """A refused refresh token is never offered again (graph.md 1.8): only a new sign-in helps."""
    if owner.failure in NEEDS_SIGN_IN:
        raise errors.ReauthNeeded(
            f"waiting for a new sign-in ({owner.failure})",
            reason=owner.failure,
            claims=owner.failure_claims,
            code=owner.failure_code,
        )


def _refreshed(connection_id: int, rejected: str | None, claims: str | None) -> Grant | errors.ProviderError:
    """Refresh under the row's lock. A refusal is stored and returned, not raised: raising would undo the storing."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select set_config('lock_timeout', %s, true)", [LOCK_WAIT])
        owner = Connection.objects.select_for_update(no_key=True).get(pk=connection_id)
        _refuse_if_failed(owner)
        grant = open_grant(owner)
        if _usable(grant, rejected):
            return grant  # somebody else was faster
        try:
            fresh = registry.connector(owner.provider).authority().refresh(grant, claims=claims or "")
        except (errors.ReauthNeeded, errors.OperatorFault, errors.AccessLost) as error:
            if claims and not getattr(error, "claims", ""):
                error.claims = claims  # type: ignore[union-attr]  # Graph's challenge: the next sign-in must answer it
            mark_connection(owner, error)
            return error
        log.info("connection %s: token renewed until %s", owner.pk, f"{fresh.expires:%H:%M}")
        return keep(owner, fresh, before=grant)


def _apart(work: Callable[[], T]) -> T:
    """Run ``work`` in a transaction of its own, on another database connection if the caller is inside one."""
    blocks = connection.atomic_blocks
    if not blocks or getattr(blocks[-1], "_from_testcase", False):  # as Atomic(durable=True) decides it
        return work()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="refresh") as pool:
        return pool.submit(_closing, work).result()


def _closing(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        connection.close()


def failed(owner: Connection) -> bool:
    """Whether the connection waits for a new sign-in."""
    return Failure(owner.failure) in NEEDS_SIGN_IN
