"""What happens to a mailbox in its life: connected, given a history, renewed, shared, disconnected.

Each command does all of it, the hooks included, so that no caller has to remember a second step.
"""

import logging
from collections.abc import Collection
from datetime import timedelta

from django.db import transaction

from postroom.lib.clock import now
from postroom.lib.live import publish
from postroom.mailboxes import departure, failures, grants, hooks
from postroom.mailboxes.models import Connection, Failure, Mailbox, SendingDefault
from postroom.providers import errors
from postroom.providers.contract import Account, Grant
from postroom.workspaces.models import Membership, Workspace

log = logging.getLogger(__name__)

History, State = Mailbox.History, Mailbox.State

# How far back each choice reaches; None = no limit (product.md CN13). In the order of reach.
REACH: dict[Mailbox.History, timedelta | None] = {
    History.NONE: timedelta(0),
    History.DAYS_30: timedelta(days=30),
    History.DAYS_90: timedelta(days=90),
    History.MONTHS_12: timedelta(days=365),
    History.YEARS_4: timedelta(days=4 * 365 + 1),
    History.ALL: None,
}


class AlreadyConnected(Exception):
    """The account that signed in is connected in this workspace already."""

    def __init__(self, mailbox: Mailbox | None, address: str) -> None:
        super().__init__(f"{address} is connected already")
        self.mailbox, self.address = mailbox, address


class WrongAccount(Exception):
    """Another account signed in than the one to reconnect (product.md MA2)."""

    def __init__(self, wanted: str, got: str) -> None:
        super().__init__("another account signed in")
        self.wanted, self.got = wanted, got


def normal(address: str) -> str:
    """The form in which an address names a mailbox."""
    return address.strip().lower()


@transaction.atomic
def connect(member: Membership, provider: str, grant: Grant, *, direction: str = Mailbox.Direction.TWO_WAY) -> Mailbox:
    """A mailbox for the account that has just signed in; sync begins with the caller's commit.

    A mailbox that was disconnected, or whose grant had died, goes on where it stopped. ``direction`` is that of
    product.md CN11. Raises ``AlreadyConnected``.
    """
    account = _account(grant)
    # One at a time per workspace: two tabs coming back at once must not both find nothing.
    Workspace.objects.select_for_update(no_key=True).get(pk=member.workspace_id)
    known = Connection.objects.for_workspace(member.workspace_id)
    connection = known.filter(provider=provider, account_key=account.key).first()
    mailbox = Mailbox.objects.for_workspace(member.workspace_id).filter(address=normal(account.address)).first()
    if mailbox is None and connection is not None:  # the account got another address meanwhile
        mailbox = connection.mailboxes.filter(kind=Mailbox.Kind.OWN).first()
    if mailbox is not None and not _may_take_over(member, mailbox, connection):
        raise AlreadyConnected(mailbox, account.address)
    connection = _connection(member, provider, account, connection)
    grants.keep(connection, grant)
    return _attach(member, connection, mailbox, direction)


def _account(grant: Grant) -> Account:
    if grant.account is None:
        raise errors.Malformed("the provider did not say who signed in")
    return grant.account


def _may_take_over(member: Membership, mailbox: Mailbox, connection: Connection | None) -> bool:
    if mailbox.state == State.DISCONNECTED:  # its mail is here: an address alone, which any tenant can give itself,
        return mailbox.owner_id == member.pk  # must not open it to a colleague
    mine = mailbox.owner_id == member.pk and connection is not None and mailbox.connection_id == connection.pk
    return mine and connection is not None and grants.failed(connection)


def _connection(member: Membership, provider: str, account: Account, found: Connection | None) -> Connection:
    connection = found or Connection(workspace_id=member.workspace_id, provider=provider, account_key=account.key)
    connection.member, connection.address, connection.name = member, normal(account.address), account.name[:200]
    connection.account_kind, connection.tenant = account.kind, account.tenant
    connection.aliases, connection.granted_at = list(account.aliases), now()
    connection.save()
    return connection


def _attach(member: Membership, connection: Connection, mailbox: Mailbox | None, direction: str) -> Mailbox:
    if mailbox is None:
        mailbox = Mailbox.objects.create(
            workspace_id=member.workspace_id,
            connection=connection,
            owner=member,
            provider=connection.provider,
            address=connection.address,
            name=connection.name,
            direction=direction,
            state=_working_state("", direction),
        )
        hooks.tell("connected", mailbox)
        return mailbox
    mailbox.connection, mailbox.owner, mailbox.address = connection, member, connection.address
    mailbox.state, mailbox.direction = _working_state(mailbox.history, direction), direction
    _forget_failure(mailbox)
    mailbox.save()
    hooks.tell("reconnected", mailbox)
    return mailbox


def _working_state(history: str, direction: str) -> Mailbox.State:
    """A one-way mailbox pulls nothing, so there is no history question to wait for."""
    return State.LIVE if history or direction == Mailbox.Direction.ONE_WAY else State.CONNECTING


def _forget_failure(mailbox: Mailbox) -> None:
    mailbox.failure, mailbox.failure_detail, mailbox.failure_reference = Failure.NONE, "", ""


@transaction.atomic
def reconnect(connection: Connection, grant: Grant, *, by: Membership | None = None) -> None:
    """Replace the grant of a connection and nothing else; ``by`` is who signed in, and whose grant it is from now on.

    Raises ``WrongAccount`` for another account's grant.
    """
    account = _account(grant)
    if account.key != connection.account_key:
        raise WrongAccount(connection.address, account.address)
    connection.granted_at, connection.aliases = now(), list(account.aliases)
    connection.member = by or connection.member
    connection.save(update_fields=["granted_at", "aliases", "member"])
    grants.keep(connection, grant)
    for mailbox in connection.mailboxes.exclude(state=State.DISCONNECTED):
        _forget_failure(mailbox)
        mailbox.save(update_fields=["failure", "failure_detail", "failure_reference"])
        hooks.tell("reconnected", mailbox)


def wider(mailbox: Mailbox) -> list[Mailbox.History]:
    """The history choices that reach further back than the present one; all while none was made."""
    choices = list(REACH)
    return choices[choices.index(History(mailbox.history)) + 1 :] if mailbox.history else choices


@transaction.atomic
def choose_history(mailbox: Mailbox, history: Mailbox.History) -> None:
    """Answer the history question, or widen the answer later. An answer that is not wider changes nothing."""
    if history not in wider(mailbox):
        return
    reach = REACH[history]
    mailbox.history, mailbox.since = history, None if reach is None else mailbox.connected_at - reach
    if mailbox.state == State.CONNECTING:
        mailbox.state = State.LIVE
    mailbox.save(update_fields=["history", "since", "state"])
    hooks.tell("history_chosen", mailbox)


@transaction.atomic
def pause(mailbox: Mailbox) -> None:
    """Stop all sync of a live mailbox until ``resume``; what is waiting in the outbox waits."""
    if mailbox.state == State.LIVE:
        mailbox.state = State.PAUSED
        mailbox.save(update_fields=["state"])


@transaction.atomic
def resume(mailbox: Mailbox) -> None:
    """Go on where a paused mailbox stopped."""
    if mailbox.state == State.PAUSED:
        mailbox.state = State.LIVE
        mailbox.save(update_fields=["state"])
        hooks.tell("reconnected", mailbox)


@transaction.atomic
def set_direction(mailbox: Mailbox, direction: Mailbox.Direction) -> None:
    """Two-way or one-way (CN11). What is here stays either way; two-way goes on where it stopped, and asks the history
    question if nobody was asked yet."""
    if mailbox.direction == direction:
        return
    mailbox.direction = direction
    if mailbox.state in (State.CONNECTING, State.LIVE):
        mailbox.state = _working_state(mailbox.history, direction)
    mailbox.save(update_fields=["direction", "state"])
    if mailbox.state != State.DISCONNECTED:
        hooks.tell("direction_changed", mailbox)


@transaction.atomic
def hand_over(mailbox: Mailbox, to: Membership) -> None:
    """Another member looks after the mailbox from now on (CN14).

    The grant stays with whoever signed in, and sync goes on under it; the next sign-in, with the same account, is the
    new owner's. The former owner no longer reads the mail unless it is shared with them.
    """
    former = mailbox.owner
    mailbox.owner = to
    mailbox.save(update_fields=["owner"])
    mailbox.members.remove(to)
    SendingDefault.objects.filter(mailbox=mailbox, member=former).delete()
    _look_again(mailbox)
    log.info("mailbox %s was handed from member %s to member %s", mailbox.pk, former.pk, to.pk)


@transaction.atomic
def share(mailbox: Mailbox, visibility: Mailbox.Visibility, members: Collection[Membership] = ()) -> None:
    """Say who may use the mailbox (CN14). ``members`` counts with MEMBERS only; strangers are left out."""
    mailbox.visibility = visibility
    mailbox.save(update_fields=["visibility"])
    named = members if visibility == Mailbox.Visibility.MEMBERS else ()
    mailbox.members.set(one for one in named if one.workspace_id == mailbox.workspace_id)
    _look_again(mailbox)


def _look_again(mailbox: Mailbox) -> None:
    """Who reads the mailbox has changed: every open screen of the workspace shows anew what its member may see."""
    publish(mailbox.workspace_id, "mail", {"all": True})


def disconnect(mailbox: Mailbox, *, delete: bool, contacts: bool = False, at_once: bool = True) -> None:
    """End sync and erase the grant; with ``delete`` also what was synced, and with ``contacts`` the contacts made from
    it. Nothing changes at the provider's mail.

    Shared mailboxes that borrow the connection keep everything and wait for another delegate. ``at_once=False`` leaves
    the deleting to a worker (``departure``). May be repeated after a crash: each step leaves a state in which the next
    call does the rest.
    """
    number, connection = mailbox.pk, mailbox.connection
    mailbox.state = State.DISCONNECTED
    _forget_failure(mailbox)
    mailbox.save(update_fields=["state", "failure", "failure_detail", "failure_reference"])
    hooks.tell("disconnecting", mailbox, delete)  # speaks to the provider: no transaction is open
    if connection is not None and mailbox.kind == Mailbox.Kind.OWN:
        end(connection)
        mailbox.connection = None
    elif connection is not None:
        mailbox.connection = None
        mailbox.save(update_fields=["connection"])
    if delete:
        departure.begin(mailbox, contacts=contacts)
        if at_once:
            departure.finish(number)
    log.info("mailbox %s disconnected, synced mail %s", number, "deleted" if delete else "kept")


def followers(mailbox: Mailbox) -> list[Mailbox]:
    """The shared mailboxes that borrow the connection of this one, and are in use."""
    if mailbox.connection is None or mailbox.kind != Mailbox.Kind.OWN:
        return []
    found = mailbox.connection.mailboxes.filter(kind=Mailbox.Kind.SHARED).exclude(state=State.DISCONNECTED)
    return list(found.order_by("address"))


@transaction.atomic
def end(connection: Connection) -> None:
    """Erase a grant for good. Every shared mailbox that borrowed it keeps its mail and waits for another delegate."""
    for mailbox in connection.mailboxes.filter(kind=Mailbox.Kind.SHARED).exclude(state=State.DISCONNECTED):
        mailbox.connection = None
        mailbox.save(update_fields=["connection"])
        failures.mark_mailbox(mailbox, errors.AccessLost("its delegate was disconnected", reason="delegate"))
        hooks.tell("delegate_lost", mailbox)
    connection.delete()
