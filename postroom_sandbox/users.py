"""Who exists in the sandbox's world, and who may open whose mailbox."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from postroom_sandbox.database import Database

WORK, PERSONAL, SHARED, NO_LICENCE, ON_PREMISES = "work", "personal", "shared", "no-licence", "on-premises"
KINDS = (WORK, PERSONAL, SHARED, NO_LICENCE, ON_PREMISES)
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"  # graph.md 0.2
_NAMESPACE = uuid.UUID("6f1d3c1e-0a53-5c5f-9a5e-2f3b8f6a7c11")

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
  id TEXT PRIMARY KEY, address TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, tenant_id TEXT NOT NULL,
  aliases TEXT NOT NULL, delegates TEXT NOT NULL, send_as TEXT NOT NULL, send_on_behalf TEXT NOT NULL,
  details TEXT NOT NULL);
"""


def tenant_of(address: str, kind: str = WORK) -> str:
    """The tenant id a domain belongs to: one per domain, and Microsoft's own for personal accounts."""
    domain = address.rpartition("@")[2].lower()
    return PERSONAL_TENANT if kind == PERSONAL else str(uuid.uuid5(_NAMESPACE, f"tenant:{domain}"))


def _lower(addresses: Iterable[str]) -> list[str]:
    return [address.lower() for address in addresses]


@dataclass(slots=True)
class User:
    """One account. `delegates`, `send_as` and `send_on_behalf` are the addresses (lower case) of those who may open
    this mailbox, send as it, and send on its behalf; `details` are directory properties as Graph names them
    (`jobTitle`, `preferredLanguage`, …)."""

    id: str
    address: str
    name: str
    kind: str = WORK
    tenant_id: str = ""
    aliases: list[str] = field(default_factory=list)
    delegates: list[str] = field(default_factory=list)
    send_as: list[str] = field(default_factory=list)
    send_on_behalf: list[str] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)

    @property
    def has_mailbox(self) -> bool:
        """Whether Exchange Online holds a mailbox for it."""
        return self.kind in (WORK, PERSONAL, SHARED)

    @property
    def addresses(self) -> list[str]:
        """Primary address first, then the aliases."""
        return [self.address, *self.aliases]

    def may_be_opened_by(self, other: User) -> bool:
        """Whether `other` has full access."""
        return self.id == other.id or other.address.lower() in self.delegates


class UserRegistry:
    """All users, by id and by any of their addresses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by_id: dict[str, User] = {}
        self._by_address: dict[str, User] = {}
        database.declare(SCHEMA)
        for row in database.query("SELECT * FROM users ORDER BY rowid"):
            user_id, address, name, kind, tenant_id = row[:5]
            self._index(User(user_id, address, name, kind, tenant_id, *map(json.loads, row[5:])))

    def __iter__(self) -> Iterator[User]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, user_id: str) -> User | None:
        """By object id."""
        return self._by_id.get(user_id.lower())

    def by_address(self, address: str) -> User | None:
        """By primary address or alias, any letter case."""
        return self._by_address.get(address.strip().lower())

    def find(self, key: str) -> User | None:
        """By whatever Graph takes in `/users/{key}`: id, user principal name or address."""
        return self.get(key) or self.by_address(key)

    def domains(self) -> set[str]:
        """The mail domains of work accounts: mail to unknown people there bounces."""
        return {user.address.rpartition("@")[2].lower() for user in self._by_id.values() if user.kind != PERSONAL}

    def tenants(self) -> list[str]:
        """Every tenant id in use."""
        return sorted({user.tenant_id for user in self._by_id.values()})

    def add(
        self,
        address: str,
        name: str,
        *,
        kind: str = WORK,
        tenant_id: str = "",
        aliases: Iterable[str] = (),
        delegates: Iterable[str] = (),
        send_as: Iterable[str] | None = None,
        send_on_behalf: Iterable[str] = (),
        details: dict[str, str] | None = None,
    ) -> User:
        """A new user; the id follows from the address. Delegates may send as the mailbox unless `send_as` says who may.

        Raises ValueError for a taken or senseless address or kind.
        """
        address = address.strip()
        if address.count("@") != 1 or address.startswith("@") or address.endswith("@") or " " in address:
            raise ValueError(f"{address!r} is not an e-mail address")
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        if self.by_address(address):
            raise ValueError(f"{address} exists already")
        user = User(
            id=str(uuid.uuid5(_NAMESPACE, address.lower())),
            address=address,
            name=name or address,
            kind=kind,
            tenant_id=tenant_id or tenant_of(address, kind),
            aliases=list(aliases),
            delegates=_lower(delegates),
            send_as=_lower(delegates if send_as is None else send_as),
            send_on_behalf=_lower(send_on_behalf),
            details=dict(details or {}),
        )
        self.save(user)
        return user

    def set_access(
        self,
        user: User,
        *,
        delegates: Iterable[str] | None = None,
        send_as: Iterable[str] | None = None,
        send_on_behalf: Iterable[str] | None = None,
    ) -> None:
        """Who may open this mailbox, send as it and on its behalf from now on; None leaves a list as it is.

        Raises ValueError for somebody who does not exist.
        """
        told = {"delegates": delegates, "send_as": send_as, "send_on_behalf": send_on_behalf}
        given = {name: _lower(people) for name, people in told.items() if people is not None}
        for address in (address for people in given.values() for address in people):
            if self.by_address(address) is None:
                raise ValueError(f"there is no user {address}")
        for name, people in given.items():
            setattr(user, name, people)
        self.save(user)

    def save(self, user: User) -> None:
        """Stores a user as it is now."""
        row = (user.id, user.address, user.name, user.kind, user.tenant_id)
        packed = (user.aliases, user.delegates, user.send_as, user.send_on_behalf, user.details)
        sql = "INSERT OR REPLACE INTO users VALUES (?,?,?,?,?,?,?,?,?,?)"
        self._database.execute(sql, (*row, *map(json.dumps, packed)))
        self._index(user)

    def _index(self, user: User) -> None:
        self._by_id[user.id] = user
        for address in user.addresses:
            self._by_address[address.lower()] = user
