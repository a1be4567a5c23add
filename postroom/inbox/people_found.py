"""Whom a member most likely means while typing a recipient (SE10)."""

from collections.abc import Sequence
from typing import NamedTuple

from postroom.mail import queries as mail_queries
from postroom.records import lists
from postroom.records.models import Person
from postroom.workspaces.models import Membership

MOST = 8


class Suggestion(NamedTuple):
    """``note`` says where we know them from."""

    name: str
    address: str
    note: str = ""


def suggest(member: Membership, words: str) -> Sequence[Suggestion]:
    """Contacts by name or address, then who takes part in mail the member may read; each address once."""
    words = words.strip()
    if not words:
        return []
    found = {one.address: one for one in _contacts(member, words)}
    for row in mail_queries.correspondents(member, words, limit=MOST):
        found.setdefault(row.address, Suggestion(row.name, row.address))
    return list(found.values())[:MOST]


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
