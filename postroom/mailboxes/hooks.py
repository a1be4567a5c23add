"""What the packages above do when something happens to a mailbox.

`mailboxes` may not import them, so they are named in `settings.MAILBOX_HOOKS`: dotted paths of modules that have some
of the functions of `MailboxHooks`. All are called in the order of that list, in the caller's transaction; one that
raises undoes the whole step. Only `disconnecting` is called outside of any transaction: it speaks to the provider.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol, TypedDict

from django.conf import settings

from postroom.mailboxes.models import Mailbox
from postroom.workspaces.models import Membership


class SyncResult(NamedTuple):
    """How a requested sync ended. ``error`` is a sentence for the member, empty when all went well."""

    new: int = 0
    changed: int = 0
    removed: int = 0
    error: str = ""


class Seen(NamedTuple):
    """What the connection test has seen of one step: when, a word more, or why it failed."""

    at: datetime | None = None
    detail: str = ""
    failed: str = ""


class Held(NamedTuple):
    """Something that deleting a mailbox's data removes: a plural noun, how many, and a word more about them."""

    what: str
    number: int
    detail: str = ""
    of_contacts: bool = False  # goes only when the contacts made from the mailbox go, too


class FolderProgress(TypedDict):
    """One folder of the history that is being pulled; ``done`` and ``total`` count messages."""

    name: str
    done: int
    total: int


class Progress(TypedDict):
    """The history pull of one mailbox (product.md SY1). Only under way, paused or failing: nothing when done."""

    done: int
    total: int
    rate: float  # messages per second over the last while; 0 when unknown
    eta: float | None  # seconds
    paused: bool
    folders: list[FolderProgress]


class Card(TypedDict, total=False):
    """What the packages above know about a mailbox; each gives the keys it knows, later ones win."""

    progress: Progress | None
    syncing: bool  # a sync the member asked for is still running
    folders: int
    messages: int
    linked: int
    quarantined: int
    waiting: int  # changes and messages that do not reach the provider in the usual time
    push: Literal["on", "off", "polling"]
    push_note: str  # why not "on", e.g. "no public URL"
    push_renews_at: datetime | None
    complete: str  # how much of it is here, e.g. "99.99 %, 3 repaired"; empty when nothing was compared
    stopped: str  # set by the brake: what would be removed or moved


class MailboxHooks(Protocol):
    """The functions a module in ``MAILBOX_HOOKS`` may have."""

    def connected(self, mailbox: Mailbox) -> None:
        """A mailbox was made: begin with folders and the newest mail; how much history is not known yet."""

    def history_chosen(self, mailbox: Mailbox) -> None:
        """``history`` and ``since`` were set, or widened later."""

    def reconnected(self, mailbox: Mailbox) -> None:
        """The grant was replaced, or a paused mailbox was resumed: go on where it stopped."""

    def direction_changed(self, mailbox: Mailbox) -> None:
        """One-way: pull nothing more, end push. Two-way: go on where it stopped."""

    def sync_now(self, mailbox: Mailbox) -> str:
        """Ask for a sync at once. Returns a ticket for ``sync_result``."""

    def sync_result(self, mailbox: Mailbox, ticket: str) -> SyncResult | None:
        """How the sync of that ticket ended, ``None`` while it runs."""

    def pause(self, mailbox: Mailbox) -> None:
        """Hold the history pull; new mail goes on arriving."""

    def resume(self, mailbox: Mailbox) -> None:
        """Go on with the history pull."""

    def cancel(self, mailbox: Mailbox) -> None:
        """End the history pull; what was pulled stays."""

    def disconnecting(self, mailbox: Mailbox, delete: bool) -> None:
        """The grant is about to be erased: stop work, end push, give back what was not sent yet."""

    def delegate_lost(self, mailbox: Mailbox) -> None:
        """A shared mailbox has no connection any more: as when disconnecting, but it waits for another delegate."""

    def erase_some(self, mailbox: Mailbox, contacts: bool) -> int:
        """Delete a portion of what is known of a disconnected mailbox. Returns how many rows; 0 when none is left.

        With ``contacts`` also the contacts made from its mail. In a transaction of its own; packages above go first.
        """

    def test_send(self, mailbox: Mailbox, member: Membership, subject: str) -> int:
        """Send a message from the mailbox to itself. Returns a number by which the next two know it."""

    def test_look(self, mailbox: Mailbox, member: Membership, message: int, since: datetime) -> Mapping[str, Seen]:
        """What became of it, by step (``connection_test.STEPS``); ``push``: whether push is on for the mailbox."""

    def test_clean(self, mailbox: Mailbox, member: Membership, message: int) -> None:
        """Move the test's messages to Deleted Items, and take back what was made for it."""

    def cards(self, mailboxes: Sequence[Mailbox]) -> Mapping[int, Card]:
        """What the cards of some mailboxes show, by id; in as many queries for many as for one."""

    def matched(self, mailboxes: Sequence[Mailbox], conversations: Collection[int]) -> Mapping[int, list[str]]:
        """To which records conversations of some mailboxes belong, or why not any more: sentences, by conversation; in
        as many queries for many as for one."""

    def holds(self, mailbox: Mailbox) -> list[Held]:
        """What deleting would remove, e.g. ``Held("messages", 61204)``."""


def _named(name: str) -> Iterator[Any]:
    for path in getattr(settings, "MAILBOX_HOOKS", []):
        if function := getattr(import_module(path), name, None):
            yield function


def tell(event: str, mailbox: Mailbox, *args: object) -> None:
    """Call ``event`` (a name of ``MailboxHooks``) everywhere it is answered."""
    for function in _named(event):
        function(mailbox, *args)


def sync_now(mailbox: Mailbox) -> str:
    """The first ticket that a hook gives, empty when nobody syncs."""
    return next((ticket for function in _named("sync_now") if (ticket := function(mailbox))), "")


def sync_result(mailbox: Mailbox, ticket: str) -> SyncResult | None:
    return next((found for function in _named("sync_result") if (found := function(mailbox, ticket))), None)


def cards(mailboxes: Sequence[Mailbox]) -> dict[int, Card]:
    """All hooks' knowledge in one, by mailbox."""
    known: dict[int, Card] = {one.pk: {} for one in mailboxes}
    for function in _named("cards"):
        for pk, told in function(mailboxes).items():
            known[pk].update(told)
    return known


def card(mailbox: Mailbox) -> Card:
    """The same of one."""
    return cards([mailbox])[mailbox.pk]


def matched(mailboxes: Sequence[Mailbox], conversations: Collection[int]) -> dict[int, list[str]]:
    """What is known about which records conversations belong to."""
    known: dict[int, list[str]] = {}
    for function in _named("matched"):
        for conversation, lines in function(mailboxes, conversations).items():
            known.setdefault(conversation, []).extend(lines)
    return known


def erase_some(mailbox: Mailbox, *, contacts: bool) -> int:
    """The next portion of a mailbox to delete, from the top package down; 0 when nothing is left anywhere."""
    for function in reversed(list(_named("erase_some"))):
        if gone := int(function(mailbox, contacts)):
            return gone
    return 0


def test_send(mailbox: Mailbox, member: Membership, subject: str) -> int | None:
    """The number that the first hook which sends gives, ``None`` when nobody sends."""
    return next((int(function(mailbox, member, subject)) for function in _named("test_send")), None)


def test_look(mailbox: Mailbox, member: Membership, message: int, since: datetime) -> dict[str, Seen]:
    """What all hooks have seen, in one."""
    found: dict[str, Seen] = {}
    for function in _named("test_look"):
        found.update(function(mailbox, member, message, since))
    return found


def test_clean(mailbox: Mailbox, member: Membership, message: int) -> None:
    for function in _named("test_clean"):
        function(mailbox, member, message)


def holds(mailbox: Mailbox) -> list[Held]:
    """What every package holds of a mailbox, in their order."""
    return [line for function in _named("holds") for line in function(mailbox)]
