"""Whom a member most likely means while typing a recipient (SE10): contacts, who they write with, and whom their
providers say they work with. All of it is read from here; a provider is asked in the background (``mail.people``)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from procrastinate.types import JSONDict

from postroom.lib.clock import now
from postroom.mail import jobs, people
from postroom.mail import queries as mail_queries
from postroom.mail.models import Correspondent
from postroom.records import lists
from postroom.records.models import Person
from postroom.workspaces.models import Membership

MOST = 8
HALF = timedelta(days=45)
CLOSE = 20.0  # mails written lately that whom one works with most is worth; the others fewer, in their order


class Suggestion(NamedTuple):
    """``note`` says where we know them from."""

    name: str
    address: str
    note: str = ""


def suggest(member: Membership, words: str) -> Sequence[Suggestion]:
    """Contacts by name or address, who takes part in mail the member may read and whom they work with, each address
    once: first those whose name or address begins with what is typed, among them whom one writes with often and lately
    or works with closely."""
    words = words.strip()
    if not words:
        return []
    found = {one.address: one for one in _contacts(member, words)}
    boxes = mail_queries.mailboxes_of(member)
    best = mail_queries.correspondents(member, words, limit=3 * MOST, mailboxes=boxes)
    written = {row.address: row for row in best}
    missing = [address for address in found if address not in written]
    written |= {row.address: row for row in mail_queries.seen_by(member, boxes).filter(address__in=missing)}
    for address, row in written.items():
        found.setdefault(address, Suggestion(row.name, address))
    near = {one.address: one for one in people.of(member)}
    for address, one in near.items():
        if address not in found and _begins(one.name, address, words.lower()):
            found[address] = Suggestion(one.name, address, one.about)

    def rank(one: Suggestion) -> tuple[bool, float, bool]:
        weight = _weight(written.get(one.address)) + (CLOSE * near[one.address].relevance if one.address in near else 0)
        return _begins(one.name, one.address, words.lower()), weight, bool(one.note)

    return sorted(found.values(), key=rank, reverse=True)[:MOST]


def look_around(member: Membership) -> None:
    """Have the providers asked whom the member works with, where that was long ago. Costs a query, seldom more."""
    if stale := people.stale(member):
        told: list[JSONDict] = [{"mailbox_id": mailbox_id} for mailbox_id in stale]
        jobs.ask_people.batch_defer(*told)


def _begins(name: str, address: str, typed: str) -> bool:
    return address.startswith(typed) or any(word.startswith(typed) for word in _beginnings(name))


def _beginnings(name: str) -> list[str]:
    """The name from each of its words on: "ribeiro" and "ines ri" both begin Ines Ribeiro."""
    parts = name.lower().split()
    return [" ".join(parts[at:]) for at in range(len(parts))]


def _weight(row: Correspondent | None) -> float:
    """How much was written, mail to them counting twice; half of it after a while without any."""
    if row is None:
        return 0.0
    return float((2 * row.sent + row.received) * 0.5 ** ((now() - row.last_at) / HALF))


def _contacts(member: Membership, words: str) -> list[Suggestion]:
    people = Person.objects.for_workspace(member.workspace_id).select_related("company").prefetch_related("addresses")
    by_name = lists.suggestions(people, words, limit=MOST)
    by_address = people.filter(addresses__address__startswith=words.lower()).distinct().order_by("sort_name", "id")
    rows = [*by_name, *by_address[:MOST]]
    return [
        Suggestion(person.name, address, person.company.name if person.company else "Contact")
        for person in rows
        if isinstance(person, Person)
        for address in person.address_list()
    ]
