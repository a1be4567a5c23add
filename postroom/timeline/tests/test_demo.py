"""The demo's records."""

from __future__ import annotations

from datetime import timedelta

import pytest

from postroom.lib.clock import now
from postroom.mail.models import Correspondent
from postroom.records.models import Candidate, Company, Deal, Person, Task, Ticket
from postroom.timeline.demo import is_robot, name_of_domain, seed, seed_from_mail
from postroom.timeline.demo_company import CUSTOMERS, SALES
from postroom.timeline.demo_work import APPLIED, ASKED, TO_DO
from postroom.timeline.models import Link
from postroom.timeline.tests.world import World

pytestmark = pytest.mark.django_db


def test_the_company_has_its_customers_once(world: World) -> None:
    assert seed(world.workspace, [world.adele]) == len(CUSTOMERS)
    assert seed(world.workspace, [world.adele]) == 0
    assert Deal.objects.count() == len(SALES)
    assert Deal.objects.get(name="Contoso renewal").owner == world.adele
    assert {one.company.name for one in Deal.objects.all()} <= {one.name for one in CUSTOMERS}
    assert Person.objects.count() == sum(len(one.people.strip().splitlines()) for one in CUSTOMERS) + len(APPLIED)
    assert (Ticket.objects.count(), Candidate.objects.count(), Task.objects.count()) == (
        len(ASKED),
        len(APPLIED),
        len(TO_DO),
    )


def test_mail_of_the_company_finds_its_customers(world: World) -> None:
    seed(world.workspace, [world.adele])
    world.arrive(world.mail("ines.ribeiro@contoso.example", "adele@northwind.example"))
    assert {one.record.name for one in Link.objects.all()} == {"Inês Ribeiro", "Contoso"}


def test_somebodys_own_mail_makes_companies_contacts_and_deals(world: World) -> None:
    heard = [
        ("ines@contoso.example", "Inês Ribeiro", 9),
        ("no-reply@contoso.example", "Contoso", 0),
        ("friend@gmail.com", "A Friend", 50),
        ("bob@northwind.example", "Bob", 70),
        ("news@letters.example", "News", 0),
    ]
    for days, (address, name, sent) in enumerate(heard):
        Correspondent.objects.create(
            workspace=world.workspace,
            address=address,
            name=name,
            domain=address.partition("@")[2],
            sent=sent,
            last_at=now() - timedelta(days=days),
        )
    assert seed_from_mail(world.workspace, world.adele) == 1
    assert Company.objects.get().name == "Contoso"
    assert [one.name for one in Person.objects.all()] == ["Inês Ribeiro"]
    assert [one.name for one in Deal.objects.get().people.all()] == ["Inês Ribeiro"]


@pytest.mark.parametrize(
    ("domain", "name"),
    [("vogt-soehne.example", "Vogt Soehne"), ("mail.acme.co.uk", "Acme"), ("localhost", "localhost")],
)
def test_a_company_is_named_by_its_domain(domain: str, name: str) -> None:
    assert name_of_domain(domain) == name


def test_robots_are_nobody() -> None:
    assert is_robot("no-reply@contoso.example") and not is_robot("ines@noreply.example")
