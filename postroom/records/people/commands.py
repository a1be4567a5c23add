"""What happens to contacts, named as members would say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from postroom.records import addresses as typed
from postroom.records.commands import Labels, assign, keep, replace_rows, shown
from postroom.records.companies.commands import with_company
from postroom.records.history import Change, Event
from postroom.records.models import Company, CompanyDomain, Person, PersonAddress
from postroom.records.record import NAME_LIMIT
from postroom.records.signals import addresses_changed
from postroom.records.text import clean, fold
from postroom.workspaces.models import Membership, Workspace

LABELS: Labels = {
    "first_name": "First name",
    "last_name": "Last name",
    "job_title": "Job title",
    "phones": "Phone",
    "company": "Company",
    "owner": "Owner",
}


@transaction.atomic
def create(
    workspace: Workspace,
    *,
    by: Membership | None,
    addresses: Iterable[str] = (),
    origin: Person.Origin = Person.Origin.MEMBER,
    origin_mailbox: int | None = None,
    **values: Any,
) -> Person:
    """A new contact. Raises ValidationError, keyed by field, when an address is another contact's or nothing names
    it.
    """
    person = Person(workspace=workspace, origin=origin, origin_mailbox=origin_mailbox)
    assign(person, with_company(workspace, {"owner": by, **values}, by=by), LABELS)
    wanted = typed.unique(addresses)
    if person.company is None and wanted:
        person.company = company_of(workspace, wanted)
    _name(person, wanted)
    person.save()
    _set_addresses(person, wanted)
    keep(person, by=by, changes=[], verb=Event.Verb.CREATED)
    addresses_changed.send(Person, record=person, lost=False)
    return person


@transaction.atomic
def change(person: Person, *, by: Membership | None, addresses: Iterable[str] | None = None, **values: Any) -> Person:
    """Set fields and, where given, the whole list of addresses. Raises ValidationError as `create` does."""
    employer = person.company_id
    changes = assign(person, with_company(person.workspace, values, by=by), LABELS)
    wanted = person.address_list() if addresses is None else typed.unique(addresses)
    _name(person, wanted)
    added, removed = _set_addresses(person, wanted)
    if added or removed:
        changes.append(Change(field="Email", old=shown([*removed]), new=shown([*added])))
    keep(person, by=by, changes=changes)
    if added or removed or employer != person.company_id:
        addresses_changed.send(Person, record=person, lost=bool(removed))
    return person


def found_or_new(workspace: Workspace, text: str, *, by: Membership | None) -> Person:
    """The contact somebody means by "Inês <ines@contoso.example>", an address or a name; a new one for a new address.

    Raises ValidationError when it is no address and nobody's name.
    """
    everybody = Person.objects.for_workspace(workspace)
    if "@" not in text:
        if (named := everybody.filter(sort_name=fold(text)).order_by("id").first()) is None:
            raise ValidationError({"people": f"There is no contact “{clean(text)[:80]}”. Give an email address."})
        return named
    address = typed.address(text)
    known = everybody.filter(addresses__address=address).first()
    first, last = split_name(text.rpartition("<")[0] if "<" in text else "")
    return known or create(workspace, by=by, addresses=[address], first_name=first, last_name=last)


def split_name(full: str) -> tuple[str, str]:
    """First and last name of a name as mail carries it: "Inês Ribeiro", "Ribeiro, Inês", "'Inês Ribeiro'"."""
    words = clean(full).strip("\"' ")
    if words.count(",") == 1:
        last, first = words.split(",")
        return clean(first)[:150], clean(last)[:150]
    first, _, last = words.partition(" ")
    return first[:150], last[:150]


def company_of(workspace: Workspace, addresses: Iterable[str]) -> Company | None:
    """The company whose domain one of the addresses is in."""
    domains = [one.rpartition("@")[2] for one in addresses]
    found = CompanyDomain.objects.for_workspace(workspace).filter(domain__in=domains).select_related("company").first()
    return found.company if found else None


def _name(person: Person, addresses: list[str]) -> None:
    full = clean(f"{person.first_name} {person.last_name}")
    person.name = (full or next(iter(addresses), ""))[:NAME_LIMIT]
    if not person.name:
        raise ValidationError({"first_name": "Give a name or an email address."})


def _set_addresses(person: Person, wanted: list[str]) -> tuple[list[str], list[str]]:
    taken = PersonAddress.objects.for_workspace(person.workspace_id).filter(address__in=wanted).exclude(person=person)
    if other := taken.select_related("person").first():
        raise ValidationError({"addresses": f"{other.address} belongs to {other.person.name} already."})
    owner = {"workspace_id": person.workspace_id, "person": person}
    try:
        with transaction.atomic():
            return replace_rows(PersonAddress, person.addresses.all(), owner=owner, column="address", values=wanted)
    except IntegrityError:  # somebody else took it in the same moment
        raise ValidationError({"addresses": "One of these addresses was just given to another contact."}) from None
