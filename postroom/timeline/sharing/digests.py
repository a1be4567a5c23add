"""By what a mail that is kept only as a number is found again: keyed digests of its people's addresses and domains.

The key is the workspace's own, random and sealed at rest. Without it nobody tells from a digest whose address it is,
nor tries a list of addresses against the table.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Collection, Iterable, Sequence

from django.db import transaction

from postroom.accounts.keys import keyring
from postroom.lib.resealing import reseal_rows
from postroom.mail.models import Message, Participant
from postroom.mailboxes.models import Mailbox
from postroom.records.models import Company, Person
from postroom.records.record import Record
from postroom.timeline.rules import CROWD, domain_of, is_public
from postroom.timeline.sharing.models import Policy

KEY, LENGTH = 32, 16  # bytes
Marker = Callable[[str], bytes]


def marker(workspace_id: int) -> Marker:
    """What makes the digest of an address, or of a domain written as "@example.com"."""
    key = _key(workspace_id)
    return lambda text: hmac.digest(key, text.encode(), "sha256")[:LENGTH]


@transaction.atomic
def _key(workspace_id: int) -> bytes:
    """The workspace's key, made when it is first needed."""
    Policy.objects.get_or_create(workspace_id=workspace_id)
    box = bytes(Policy.objects.values_list("sealed_key", flat=True).get(workspace_id=workspace_id))
    if not box:
        row = Policy.objects.select_for_update(no_key=True).get(workspace_id=workspace_id)
        box = bytes(row.sealed_key) or keyring().seal(os.urandom(KEY), _place(workspace_id))
        Policy.objects.filter(pk=row.pk).update(sealed_key=box)
    return keyring().open(box, _place(workspace_id))


def _place(workspace_id: int) -> tuple[str, str]:
    return (f"workspace {workspace_id}", "digests")


def reseal() -> int:
    """Bring every key under the newest one, as ``reseal_rows`` says."""
    rows = Policy.objects.exclude(sealed_key=b"")
    return reseal_rows(rows, "sealed_key", lambda row: _place(row.workspace_id), keyring())


# --- of mail and of records --------------------------------------------------------------------------------------


def of_messages(mailbox: Mailbox, ids: Collection[int]) -> dict[int, Sequence[bytes]]:
    """The digests of each message: of whom linking would look at (``rules.decide``), so not of ourselves, of hidden
    copies, nor of everybody a circular reached."""
    heard: dict[int, dict[str, bool]] = {one: {} for one in ids}
    rows = Participant.objects.filter(message__in=list(ids)).exclude(role=Participant.Role.BCC)
    for message, address, role in rows.values_list("message", "address", "role"):
        heard[message][address] = heard[message].get(address, False) or role == Participant.Role.FROM
    silent = [one for one, people in heard.items() if not people]  # it could not be read: only its line is here
    for message, address in Message.objects.filter(pk__in=silent).values_list("pk", "from_address"):
        heard[message][address.lower()] = True
    mark, ours = marker(mailbox.workspace_id), _ours(mailbox.workspace_id)
    return {
        one: sorted(set(_digests(mark, ours, (a for a, wrote in people.items() if wrote or len(people) <= CROWD))))
        for one, people in heard.items()
    }


def of_record(record: Record) -> list[bytes]:
    """What mail of a record would have been marked with; nothing for those that mail does not find by address."""
    if not isinstance(record, Person | Company):
        return []
    mark, ours = marker(record.workspace_id), _ours(record.workspace_id)
    if isinstance(record, Person):
        return [mark(one) for one in record.address_list() if one not in ours]
    own = {domain_of(one) for one in ours}
    return [mark(f"@{one}") for one in record.domain_list() if not is_public(one) and one not in own]


def _digests(mark: Marker, ours: Collection[str], addresses: Iterable[str]) -> Iterable[bytes]:
    own = {domain_of(one) for one in ours}
    for address in addresses:
        if address in ours:
            continue
        yield mark(address)
        domain = domain_of(address)
        if domain and domain not in own and not is_public(domain):
            yield mark(f"@{domain}")


def _ours(workspace_id: int) -> set[str]:
    addresses = Mailbox.objects.for_workspace(workspace_id).values_list("address", flat=True)
    return {address.lower() for address in addresses}
