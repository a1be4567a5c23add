"""What a check answers, and what it is told about the installation."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LOGIN, GRAPH = "https://login.microsoftonline.com", "https://graph.microsoft.com"
CALLBACK = "/mailboxes/connect/microsoft/callback"
HOOK = "/hooks/microsoft"


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"  # works, but not for ever or not as well as it could
    FAIL = "fail"  # something does not work
    NONE = "not applicable"


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `mend` is empty when there is nothing to do; `steps` are click paths and commands."""

    key: str
    what: str
    state: State
    found: str
    mend: str = ""
    steps: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state.value, "steps": list(self.steps)}


@dataclass(frozen=True)
class Installation:
    """The settings that checks look at, from wherever they come."""

    home: Path
    public_url: str = ""
    client_id: str = ""
    has_secret: bool = False
    secret_ends: date | None = None
    tenant: str = "common"
    login_url: str = LOGIN
    graph_url: str = GRAPH
    keys: tuple[str, ...] = field(default=(), repr=False)

    @property
    def redirect_uri(self) -> str:
        return f"{self.public_url or 'http://127.0.0.1:8000'}{CALLBACK}"

    @property
    def is_sandbox(self) -> bool:
        """Graph is on this very machine."""
        return is_loopback(urlsplit(self.graph_url).hostname or "")


Check = Callable[[Installation], Iterator[Finding]]


def ok(key: str, what: str, found: str) -> Finding:
    return Finding(key, what, State.OK, found)


def warn(key: str, what: str, found: str, mend: str, *steps: str) -> Finding:
    return Finding(key, what, State.WARN, found, mend, steps)


def fail(key: str, what: str, found: str, mend: str, *steps: str) -> Finding:
    return Finding(key, what, State.FAIL, found, mend, steps)


def none(key: str, what: str, found: str) -> Finding:
    return Finding(key, what, State.NONE, found)


def is_loopback(host: str) -> bool:
    """localhost, or an address of this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def by_days(days: int) -> State:
    """AD1: an end is a warning from 30 days before, and a failure when it has come."""
    return State.FAIL if days < 0 else State.WARN if days <= 30 else State.OK
