"""A provider made of attributes: what it answers next is what the test put there."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from postroom.lib.clock import now
from postroom.providers.contract import Account, Capabilities, Feature, Grant
from postroom.providers.errors import ConnectRefused

CURRENT: list["FakeProvider"] = []
ALL_SCOPES = frozenset({"User.Read", "Mail.ReadWrite", "Mail.Send"})


REDIRECTS = {"access_denied": "declined", "consent_required": "admin_approval"}
CAPABILITIES = Capabilities(
    push=True, stable_ids=True, categories=True, folders=True, server_side_threads=True, max_attachment=150_000_000
)
FEATURES = (
    Feature(name="account", label="Your account", scopes=("openid", "User.Read"), permissions=("Name",), required=True),
    Feature(name="mail", label="Mail", scopes=("Mail.ReadWrite",), permissions=("Read", "Mark"), required=True),
    Feature(name="sending", label="Sending", scopes=("Mail.Send",), permissions=("Send as you",)),
    Feature(
        name="shared", label="Shared mailboxes", scopes=("Mail.ReadWrite.Shared",), permissions=("…",), work_only=True
    ),
)


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
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def authorize_url(self, **asked: Any) -> str:
        self.asked.append({"call": "authorize", **asked})
        return "https://login.example/authorize?" + urlencode({"state": asked["state"]})

    def redeem(self, **asked: Any) -> Grant:
        return self._answer("redeem", asked)

    def refresh(self, grant: Grant, *, claims: str = "") -> Grant:
        return self._answer("refresh", {"token": grant.refresh_token, "claims": claims})

    def refused(self, params: Mapping[str, str]) -> Exception:
        return ConnectRefused(params["error"], reason=REDIRECTS.get(params["error"], "declined"), code="AADSTS65004")

    def admin_consent_url(self, **asked: Any) -> str:
        return "https://login.example/adminconsent?" + urlencode({"scope": " ".join(asked["scopes"])})

    def _answer(self, call: str, asked: dict[str, Any]) -> Grant:
        self.asked.append({"call": call, **asked})
        answer = self.answers.pop(0) if self.answers else grant_of(number=next(self.numbers))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def calls(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.asked if one["call"] == name]


class FakeMail:
    """A mailbox that is there, or the reason why it is not."""

    def __init__(self, missing: Exception | None) -> None:
        self.missing = missing

    def probe(self) -> None:
        if self.missing:
            raise self.missing


@dataclass
class FakeProvider:
    name: str = "microsoft"
    label: str = "Microsoft 365"
    signing: FakeAuthority = field(default_factory=FakeAuthority)
    opened: list[dict[str, Any]] = field(default_factory=list)
    missing: Exception | None = None  # why there is no mailbox behind the account
    capabilities: Capabilities = CAPABILITIES
    features: tuple[Feature, ...] = FEATURES

    def authority(self) -> FakeAuthority:
        return self.signing

    def mail(self, **how: Any) -> Any:
        self.opened.append(how)
        return FakeMail(self.missing)

    def notified(self, body: bytes) -> Sequence[Any]:
        return []
