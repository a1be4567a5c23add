"""From an error of the connector to a failure on the row, and from there to words.

Two tables and two functions: `failure_of` answers which failure an error is, `ADVICE` what the member reads. Nobody's
token and no content of a mail is in any of them.
"""

import logging
import re
from typing import Literal, NamedTuple

from postroom.lib.errors import new_reference
from postroom.mailboxes.models import Connection, Failure, Mailbox
from postroom.providers import errors

log = logging.getLogger(__name__)

CODE = re.compile(r"[A-Za-z0-9_.]{3,60}")  # a provider's word that support can look up, not a sentence

# ReauthNeeded.reason and AccessLost.reason (providers.errors) -> failure. What is not listed takes the class's own.
REASONS: dict[str, Failure] = {
    "expired": Failure.REAUTH,
    "rejected": Failure.REAUTH,
    "password": Failure.PASSWORD_CHANGED,
    "revoked": Failure.REVOKED,
    "consent": Failure.CONSENT,
    "admin_approval": Failure.CONSENT,
    "mfa": Failure.CONDITIONAL_ACCESS,
    "claims": Failure.CONDITIONAL_ACCESS,
    "policy": Failure.CONDITIONAL_ACCESS,
    "risk": Failure.CONDITIONAL_ACCESS,
    "disabled": Failure.DISABLED,
    "no_mailbox": Failure.NO_MAILBOX,
    "no_service": Failure.NO_MAILBOX,
    "access": Failure.ACCESS_LOST,
    "delegate": Failure.NO_DELEGATE,
    "app_blocked": Failure.ACCESS_LOST,
    "not_assigned": Failure.ACCESS_LOST,
}

# Failures of the grant: nothing works until the member signs in again, so nothing is tried until then.
NEEDS_SIGN_IN = frozenset(
    {
        Failure.REAUTH,
        Failure.PASSWORD_CHANGED,
        Failure.REVOKED,
        Failure.CONSENT,
        Failure.CONDITIONAL_ACCESS,
        Failure.DISABLED,
    }
)
OF_THE_GRANT = NEEDS_SIGN_IN | {Failure.OPERATOR}

Remedy = Literal["reconnect", "delegate", "decide", "sync", "operator", "wait"]


class Advice(NamedTuple):
    """What a card says: what happened, what to do, and which button leads there."""

    happened: str
    todo: str
    remedy: Remedy


ADVICE: dict[Failure, Advice] = {
    Failure.REAUTH: Advice("{provider} asks for a new sign-in{code}.", "Sign in again to continue.", "reconnect"),
    Failure.PASSWORD_CHANGED: Advice(
        "{provider} ended this sign-in because the password was changed{code}.",
        "Sign in again to continue.",
        "reconnect",
    ),
    Failure.REVOKED: Advice(
        "Access was taken back at {provider}{code}, by the account's owner or an administrator.",
        "Sign in again to allow it once more.",
        "reconnect",
    ),
    Failure.CONSENT: Advice(
        "A permission that Postroom needs is no longer granted{code}.",
        "Sign in again and allow it; if {provider} asks for an administrator, send them the link it shows.",
        "reconnect",
    ),
    Failure.CONDITIONAL_ACCESS: Advice(
        "A policy of the organisation asks for another check, such as a second factor or a known device{code}.",
        "Sign in again and pass the check; if it is refused, give this code to your IT.",
        "reconnect",
    ),
    Failure.DISABLED: Advice(
        "{provider} says that this account is disabled{code}.",
        "Ask your IT to enable it, then sign in again.",
        "reconnect",
    ),
    Failure.NO_MAILBOX: Advice(
        "This account has no mailbox in Exchange Online{code}: no licence, or a mailbox on your own server.",
        "Ask your IT for an Exchange Online licence, then choose Sync now.",
        "sync",
    ),
    Failure.ACCESS_LOST: Advice(
        "Access to this mailbox was withdrawn at {provider}{code}.",
        "Ask its administrator to give access back, then choose Sync now.",
        "sync",
    ),
    Failure.NO_DELEGATE: Advice(
        "Its delegate {delegate} is disconnected{code}.",
        "Its mail is kept. Any member who may open it in Outlook can lend it a connection.",
        "delegate",
    ),
    Failure.OPERATOR: Advice(
        "Postroom's own registration with {provider} needs mending{code}.",
        "Tell whoever runs Postroom. You need not sign in again: sync goes on by itself once it is mended.",
        "operator",
    ),
    Failure.BREAKER: Advice(
        "Sync stopped before an unusual share of this mailbox was removed or moved here{code}. Nothing is lost.",
        "Look at what would happen and decide.",
        "decide",
    ),
    Failure.PROVIDER: Advice(
        "{provider} keeps answering with errors{code}.",
        "Nothing to do: Postroom keeps trying and goes on where it stopped.",
        "wait",
    ),
    Failure.INTERNAL: Advice(
        "Postroom made a mistake while syncing{code}. No mail is lost.",
        "Choose Sync now to try again; if it comes back, give the reference to whoever runs Postroom.",
        "sync",
    ),
}


# A shared mailbox falls with its delegate, so another member's connection helps as well as a new sign-in.
_DELEGATE_ASLEEP = Advice(
    "Its delegate {delegate} has to sign in again{code}.",
    "Until then nothing arrives. {delegate} can reconnect, or another member with access can take over.",
    "delegate",
)
_DELEGATE_UNKNOWN = Advice(
    "Its delegate is no longer here{code}.",
    "Its mail is kept. Any member who may open it in Outlook can lend it a connection.",
    "delegate",
)
_SHARED_ACCESS_LOST = Advice(
    "{provider} no longer lets {delegate} open this mailbox{code}.",
    "Ask its administrator to give access back: sync then goes on by itself. Or choose another delegate.",
    "delegate",
)


def _of_shared(failure: Failure, *, known: bool) -> Advice | None:
    """What is different about a failure of a shared mailbox; ``known``: its delegate has a name."""
    if failure == Failure.ACCESS_LOST and known:
        return _SHARED_ACCESS_LOST
    if failure in NEEDS_SIGN_IN and known:
        return _DELEGATE_ASLEEP
    return _DELEGATE_UNKNOWN if failure == Failure.NO_DELEGATE and not known else None


def failure_of(error: Exception) -> Failure:
    """Which failure an error means once it is no longer worth waiting out."""
    match error:
        case errors.OperatorFault():
            return Failure.OPERATOR
        case errors.ReauthNeeded():
            return _named(error.reason, Failure.REAUTH)
        case errors.AccessLost():
            return _named(error.reason, Failure.ACCESS_LOST)
        case errors.ProviderError():
            return Failure.PROVIDER
    return Failure.INTERNAL


def _named(reason: str, otherwise: Failure) -> Failure:
    """The failure for a reason, which may be one already: that of a connection that was refused before."""
    return REASONS.get(reason) or (Failure(reason) if reason in Failure.values and reason else otherwise)


def mark(mailbox: Mailbox, error: Exception) -> None:
    """Store why a mailbox does not work; a dead grant stops every mailbox that hangs on it."""
    if mailbox.connection is not None and isinstance(error, errors.ReauthNeeded):
        mark_connection(mailbox.connection, error)
    else:
        mark_mailbox(mailbox, error)


def mark_connection(connection: Connection, error: errors.ProviderError) -> None:
    """Store why the grant does not work, on the connection and on every mailbox that hangs on it."""
    connection.failure, connection.failure_code = failure_of(error), error.code[:60]
    connection.failure_claims = getattr(error, "claims", "")
    connection.save(update_fields=["failure", "failure_code", "failure_claims"])
    for mailbox in connection.mailboxes.exclude(state=Mailbox.State.DISCONNECTED):
        mark_mailbox(mailbox, error)


def mark_mailbox(mailbox: Mailbox, error: Exception) -> str:
    """Store why the mailbox does not work. Returns the reference id; the same failure keeps the one it has."""
    failure, code = failure_of(error), getattr(error, "code", "")[:400]
    if (mailbox.failure, mailbox.failure_detail) == (failure, code) and mailbox.failure_reference:
        return mailbox.failure_reference
    mailbox.failure, mailbox.failure_detail, mailbox.failure_reference = failure, code, new_reference()
    mailbox.save(update_fields=["failure", "failure_detail", "failure_reference"])
    log.warning("mailbox %s: %s (%s), reference %s", mailbox.pk, failure, code, mailbox.failure_reference)
    return mailbox.failure_reference


def clear_connection(connection: Connection) -> None:
    """The grant works again: take back what ``mark_connection`` stored (unsaved on the connection itself)."""
    connection.failure, connection.failure_code, connection.failure_claims = Failure.NONE, "", ""
    connection.mailboxes.filter(failure__in=OF_THE_GRANT).update(
        failure=Failure.NONE, failure_detail="", failure_reference=""
    )


def advice(mailbox: Mailbox, *, provider: str) -> Advice | None:
    """What to tell the member about the mailbox's failure; ``None`` when there is none."""
    if not mailbox.failure:
        return None
    code = mailbox.failure_detail if CODE.fullmatch(mailbox.failure_detail) else ""
    shared = mailbox.kind == Mailbox.Kind.SHARED
    lender = mailbox.delegate if shared else None
    words = {"provider": provider, "code": f" ({code})" if code else "", "delegate": lender.name if lender else ""}
    found = _of_shared(Failure(mailbox.failure), known=lender is not None) if shared else None
    found = found or ADVICE[Failure(mailbox.failure)]
    return found._replace(happened=found.happened.format(**words), todo=found.todo.format(**words))


def reconnect_label(mailbox: Mailbox) -> str:
    """What the button to the provider's page says: a policy wants another check, not another connection (CN5)."""
    return "Sign in again" if mailbox.failure == Failure.CONDITIONAL_ACCESS else "Reconnect"
