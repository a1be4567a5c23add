"""Features and the scopes they need (product.md CN2): what to ask for, and what was really granted.

The ladder: what a mailbox cannot do without is asked for first and alone; every other feature asks for its own scopes
afterwards, so that one which an administrator guards never holds up the rest.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from postroom.mailboxes.models import Connection
from postroom.providers import registry
from postroom.providers.contract import Feature

# Part of signing in rather than permissions; whether a token names them is not told reliably (graph.md 1.6).
OF_SIGNING_IN = frozenset({"openid", "profile", "email", "offline_access"})

# Why an optional feature was not granted (``Connection.refused``) -> what follows "off: ". Microsoft does not tell
# whether somebody declined or an administrator is needed (graph.md 1.3), so the words fit both.
WHY: dict[str, str] = {
    "": "not switched on yet",
    "declined": "permission not granted",
    "consent": "permission not granted",
    "admin_approval": "needs your administrator",
}
REFUSALS = frozenset(WHY) - {""}


class State(NamedTuple):
    """A feature of a connection: on, or why not. ``asked``: it was asked for, and not granted."""

    feature: Feature
    on: bool
    impossible: bool  # personal accounts cannot have it
    why: str = ""
    asked: bool = False


def offered(provider: str) -> tuple[Feature, ...]:
    return registry.connector(provider).features


def chosen(provider: str, names: Collection[str]) -> list[str]:
    """Those of ``names`` that exist, and the required ones in any case, in the order of the review screen."""
    return [one.name for one in offered(provider) if one.required or one.name in names]


def base(provider: str) -> list[str]:
    """The first rung: without these there is no mailbox."""
    return chosen(provider, ())


def optional(provider: str, names: Collection[str]) -> list[str]:
    """The further rungs among ``names``, in order."""
    return [one.name for one in offered(provider) if not one.required and one.name in names]


def labels(provider: str, names: Collection[str]) -> list[str]:
    """What people call these features."""
    return [one.label for one in offered(provider) if one.name in names]


def scopes(provider: str, names: Collection[str]) -> list[str]:
    """What to ask for: the scopes of the chosen features and nothing else, each once."""
    wanted = set(chosen(provider, names))
    return list(dict.fromkeys(scope for one in offered(provider) if one.name in wanted for scope in one.scopes))


def permissions(feature: Feature) -> list[str]:
    """The scopes that let us do something, without those of signing in."""
    return [scope for scope in feature.scopes if scope not in OF_SIGNING_IN]


def missing(provider: str, granted: Collection[str]) -> list[str]:
    """The scopes without which nothing works and that were not granted."""
    return [scope for one in offered(provider) if one.required for scope in _lacking(one, granted)]


def states(connection: Connection) -> Sequence[State]:
    """Every feature of the provider as this connection has it. Decided by the granted scopes only (graph.md 1.6)."""
    return [_state(one, connection) for one in offered(connection.provider)]


def _state(feature: Feature, connection: Connection) -> State:
    on = not _lacking(feature, connection.scopes)
    impossible = not on and feature.work_only and connection.account_kind == "personal"
    if on:
        return State(feature, on=True, impossible=False)
    if impossible:
        return State(feature, on=False, impossible=True, why="not for personal accounts")
    reason = connection.refused.get(feature.name, "")
    return State(feature, on=False, impossible=False, why=WHY.get(reason, WHY["declined"]), asked=bool(reason))


def _lacking(feature: Feature, granted: Collection[str]) -> list[str]:
    have = {scope.rsplit("/", 1)[-1].lower() for scope in granted}  # prefix and case do not matter
    return [scope for scope in permissions(feature) if scope.lower() not in have]


def granted_names(connection: Connection) -> list[str]:
    """The features that are on: what a reconnect asks for again."""
    return [state.feature.name for state in states(connection) if state.on]


def to_ask(connection: Connection, names: Collection[str]) -> list[str]:
    """Those of ``names`` that are off and that this account could have: the next rungs."""
    return [
        one.feature.name for one in states(connection) if one.feature.name in names and not (one.on or one.impossible)
    ]


def note_answer(connection: Connection, names: Collection[str], reason: str = "declined") -> list[str]:
    """Remember which of ``names`` were asked for and not granted; those granted are no longer refused. Returns the
    refused ones."""
    off = to_ask(connection, names)
    on = granted_names(connection)
    connection.refused = {name: why for name, why in connection.refused.items() if name not in on}
    connection.refused.update(dict.fromkeys(off, reason))
    connection.save(update_fields=["refused"])
    return off


def company(provider: str) -> str:
    """Who asks people to sign in, as sentences name them: Microsoft."""
    return provider.capitalize()
