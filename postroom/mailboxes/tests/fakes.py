"""A provider made of attributes: what it answers next is what the test put there."""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from postroom.lib.clock import now
from postroom.providers.contract import Account, Capabilities, Grant

CURRENT: list["FakeProvider"] = []
ALL_SCOPES = frozenset({"User.Read", "Mail.ReadWrite", "Mail.Send"})


def current() -> "FakeProvider":
    return CURRENT[0]


def account_of(address: str) -> Account:
    name = address.split("@")[0]
    return Account(key=f"tenant:{name}", tenant="tenant", address=address, name=name.title())


def grant_of(
    address: str = "adele@northwind.example",
    *,
    number: int = 0,
    lasts: timedelta = timedelta(minutes=75),
    scopes: frozenset[str] = ALL_SCOPES,
) -> Grant:
    return Grant(
        access_token=f"secret-access-{number}",
        expires=now() + lasts,
        refresh_token=f"secret-refresh-{number}",
        scopes=scopes,
        account=account_of(address),
    )


@dataclass
class FakeAuthority:
    """``answers`` are given in turn to redeem and refresh: a grant, or an exception to raise."""

    answers: list[Grant | Exception] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    gate: threading.Event | None = None  # a refresh waits for it
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def authorize_url(self, **asked: Any) -> str:
        self.asked.append({"call": "authorize", **asked})
        return "https://login.example/authorize?" + urlencode({"state": asked["state"]})

    def redeem(self, **asked: Any) -> Grant:
        return self._answer("redeem", asked)

    def refresh(self, grant: Grant) -> Grant:
        if self.gate:
            assert self.gate.wait(10)
        return self._answer("refresh", {"token": grant.refresh_token})

    def _answer(self, call: str, asked: dict[str, Any]) -> Grant:
        self.asked.append({"call": call, **asked})
        answer = self.answers.pop(0) if self.answers else grant_of(number=next(self.numbers))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def calls(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.asked if one["call"] == name]


@dataclass
class FakeProvider:
    name: str = "microsoft"
    label: str = "Microsoft 365"
    signing: FakeAuthority = field(default_factory=FakeAuthority)
    opened: list[dict[str, Any]] = field(default_factory=list)
    capabilities: Capabilities = Capabilities(
        push=True, stable_ids=True, categories=True, folders=True, server_side_threads=True, max_attachment=150_000_000
    )

    def authority(self) -> FakeAuthority:
        return self.signing

    def mail(self, **how: Any) -> Any:
        self.opened.append(how)
        return object()

    def notified(self, body: bytes) -> Sequence[Any]:
        return []
