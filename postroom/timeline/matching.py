"""Linking mail to records by address: as it arrives, when conversations are found to be one, when a record learns a
new address.

    stored page -> who is heard in it, under which records -> rules.decide -> links

All of it is done for a page at once, in the transaction that stores the page: one statement where nothing is to be
linked, two where something is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import connection, transaction

from postroom.lib.clock import now
from postroom.mail.models import Correspondent
from postroom.mailboxes.models import Mailbox
from postroom.records.models import Company, Person, PersonAddress
from postroom.records.record import Record, about
from postroom.timeline import sql
from postroom.timeline.models import Link, Reach
from postroom.timeline.rules import CROWD, Heard, Target, decide, is_public

LOOKED_AT = 500  # mails per address and mailbox that are linked at once when a record learns a new address
DOMAIN_ADDRESSES = 500  # of a company's domain, the most recent ones
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


class Stored(Protocol):
    """What storing a page of mail reports: ids of messages that are new and that changed, and (gone, kept) ids of
    conversations that turned out to be one.
    """

    @property
    def new(self) -> Collection[int]: ...

    @property
    def changed(self) -> Collection[int]: ...

    @property
    def merged(self) -> Collection[tuple[int, int]]: ...


def on_stored(mailbox: Mailbox, stored: Stored, *, fresh: bool) -> None:
    """Link the conversations of just stored messages (a hook of ``settings.SYNC_HOOKS``), in their transaction.

    News and history (``fresh`` or not) are linked alike.
    """
    on_merged(stored.merged)
    messages = [*stored.new, *stored.changed]
    if not messages:
        return
    parameters: dict[str, Any] = {"messages": messages, "workspace": mailbox.workspace_id}
    with connection.cursor() as cursor:
        cursor.execute(sql.HEARD, parameters)
        heard = [Heard(*row) for row in cursor.fetchall()]
    if targets := decide(heard):
        _add(mailbox.workspace_id, targets)


def _add(workspace_id: int, targets: Mapping[Target, datetime]) -> None:
    columns: dict[str, Any] = {
        "conversations": [one.conversation for one in targets],
        "persons": [one.record if one.pointer == "person" else None for one in targets],
        "companies": [one.record if one.pointer == "company" else None for one in targets],
        "times": list(targets.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.ADD, {**columns, "workspace": workspace_id, "now": now()})


def on_merged(pairs: Iterable[tuple[int, int]]) -> None:
    """Move the links of conversations that turned out to be part of another: (gone, kept) ids, before `gone` is
    deleted.

    Runs in the transaction that merges them. A kept conversation must not be gone in another pair.
    """
    ids = list(pairs)
    if not ids:
        return
    parameters = {"gone": [gone for gone, _ in ids], "kept": [kept for _, kept in ids]}
    with connection.cursor() as cursor:
        for statement in (sql.MERGE, sql.LEVEL, sql.FORGET, sql.STRICTEST):
            cursor.execute(statement, parameters)


@transaction.atomic
def relink_for(record: Record, *, forget: bool = False) -> bool:
    """Link the newest mail of a record's addresses, in bounded work. True when that was all there is.

    What is older than the work's bound stays reachable by address. With `forget` what was linked by address before is
    dropped first: an address of the record was wrong, or is another's now. What was done by hand stays.
    """
    if forget:
        Link.objects.filter(how=Link.How.AUTO, removed_at=None, **about(record)).delete()
    addresses, until = addresses_of(record)
    found_until = _link_found(record, addresses)
    until = max((moment for moment in (until, found_until) if moment), default=None)
    Reach.objects.update_or_create(workspace_id=record.workspace_id, **about(record), defaults={"until": until})
    return until is None


def addresses_of(record: Record, ours: Collection[str] | None = None) -> tuple[Sequence[str], datetime | None]:
    """The addresses whose mail is a record's, and the moment before which there may be more addresses than these.

    Never the workspace's own addresses (`ours`, asked for where the caller has not): they are in every conversation. A
    deal has none, it shows its contacts' threads.
    """
    if not isinstance(record, Person | Company):
        return [], None
    own = set(own_addresses(record.workspace_id) if ours is None else ours)
    if isinstance(record, Person):
        return [one for one in record.address_list() if one not in own], None
    return _addresses_of_company(record, own)


def _addresses_of_company(company: Company, ours: Collection[str]) -> tuple[Sequence[str], datetime | None]:
    our_domains = {address.rpartition("@")[2] for address in ours}
    domains = [one for one in company.domain_list() if not is_public(one) and one not in our_domains]
    query = Correspondent.objects.filter(workspace_id=company.workspace_id, domain__in=domains).order_by("-last_at")
    known = list(query.values_list("address", "last_at")[:DOMAIN_ADDRESSES])
    people = PersonAddress.objects.filter(person__company=company).values_list("address", flat=True)[:DOMAIN_ADDRESSES]
    addresses = dict.fromkeys([*(address for address, _ in known), *people])
    capped = known[-1][1] if len(known) == DOMAIN_ADDRESSES else None
    return [one for one in addresses if one not in ours], capped


def own_addresses(workspace_id: int) -> list[str]:
    """The addresses of the workspace's mailboxes, lower-cased."""
    addresses = Mailbox.objects.for_workspace(workspace_id).values_list("address", flat=True)
    return [address.lower() for address in addresses]


def _link_found(record: Record, addresses: Sequence[str]) -> datetime | None:
    """Link what the addresses are found in; the moment before which there may be more."""
    if not addresses:
        return None
    mailboxes = list(Mailbox.objects.for_workspace(record.workspace_id).values_list("pk", flat=True))
    parameters = {
        **found_parameters(record, addresses, mailboxes=mailboxes, each=LOOKED_AT),
        "now": now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.LINK_FOUND, parameters)
        row = cursor.fetchone()
    until: datetime | None = row[0] if row else None
    return until


def found_parameters(
    record: Record, addresses: Sequence[str], *, mailboxes: Sequence[int], each: int, before: datetime = END_OF_TIME
) -> dict[str, Any]:
    """What both statements that look for mail by address take."""
    return {
        "addresses": list(addresses),
        "mailboxes": list(mailboxes),
        "before": before,
        "each": each,
        "crowd": CROWD,
        "workspace": record.workspace_id,
        "person": record.pk if isinstance(record, Person) else None,
        "company": record.pk if isinstance(record, Company) else None,
    }
