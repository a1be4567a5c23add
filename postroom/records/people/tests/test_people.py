"""Contacts: names, addresses, the company they belong to."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from postroom.records.companies import commands as companies
from postroom.records.models import Event, Person
from postroom.records.people import commands
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
INES = "ines@contoso.example"


def test_a_contact_is_called_by_first_and_last_name(northwind: Workspace, alice: Membership) -> None:
    person = commands.create(northwind, by=alice, first_name=" Inês ", last_name="Ribeiro", addresses=[INES])
    assert (person.name, person.sort_name, person.address) == ("Inês Ribeiro", "ines ribeiro", INES)
    assert person.owner == alice


def test_a_contact_without_a_name_is_called_by_the_address(northwind: Workspace) -> None:
    assert commands.create(northwind, by=None, addresses=[INES]).name == INES


def test_a_contact_needs_a_name_or_an_address(northwind: Workspace) -> None:
    with pytest.raises(ValidationError):
        commands.create(northwind, by=None, first_name="\x00 ")
    assert not Person.objects.exists()


def test_an_address_belongs_to_one_contact_of_a_workspace(northwind: Workspace, carol: Membership) -> None:
    commands.create(northwind, by=None, first_name="Ines", addresses=[INES])
    with pytest.raises(ValidationError, match="belongs to Ines already"):
        commands.create(northwind, by=None, first_name="Paul", addresses=[INES])
    commands.create(carol.workspace, by=None, first_name="Ines", addresses=[INES])


def test_addresses_keep_their_order_and_history_tells_what_came_and_went(northwind: Workspace) -> None:
    person = commands.create(northwind, by=None, first_name="Ines", addresses=[INES, "i@home.example"])
    commands.change(person, by=None, addresses=["new@contoso.example", INES])
    person = Person.objects.get()
    assert person.address_list() == ["new@contoso.example", INES]
    changes = Event.objects.get(verb="changed").changes
    assert changes == [{"field": "Email", "old": "i@home.example", "new": "new@contoso.example"}]


def test_the_company_follows_from_the_domain_of_the_address(northwind: Workspace) -> None:
    contoso = companies.create(northwind, by=None, name="Contoso", domains=["contoso.example"])
    assert commands.create(northwind, by=None, addresses=[INES]).company == contoso


def test_a_company_named_by_text_is_found_or_made(northwind: Workspace) -> None:
    contoso = companies.create(northwind, by=None, name="Contoso & Söhne")
    first = commands.create(northwind, by=None, first_name="Ines", company="contoso & sohne")
    second = commands.create(northwind, by=None, first_name="Paul", company="Fabrikam")
    assert first.company == contoso
    assert second.company is not None and second.company.name == "Fabrikam"


def test_a_company_of_the_next_workspace_is_refused(northwind: Workspace, carol: Membership) -> None:
    theirs = companies.create(carol.workspace, by=None, name="Woodgrove")
    with pytest.raises(ValidationError):
        commands.create(northwind, by=None, first_name="Ines", company=theirs)


def test_a_renamed_company_is_found_on_its_contacts(northwind: Workspace) -> None:
    contoso = companies.create(northwind, by=None, name="Contoso")
    person = commands.create(northwind, by=None, first_name="Ines", company=contoso)
    companies.change(contoso, by=None, name="Fabrikam")
    person.refresh_from_db()
    assert "fabrikam" in person.search_text and "contoso" not in person.search_text


def test_nothing_changed_is_no_history(northwind: Workspace) -> None:
    person = commands.create(northwind, by=None, first_name="Ines", addresses=[INES])
    commands.change(person, by=None, first_name="Ines", addresses=[INES])
    assert list(Event.objects.values_list("verb", flat=True)) == ["created"]


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("Inês Ribeiro", ("Inês", "Ribeiro")),
        ("Ribeiro, Inês", ("Inês", "Ribeiro")),
        ("'Inês Ribeiro'", ("Inês", "Ribeiro")),
        ("森 遥", ("森", "遥")),
        ("Madonna", ("Madonna", "")),
        ("", ("", "")),
    ],
)
def test_a_name_from_mail_is_split(full: str, parts: tuple[str, str]) -> None:
    assert commands.split_name(full) == parts


def test_text_means_a_contact_by_address_by_name_or_a_new_one(northwind: Workspace) -> None:
    ines = commands.create(northwind, by=None, first_name="Inês", last_name="Ribeiro", addresses=[INES])
    assert commands.found_or_new(northwind, "Somebody <INES@contoso.example>", by=None) == ines
    assert commands.found_or_new(northwind, "ines ribeiro", by=None) == ines
    assert commands.found_or_new(northwind, "Paul Meyer <paul@contoso.example>", by=None).name == "Paul Meyer"
    with pytest.raises(ValidationError):
        commands.found_or_new(northwind, "Nobody Known", by=None)
