"""The plain shapes a generated company is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["work", "personal", "shared", "no-licence", "on-premises"]
ConsentPolicy = Literal["legacy", "low", "managed", "none"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """An Entra organisation. `consent_policy` says which scopes its members may grant alone (graph.md 1.7)."""

    id: str
    name: str
    domain: str
    consent_policy: ConsentPolicy = "legacy"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody (or something) with an address in a tenant."""

    address: str
    name: str
    job_title: str
    kind: Kind
    tenant_id: str
    aliases: tuple[str, ...] = ()
    delegates: tuple[str, ...] = ()
    language: str = "en"
    is_admin: bool = False
    phone: str = ""
    office: str = ""

    @property
    def first(self) -> str:
        return self.name.split()[0]

    @property
    def details(self) -> dict[str, str]:
        """Directory properties by Graph's names; what is not known is left out."""
        known = {
            "jobTitle": self.job_title,
            "mobilePhone": self.phone,
            "officeLocation": self.office,
            "preferredLanguage": self.language if self.kind == "work" else "",
        }
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True, slots=True)
class Delegation:
    """`delegate` may open the mailbox `mailbox`; and may send as it, or on its behalf."""

    mailbox: str
    delegate: str
    full_access: bool = True
    send_as: bool = False
    send_on_behalf: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """A person outside the company who writes and is written to."""

    address: str
    name: str
    job_title: str
    company: str
    language: str = "en"
    phone: str = ""
    city: str = ""

    @property
    def first(self) -> str:
        return self.name.split()[0]


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer company and the people there; `currency` is what it is invoiced in."""

    name: str
    domain: str
    city: str
    language: str
    currency: str
    trade: str
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class SeedMessage:
    """One message as it lies in one folder of one mailbox. `raw` is a whole RFC 5322 message.

    `folder_path` is a well-known name (`inbox`, `sentitems`) or display names joined by "/".
    """

    folder_path: str
    raw: bytes
    received: datetime
    is_read: bool = True
    is_flagged: bool = False
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Company:
    """What `generate` returns: who there is, and every mailbox with its history (oldest first, streamed)."""

    name: str
    tenants: tuple[Tenant, ...]
    users: tuple[User, ...]
    delegations: tuple[Delegation, ...]
    customers: tuple[Customer, ...]
    mailboxes: Iterable[tuple[str, Iterable[SeedMessage]]] = field(repr=False)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Everybody at the customers, in table order."""
        return tuple(contact for customer in self.customers for contact in customer.contacts)
