"""Records of a name, for the command palette."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from postroom.records.candidates import commands as candidates
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.finding import found
from postroom.records.people import commands as people
from postroom.records.tickets import commands as tickets
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def some(northwind: Workspace, alice: Membership) -> None:
    contoso = companies.create(northwind, by=alice, name="Contoso", domains=["contoso.example"])
    people.create(
        northwind, by=alice, first_name="Inês", last_name="Ribeiro", addresses=["ines@contoso.example"], company=contoso
    )
    deals.create(northwind, by=alice, name="Contoso renewal", company=contoso)
    tickets.create(northwind, by=alice, name="Ribbon of the label printer")
    candidates.create(northwind, by=alice, name="Constanze Weber", job="Driver")


def names(member: Membership, text: str) -> list[str]:
    return [one.name for one in found(member, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conto", ["Contoso renewal", "Contoso", "Inês Ribeiro"]),  # the newest first; an address comes last
        ("RIB", ["Ribbon of the label printer", "Inês Ribeiro"]),
        ("ines rib", ["Inês Ribeiro"]),
        ("contoso.example", ["Contoso", "Inês Ribeiro"]),
        ("r", ["Ribbon of the label printer"]),  # a single letter begins a name
        ("  ", []),
        ("nobody", []),
    ],
)
def test_names_that_begin_so_come_first(some: None, alice: Membership, text: str, expected: list[str]) -> None:
    if "." in text:
        assert sorted(names(alice, text)) == expected
    else:
        assert names(alice, text)[: len(expected)] == expected


def test_what_each_is_stands_beside_its_name(some: None, alice: Membership) -> None:
    told = {one.name: one.note for one in found(alice, "con") if one.kind.key != "contact"}
    assert told["Contoso renewal"] == "Deal · Contoso"
    assert told["Constanze Weber"] == "Candidate · Driver" and told["Contoso"] == "Company"


def test_another_workspace_s_are_not_found_and_strangers_sign_in(
    some: None, carol: Membership, alice: Membership, client: Client, as_: Callable[[Membership], Client]
) -> None:
    assert names(carol, "con") == []
    address = reverse("records:find") + "?q=con"
    assert client.get(address).status_code == 302
    assert 'href="/deals/' in as_(alice).get(address).text
