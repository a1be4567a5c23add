"""Shared mailboxes: adding one, and who lends it a connection (product.md CN8, graph.md 6).

    usable    which of a member's connections can open a shared mailbox, and why not the others
    add       probe that Exchange really grants access, then make the mailbox
    delegate  the same probe, then another connection for a mailbox that is here already

Item ids and cursors are the mailbox's, not the delegate's, so a change of delegate keeps every row; should Exchange
refuse an old cursor from a new delegate, the listing starts over and keeps its rows like after any lost cursor.
"""

import logging
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import OuterRef, Subquery

from postroom.mailboxes import features, grants, hooks, lifecycle
from postroom.mailboxes.failures import NEEDS_SIGN_IN
from postroom.mailboxes.models import Connection, Failure, Mailbox
from postroom.mailboxes.session import budget_key
from postroom.providers import errors, registry
from postroom.workspaces.models import Membership, Workspace

log = logging.getLogger(__name__)

FEATURE = "shared"  # the name of the feature whose scopes open other people's mailboxes

Why = Literal["", "personal", "permission", "sign_in"]
Reason = Literal[
    "address", "own", "no_mailbox", "no_access", "permission", "personal", "sign_in", "connected", "leaving", "busy",
    "operator",
]  # fmt: skip


class Delegate(NamedTuple):
    """A connection as a possible delegate: usable, or the reason why it is not. ``mailbox_id`` is its own one."""

    connection: Connection
    mailbox_id: int | None
    why: Why

    @property
    def usable(self) -> bool:
        return not self.why


class SharedRefused(Exception):
    """The shared mailbox was not opened; ``reason`` is a key of ``WORDS``, ``code`` the provider's own word."""

    def __init__(self, reason: Reason, *, code: str = "", who: str = "", mailbox: Mailbox | None = None) -> None:
        super().__init__(reason)
        self.reason, self.code, self.who, self.mailbox = reason, code, who, mailbox


class Words(NamedTuple):
    """What happened and what to do; ``{address}``, ``{delegate}``, ``{who}`` and ``{provider}`` are filled in."""

    happened: str
    todo: str


WORDS: dict[Reason, Words] = {
    "address": Words("“{address}” is not an email address.", "Type the whole address, like support@yourcompany.com."),
    "own": Words(
        "{address} is the account’s own mailbox, not a shared one.",
        "It is connected already; type the address of the shared mailbox.",
    ),
    "no_mailbox": Words(
        "{provider} knows no mailbox {address} in your organisation.",
        "Check the spelling. A distribution list or a Microsoft 365 group has no mailbox of its own; ask your IT what "
        "it is.",
    ),
    "no_access": Words(
        "{provider} does not let {delegate} open {address}.",
        "Ask your IT to give {delegate} “Read and manage” (Full Access) to it in the Exchange admin centre. A new "
        "right takes up to an hour to work.",
    ),
    "permission": Words(
        "The connection {delegate} lacks the permission Mail.ReadWrite.Shared.",
        "Allow “Shared mailboxes” for it; nothing else changes.",
    ),
    "personal": Words(
        "{delegate} is a personal account, and personal accounts have no shared mailboxes.",
        "Choose a work or school account.",
    ),
    "sign_in": Words(
        "The connection {delegate} has to be signed in again first.",
        "Reconnect it, then add the shared mailbox.",
    ),
    "connected": Words(
        "{address} is in this workspace already, connected by {who}.",
        "Ask {who} to share it with you: it is synced once for everybody.",
    ),
    "leaving": Words(
        "The synced mail of {address} is being deleted at this moment.",
        "Wait until that has ended, then add it again.",
    ),
    "busy": Words("{provider} did not answer.", "Nothing was added. Wait a minute and try again."),
    "operator": Words(
        "{provider} refused Postroom itself.",
        "Tell whoever runs Postroom; `postroom doctor` says what to mend.",
    ),
}


def explain(refused: SharedRefused, *, address: str, connection: Connection | None) -> Words:
    """The words of a refusal, filled in."""
    words = {
        "address": address or "The address",
        "delegate": connection.address if connection else "your account",
        "who": refused.who or "a colleague",
        "provider": features.company(connection.provider if connection else "microsoft"),
    }
    found = WORDS[refused.reason]
    return Words(found.happened.format(**words), found.todo.format(**words))


def delegates(member: Membership) -> list[Delegate]:
    """The member's own connections to providers that have shared mailboxes, usable ones first."""
    own = Mailbox.objects.filter(connection=OuterRef("pk"), kind=Mailbox.Kind.OWN).order_by("pk").values("pk")
    rows = Connection.objects.for_workspace(member.workspace_id).filter(member=member).order_by("pk")
    found = [
        Delegate(one, one.own_mailbox, why_not(one))
        for one in rows.annotate(own_mailbox=Subquery(own[:1]))
        if any(feature.name == FEATURE for feature in features.offered(one.provider))
    ]
    return sorted(found, key=lambda one: not one.usable)


def why_not(connection: Connection) -> Why:
    """Why this connection cannot open a shared mailbox; "" when it can. Asks nobody."""
    state = next((one for one in features.states(connection) if one.feature.name == FEATURE), None)
    if connection.account_kind == "personal" or state is None or state.impossible:
        return "personal"
    if not state.on:
        return "permission"
    return "sign_in" if connection.failure in NEEDS_SIGN_IN else ""


def probe(connection: Connection, address: str) -> None:
    """Ask Exchange for the Inbox of ``address`` as this account would. Raises ``SharedRefused``."""
    if why := why_not(connection):
        raise SharedRefused(why)
    source = registry.connector(connection.provider).mail(
        token=grants.Tokens(connection.pk), mailbox_key=budget_key(connection.provider, address), address=address
    )
    try:
        source.probe()
    except errors.ConnectRefused as refused:
        raise SharedRefused("no_mailbox", code=refused.code) from None
    except errors.AccessLost as lost:
        raise SharedRefused("no_mailbox" if lost.reason == "no_mailbox" else "no_access", code=lost.code) from None
    except errors.ReauthNeeded as problem:
        raise SharedRefused("sign_in", code=problem.code) from None
    except errors.OperatorFault as problem:
        raise SharedRefused("operator", code=problem.code) from None
    except errors.ProviderError as problem:
        raise SharedRefused("busy", code=problem.code) from None


def add(
    member: Membership,
    connection: Connection,
    address: str,
    *,
    visibility: Mailbox.Visibility = Mailbox.Visibility.WORKSPACE,
    members: Collection[Membership] = (),
    purpose: Mailbox.Purpose = Mailbox.Purpose.PERSONAL,
) -> Mailbox:
    """The shared mailbox ``address`` through one of the member's own connections, made only once Exchange granted it.

    One that is here but has lost its delegate goes on with this one instead. Raises ``SharedRefused``.
    """
    wanted = _address(connection, address)
    known = _known(member, wanted)
    if known is not None:
        return delegate(known, member, connection)
    probe(connection, wanted)
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=member.workspace_id)
        _known(member, wanted, only_free=True)  # a colleague may have been quicker
        made = Mailbox.objects.create(
            workspace_id=member.workspace_id, connection=connection, owner=member, delegate=member,
            provider=connection.provider, kind=Mailbox.Kind.SHARED, address=wanted, purpose=purpose,
        )  # fmt: skip
        lifecycle.share(made, visibility, members)
        hooks.tell("connected", made)
    log.info("mailbox %s: shared, through connection %s", made.pk, connection.pk)
    return made


def delegate(mailbox: Mailbox, member: Membership, connection: Connection) -> Mailbox:
    """Another delegate for a shared mailbox (CN8). Whoever lends the connection looks after the mailbox from now on.

    Nothing else changes: rows, links and cursors stay. Raises ``SharedRefused`` when Exchange refuses the new one.
    """
    probe(connection, mailbox.address)
    with transaction.atomic():
        mailbox = Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
        mailbox.connection, mailbox.owner, mailbox.delegate = connection, member, member
        mailbox.failure, mailbox.failure_detail, mailbox.failure_reference = Failure.NONE, "", ""
        if mailbox.state == Mailbox.State.DISCONNECTED:
            mailbox.state = Mailbox.State.LIVE if mailbox.history else Mailbox.State.CONNECTING
        mailbox.save()
        hooks.tell("reconnected", mailbox)
    log.info("mailbox %s: delegated to connection %s", mailbox.pk, connection.pk)
    return mailbox


def fallen(mailbox: Mailbox) -> bool:
    """Whether a shared mailbox needs another delegate, or its delegate to sign in again."""
    if mailbox.kind != Mailbox.Kind.SHARED:
        return False
    return mailbox.connection is None or mailbox.failure in NEEDS_SIGN_IN


def fallen_for(member: Membership, mailboxes: Sequence[Mailbox]) -> list[Mailbox]:
    """Of ``mailboxes``, which the member may read, the shared ones that wait for a delegate."""
    return [one for one in mailboxes if one.state != Mailbox.State.DISCONNECTED and fallen(one)]


def _address(connection: Connection, typed: str) -> str:
    wanted = lifecycle.normal(typed)
    try:
        validate_email(wanted)
    except ValidationError:
        raise SharedRefused("address") from None
    if wanted == connection.address or wanted in {lifecycle.normal(one) for one in connection.aliases}:
        raise SharedRefused("own")
    return wanted


def _known(member: Membership, address: str, *, only_free: bool = False) -> Mailbox | None:
    """The mailbox of that address that waits for a delegate. Raises ``SharedRefused`` for one that does not."""
    found = Mailbox.objects.for_workspace(member.workspace_id).filter(address=address).select_related("owner__user")
    mailbox = found.first()
    if mailbox is None:
        return None
    if mailbox.kind == Mailbox.Kind.SHARED and fallen(mailbox) and not only_free:
        return mailbox
    who = "you" if mailbox.owner_id == member.pk else mailbox.owner.name
    raise SharedRefused("connected", who=who, mailbox=mailbox)
