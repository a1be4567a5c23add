"""Duplicates: found by name, merged without losing anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from postroom.records import merging
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.models import Company, Event, Person, Ticket
from postroom.records.notes import commands as notes
from postroom.records.people import commands as people
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.records.urls import SCREENS
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]


@pytest.fixture
def twins(northwind: Workspace, alice: Membership) -> tuple[Person, Person]:
    first = people.create(
        northwind, by=alice, first_name="Inês", last_name="Ribeiro", addresses=["ines@contoso.example"]
    )
    second = people.create(
        northwind, by=None, first_name="Ines", last_name="Ribeiro", addresses=["i@home.example"], job_title="Buyer"
    )
    return first, second


def test_the_same_name_without_accents_is_found(twins: tuple[Person, Person], northwind: Workspace) -> None:
    people.create(northwind, by=None, first_name="Paul")
    (group,) = merging.duplicates(SCREENS["contact"], northwind)
    assert group == [*twins]


def test_everything_of_the_one_that_goes_is_the_others(
    twins: tuple[Person, Person], northwind: Workspace, alice: Membership
) -> None:
    kept, gone = twins
    notes.write(gone, "Call before noon", by=alice)
    tasks.create(northwind, by=alice, title="Call", record=gone)
    deal = deals.create(northwind, by=alice, name="Renewal", people=[gone, kept])
    ticket = tickets.create(northwind, by=alice, name="Help", requester=gone)
    merging.merge(kept, gone, by=alice)
    kept = Person.objects.get()
    assert kept.address_list() == ["ines@contoso.example", "i@home.example"]
    assert (kept.job_title, kept.owner, kept.first_name) == ("Buyer", alice, "Inês")
    assert (kept.notes.count(), kept.tasks.count()) == (1, 1)
    ticket.refresh_from_db()
    assert [*deal.people.all()] == [kept] and ticket.requester == kept
    assert Event.objects.filter(person=kept, changes__0__field="Merged from").count() == 1


def test_companies_bring_their_domains_and_people(northwind: Workspace) -> None:
    kept, gone = (
        companies.create(northwind, by=None, name="Contoso", domains=[domain])
        for domain in ("contoso.example", "contoso.test")
    )
    person = people.create(northwind, by=None, first_name="Ines", addresses=["ines@contoso.test"])
    merging.merge(kept, gone, by=None)
    person.refresh_from_db()
    assert person.company == kept and Company.objects.get().domain_list() == ["contoso.example", "contoso.test"]


def test_what_cannot_be_merged_is_refused(
    twins: tuple[Person, Person], northwind: Workspace, carol: Membership
) -> None:
    theirs = people.create(carol.workspace, by=None, first_name="Ines")
    company = companies.create(northwind, by=None, name="Ines")
    for other in (twins[0], theirs, company):
        with pytest.raises(ValidationError):
            merging.merge(twins[0], other, by=None)
    assert Person.objects.count() == 3


def test_the_way_through_the_screens(
    twins: tuple[Person, Person], alice: Membership, bob: Membership, as_: SignIn
) -> None:
    kept, gone = twins
    client = as_(alice)
    assert b"Compare and merge" in client.get("/contacts/duplicates/").content
    assert b"i@home.example" in client.get(f"/contacts/{kept.pk}/merging/?with={gone.pk}").content
    assert as_(bob).post(f"/contacts/{kept.pk}/merging/", {"with": gone.pk}).status_code == 403
    as_(alice).post(f"/contacts/{kept.pk}/merging/", {"with": gone.pk, "stays": gone.pk})
    assert Person.objects.get() == gone


def test_a_record_that_another_window_merged_away_does_not_come_back(
    twins: tuple[Person, Person], alice: Membership
) -> None:
    first, second = twins
    stale_first, stale_second = Person.objects.get(pk=first.pk), Person.objects.get(pk=second.pk)
    merging.merge(first, second, by=alice)
    with pytest.raises(ValidationError, match="meanwhile"):
        merging.merge(stale_second, stale_first, by=alice)
    assert list(Person.objects.values_list("pk", flat=True)) == [first.pk]


def test_two_tickets_are_not_merged_into_each_other(northwind: Workspace, alice: Membership) -> None:
    one, other = (tickets.create(northwind, by=alice, name=name) for name in ("One", "Other"))
    stale = Ticket.objects.get(pk=one.pk)
    tickets.merge(one, other, by=alice)
    with pytest.raises(ValidationError, match="merged itself"):
        tickets.merge(other, stale, by=alice)
