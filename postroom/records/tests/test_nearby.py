"""Orders that look something up for each record: the same whether a page names the next few or sorts all."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from django.test import Client

from postroom.records import lists, nearby
from postroom.records.companies import commands as companies
from postroom.records.deals import commands as deals
from postroom.records.models import Company, Deal, Person
from postroom.records.people import commands as people
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
As = Callable[[Membership], Client]


@pytest.fixture
def records(northwind: Workspace, carol: Membership) -> None:
    """Companies with none to three domains, contacts and deals, some of them equal; another workspace has its own."""
    for number, (domains, contacts, to_do) in enumerate(((2, 3, 1), (0, 1, 2), (1, 1, 0), (1, 0, 2), (0, 0, 0))):
        names = [f"{chr(ord('z') - number - 3 * n)}{number}.example" for n in range(domains)]
        company = companies.create(northwind, by=None, name=f"Company {number}", domains=names)
        for n in range(contacts):
            addresses = [f"{chr(ord('m') - n - 5 * more)}{number}@fabrikam.example" for more in range(n)]
            people.create(northwind, by=None, first_name=f"P {number}{n}", addresses=addresses, company=str(company))
        for n in range(to_do + 1):
            deals.create(northwind, by=None, name=f"Deal {number}{n}", company=str(company))
    people.create(northwind, by=None, first_name="Of no company")
    lost = deals.pipeline_of(northwind).stages.get(outcome="lost")
    Deal.objects.filter(name__endswith="0").update(stage=lost)
    other = companies.create(carol.workspace, by=None, name="Other", domains=["a.example"])
    people.create(carol.workspace, by=None, first_name="Other", addresses=["a@a.example"], company=str(other))


@pytest.mark.parametrize(
    "address",
    [
        *("/contacts/?sort=email", "/contacts/?sort=email&way=down", "/contacts/?sort=email&q=p 0"),
        *("/contacts/?sort=company", "/contacts/?sort=company&way=down", "/deals/list/?show=all&sort=company"),
        *("/companies/?sort=domain", "/companies/?sort=domain&way=down"),
        *("/companies/?sort=contacts", "/companies/?sort=contacts&way=up", "/companies/?sort=contacts&q=company"),
        *("/companies/?sort=deals", "/companies/?sort=deals&way=up"),
    ],
)
def test_pages_are_the_same_as_of_all_sorted(
    records: None, alice: Membership, as_: As, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def pages(size: int) -> list[int]:
        monkeypatch.setattr(lists, "PAGE", size)
        found, more = [], ""
        while True:
            page = as_(alice).get(address + more).context
            found += [line.record.pk for line in page["lines"]]
            if not page["more"]:
                return found
            more = "&after=" + page["more"].rpartition("after=")[2]

    mine = {"contacts": Person, "companies": Company, "deals": Deal}[address.split("/")[1]]
    everybody = pages(50)
    for most in (1, 3, 400):
        monkeypatch.setattr(nearby, "MOST", most)
        assert pages(2) == everybody
    assert pages(1) == everybody
    assert set(everybody) <= set(mine.objects.for_workspace(alice.workspace_id).values_list("pk", flat=True))


def test_the_orders_are_by_the_first_address_and_the_open_deals(records: None, alice: Membership, as_: As) -> None:
    def column(address: str, key: str) -> list[str]:
        page = as_(alice).get(address).context
        place = [one.column.key for one in page["headings"]].index(key)
        return [line.cells[place].text for line in page["lines"]]

    assert column("/contacts/?sort=email", "email") == ["k0@fabrikam.example", "l0@fabrikam.example", *[""] * 4]
    assert column("/companies/?sort=domain", "domain") == ["w3.example", "x2.example", "z0.example", "", ""]
    assert column("/companies/?sort=contacts", "contacts") == ["3", "1", "1", "", ""]
    assert column("/companies/?sort=deals", "deals") == ["2", "2", "1", "", ""]


@pytest.mark.parametrize("broken", [["x", "y"], [1e400, 1], ["", ""], [1, 2, 3], [True, 0]])
@pytest.mark.parametrize("address", ["/contacts/?sort=email", "/contacts/?sort=company", "/companies/?sort=contacts"])
def test_a_broken_place_is_no_error(records: None, alice: Membership, as_: As, address: str, broken: object) -> None:
    after = base64.urlsafe_b64encode(json.dumps(broken).encode()).decode().rstrip("=")
    assert as_(alice).get(f"{address}&after={after}").status_code == 200
