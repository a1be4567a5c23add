"""What decides who may come in is said by workspaces, which lie above this package: settings.SIGN_IN_POLICY names the
module that answers these questions."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings

from postroom.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Who came back from an identity provider, after every check of the token. ``tenant`` and ``subject`` are who it
    is; ``address`` and ``name`` are what the provider calls them, which decides nothing."""

    provider: str
    tenant: str
    subject: str
    address: str
    name: str


class Policy(Protocol):
    """What settings.SIGN_IN_POLICY has to answer."""

    def tenant_allowed(self, user: User, tenant: str) -> bool:
        """May this person come in by an account of this tenant?"""

    def tenant_known(self, tenant: str) -> bool:
        """Does any workspace allow this tenant at all?"""

    def admit(self, arrival: Arrival, invitation: str) -> User | None:
        """Somebody nobody is bound to yet: the person they are or become, by an invitation or a rule of a workspace."""

    def accept_known(self, user: User, arrival: Arrival, invitation: str) -> None:
        """Somebody who is bound already arrived by an invitation: they take it, if it was meant for them."""

    def second_factor_required(self, user: User) -> bool:
        """Does a workspace of theirs want more than a password?"""

    def offers_microsoft(self) -> bool:
        """Is there a workspace that lets anybody in by Microsoft?"""


def policy() -> Policy:
    """The policy in force."""
    return cast(Policy, import_module(settings.SIGN_IN_POLICY))
