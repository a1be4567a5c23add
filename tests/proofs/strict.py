"""An authority that forgives nothing: a refresh token works once, and only the newest one. Counts what it was asked."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from postroom.lib.clock import now
from postroom.mailboxes import grants
from postroom.mailboxes.models import Connection
from postroom.providers import errors
from postroom.providers.contract import Grant
from postroom.workspaces.models import Membership

LIFE = timedelta(hours=1)
ANSWERS_IN = 0.002  # seconds: long enough for everybody else to want the same


@dataclass
class Strict:
    """Stands in for a connector and its authority."""

    newest: dict[str, int] = field(default_factory=dict)  # account -> number of the refresh token that still works
    refreshes: dict[str, int] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def authority(self) -> Strict:
        return self

    def grant(self, account: str, number: int) -> Grant:
        return Grant(
            access_token=f"access {account} {number}",
            expires=now() + LIFE,
            refresh_token=f"refresh {account} {number}",
            scopes=frozenset({"mail"}),
        )

    def refresh(self, grant: Grant, *, claims: str = "") -> Grant:
        _, account, number = str(grant.refresh_token).split()
        with self._lock:
            if self.newest[account] != int(number):
                self.reused.append(f"{account} {number}")
                raise errors.ReauthNeeded("this refresh token was used before", reason="revoked")
            self.newest[account] += 1
            self.refreshes[account] = self.refreshes.get(account, 0) + 1
            fresh = self.newest[account]
        time.sleep(ANSWERS_IN)
        return self.grant(account, fresh)

    def connect(self, member: Membership, account: str) -> Connection:
        """A connection that holds the first grant of an account."""
        self.newest[account] = 0
        owner = Connection.objects.create(
            workspace=member.workspace, member=member, provider="memory", account_key=account, address=account
        )
        grants.keep(owner, self.grant(account, 0))
        return owner


def stand_in(monkeypatch: Any) -> Strict:
    """Every provider is strict from now on."""
    strict = Strict()
    monkeypatch.setattr(grants.registry, "connector", lambda name: strict)
    return strict
