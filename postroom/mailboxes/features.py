"""Features and the scopes they need (product.md CN2): what to ask for, and what was really granted."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from postroom.mailboxes.models import Connection
from postroom.providers import registry
from postroom.providers.contract import Feature

# Part of signing in rather than permissions; whether a token names them is not told reliably (graph.md 1.6).
OF_SIGNING_IN = frozenset({"openid", "profile", "email", "offline_access"})


class State(NamedTuple):
    """A feature of a connection: on, or why not."""

    feature: Feature
    on: bool
    impossible: bool  # personal accounts cannot have it


def offered(provider: str) -> tuple[Feature, ...]:
    return registry.connector(provider).features


def chosen(provider: str, names: Collection[str]) -> list[str]:
    """Those of ``names`` that exist, and the required ones in any case, in the order of the review screen."""
    return [one.name for one in offered(provider) if one.required or one.name in names]


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
    personal = connection.account_kind == "personal"
    return [_state(one, connection.scopes, personal=personal) for one in offered(connection.provider)]


def _state(feature: Feature, granted: Collection[str], *, personal: bool) -> State:
    on = not _lacking(feature, granted)
    return State(feature, on=on, impossible=not on and feature.work_only and personal)


def _lacking(feature: Feature, granted: Collection[str]) -> list[str]:
    have = {scope.rsplit("/", 1)[-1].lower() for scope in granted}  # prefix and case do not matter
    return [scope for scope in permissions(feature) if scope.lower() not in have]


def granted_names(connection: Connection) -> list[str]:
    """The features that are on: what a reconnect asks for again."""
    return [state.feature.name for state in states(connection) if state.on]


def company(provider: str) -> str:
    """Who asks people to sign in, as sentences name them: Microsoft."""
    return provider.capitalize()
