"""The trip to the provider's sign-in page and back (product.md CN1).

    begin    attempt stored, secrets sealed, address of the provider's page
    finish   answer checked -> code redeemed -> mailbox connected or connection renewed
    go_on    the next rung of the ladder: one more feature, if the member chose one that is still off

The attempt is bound to the browser session by a hash of its key, lives 15 minutes and is used once. What went wrong
leaves as an exception for which `refusals.reason_of` knows the page. A further feature that is not granted is no
failure of the connection (CN2): it is noted, said, and the ladder goes on.
"""

import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from postroom.accounts.keys import keyring
from postroom.lib.clock import now
from postroom.lib.crypto import CannotOpen
from postroom.mailboxes import approvals, features, lifecycle, refusals
from postroom.mailboxes.models import ConnectAttempt, Connection, Mailbox
from postroom.mailboxes.session import budget_key
from postroom.providers import registry
from postroom.providers.contract import Grant
from postroom.providers.errors import AccessLost, ConnectRefused
from postroom.workspaces.models import Membership, Permission

log = logging.getLogger(__name__)

LIFE = timedelta(minutes=15)
KEEP = timedelta(days=1)  # then a reloaded answer is as unknown as any other
CONNECTED = "connected"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A finished leg of a trip. ``renewed`` when an existing connection got a new grant.

    ``granted`` and ``refused``: the further features this leg asked for (names), by how it ended. ``later``: those that
    come next.
    """

    mailbox: Mailbox | None
    renewed: bool
    member: Membership | None = None  # whose trip it is: its workspace need not be the one that is open now
    replayed: bool = False  # the same answer was opened again; nothing was done
    granted: Sequence[str] = ()
    refused: Sequence[str] = ()
    impossible: Sequence[str] = ()  # chosen, but this kind of account cannot have them
    later: Sequence[str] = ()


def begin(
    member: Membership,
    provider: str,
    wanted: Sequence[str],
    *,
    session_key: str,
    reconnect: Connection | None = None,
    claims: str = "",
    direction: Mailbox.Direction = Mailbox.Direction.TWO_WAY,
    later: Sequence[str] = (),
) -> str:
    """Start a leg for the features ``wanted``; returns the address to send the browser to.

    Reconnecting leads straight to the known account. ``claims`` is the challenge that the last trip ended with; without
    one a reconnect passes on that which ended its grant (CN5). ``later``: features that get legs of their own.
    """
    state, nonce, verifier = (secrets.token_urlsafe(size) for size in (32, 32, 48))
    ConnectAttempt.objects.filter(created_at__lt=now() - KEEP).delete()
    ConnectAttempt.objects.create(
        workspace_id=member.workspace_id,
        member=member,
        provider=provider,
        state=state,
        session_hash=_fingerprint(session_key),
        sealed_secrets=keyring().seal(json.dumps([nonce, verifier]).encode(), _place(state)),
        features=features.chosen(provider, wanted),
        later=list(later),
        direction=direction,
        reconnect=reconnect,
    )
    return (
        registry.connector(provider)
        .authority()
        .authorize_url(
            redirect_uri=callback_url(provider),
            scopes=features.scopes(provider, wanted),
            state=state,
            nonce=nonce,
            verifier=verifier,
            prompt="" if reconnect else "select_account",  # graph.md 1.2: a hint and the picker exclude each other
            login_hint=reconnect.address if reconnect else "",
            claims=claims or (reconnect.failure_claims if reconnect else ""),
        )
    )


def finish(provider: str, answer: Mapping[str, str], *, session_key: str | None, user_id: int | None) -> Arrival:
    """Take the provider's answer. Raises ``ConnectRefused``, ``AlreadyConnected``, ``WrongAccount`` or another
    ``ProviderError``; the attempt remembers which."""
    attempt = _attempt(provider, answer.get("state", ""), session_key, user_id)
    if attempt.outcome:
        return _replay(attempt)
    if not ConnectAttempt.objects.filter(pk=attempt.pk, used_at=None).update(used_at=now()):
        raise ConnectRefused("this answer is being worked on already", reason="repeated")
    asked = _new_features(attempt)
    try:
        arrival = _settle(attempt, _redeem(attempt, answer), asked)
    except Exception as problem:
        reason = refusals.reason_of(problem)
        if asked and reason in features.REFUSALS:
            arrival = _without(attempt, asked, reason)
        else:
            _remember(attempt, reason)
            raise
    _remember(attempt, CONNECTED)
    return arrival


def go_on(member: Membership, connection: Connection, later: Sequence[str], *, session_key: str) -> str:
    """The address of the next leg, empty when nothing is left to ask for."""
    open_ = features.to_ask(connection, later)
    if not open_:
        return ""
    wanted = [*features.granted_names(connection), open_[0]]
    return begin(member, connection.provider, wanted, session_key=session_key, reconnect=connection, later=open_[1:])


def _new_features(attempt: ConnectAttempt) -> list[str]:
    """The further features that this leg asks for: what may be refused without harm."""
    if attempt.reconnect is None:
        return []
    return features.to_ask(attempt.reconnect, features.optional(attempt.provider, attempt.features))


def _without(attempt: ConnectAttempt, asked: Sequence[str], reason: str) -> Arrival:
    """What was asked for is not granted; the connection is as good as before."""
    connection = attempt.reconnect
    assert connection is not None
    refused = features.note_answer(connection, asked, reason)
    mailbox = connection.mailboxes.order_by("pk").first()
    later = features.to_ask(connection, attempt.later)
    return Arrival(mailbox=mailbox, renewed=False, member=attempt.member, refused=refused, later=later)


def callback_url(provider: str) -> str:
    """The redirect URI, exactly as registered at the provider."""
    return settings.POSTROOM_BASE_URL + reverse("mailboxes:callback", args=[provider])


def _fingerprint(session_key: str) -> str:
    return hashlib.sha256(f"connect {session_key}".encode()).hexdigest()


def _place(state: str) -> tuple[str, str]:
    return ("connect attempt", state)


def _attempt(provider: str, state: str, session_key: str | None, user_id: int | None) -> ConnectAttempt:
    """The attempt an answer belongs to. Raises ``ConnectRefused``: cookies | expired | other_session."""
    if not session_key or user_id is None:
        raise ConnectRefused("the answer came without a session", reason="cookies")
    found = ConnectAttempt.objects.select_related("member__user", "reconnect")
    attempt = found.filter(state=state, provider=provider).first()
    if attempt is None or now() - attempt.created_at > LIFE:
        raise ConnectRefused("unknown or old state", reason="expired")
    same = hmac.compare_digest(attempt.session_hash, _fingerprint(session_key))
    if not same or attempt.member.user_id != user_id:
        raise ConnectRefused("the state belongs to another session", reason="other_session")
    return attempt


def _replay(attempt: ConnectAttempt) -> Arrival:
    """The same answer opened again, by reload or the back button: say the same, do nothing."""
    if attempt.outcome != CONNECTED:
        raise ConnectRefused("this answer was used before", reason=attempt.outcome)
    return Arrival(mailbox=None, renewed=False, replayed=True)


def _redeem(attempt: ConnectAttempt, answer: Mapping[str, str]) -> Grant:
    authority = registry.connector(attempt.provider).authority()
    if answer.get("error"):
        raise authority.refused(answer)
    if not answer.get("code"):
        raise ConnectRefused("neither a code nor an error", reason="invalid_answer")
    try:
        nonce, verifier = json.loads(keyring().open(attempt.sealed_secrets, _place(attempt.state)))
    except CannotOpen:
        raise ConnectRefused("the keys changed meanwhile", reason="expired") from None
    return authority.redeem(
        code=answer["code"], redirect_uri=callback_url(attempt.provider), verifier=verifier, nonce=nonce
    )


def _settle(attempt: ConnectAttempt, grant: Grant, asked: Sequence[str]) -> Arrival:
    if missing := features.missing(attempt.provider, grant.scopes):
        raise ConnectRefused(f"not granted: {', '.join(missing)}", reason="consent")
    _probe(attempt.provider, grant)
    if attempt.reconnect is not None:
        lifecycle.reconnect(attempt.reconnect, grant, by=attempt.member)
        mailbox, connection = attempt.reconnect.mailboxes.order_by("pk").first(), attempt.reconnect
        renewed = True
    else:
        if not attempt.member.may(Permission.CONNECT_MAILBOX):  # taken away since the trip began
            raise ConnectRefused("the role no longer includes it", reason="permission")
        made = lifecycle.connect(attempt.member, attempt.provider, grant, direction=attempt.direction)
        assert made.connection is not None
        mailbox, connection, renewed = made, made.connection, bool(made.history)
    refused = features.note_answer(connection, asked)
    approvals.settle(attempt.member, connection)
    later = features.to_ask(connection, attempt.later)
    cannot = [one.feature.name for one in features.states(connection) if one.impossible]
    return Arrival(
        mailbox=mailbox,
        renewed=renewed,
        member=attempt.member,
        granted=[name for name in asked if name not in refused],
        refused=refused,
        impossible=[name for name in attempt.later if name in cannot],
        later=later,
    )


def _probe(provider: str, grant: Grant) -> None:
    """Look whether there is a mailbox before anything is made. Raises ``ConnectRefused`` with the reason why not."""
    key = budget_key(provider, grant.account.address if grant.account else "")
    source = registry.connector(provider).mail(token=lambda **_: grant.access_token, mailbox_key=key)
    try:
        source.probe()
    except AccessLost as lost:
        raise ConnectRefused(str(lost), reason=lost.reason, code=lost.code) from None


def _remember(attempt: ConnectAttempt, outcome: str) -> None:
    attempt.outcome = outcome[:40]
    attempt.save(update_fields=["outcome"])
