"""What was changed in place or moved is taken back, unless somebody changed the same since."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from postroom.records.all_tables import SCREENS
from postroom.records.candidates import commands as candidates
from postroom.records.companies import commands as companies
from postroom.records.custom_fields import commands as own
from postroom.records.deals import commands as deals
from postroom.records.models import Candidate, Deal, Event, Person, Ticket
from postroom.records.people import commands as people
from postroom.records.record import Record
from postroom.records.tickets import commands as tickets
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def deal(northwind: Workspace, alice: Membership) -> Deal:
    return deals.create(northwind, by=alice, name="Contoso renewal", amount=Decimal("84000.50"))


def change(client: Client, record: Record, name: str, value: Any) -> str:
    """Change a field in place; answers the address of Undo."""
    answer = client.post(reverse(f"records:{record.key}-field", args=[record.pk, name]), {name: value}, headers=HTMX)
    assert answer.status_code == 200, answer.content
    return str(told(answer)["undo_url"])


def told(answer: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return found


def test_every_field_changed_in_place_can_be_taken_back(northwind: Workspace, alice: Membership, as_: SignIn) -> None:
    field = own.add(northwind, "contact", label="Since", kind="date")
    contoso = companies.create(northwind, by=alice, name="Contoso", domains=["contoso.example"])
    ines = people.create(northwind, by=alice, first_name="Inês", addresses=["ines@contoso.example"], phones=["+49 1"])
    assert ines.company == contoso
    client = as_(alice)
    for name, value in {
        "first_name": "Ines", "addresses": "i@home.example, ines@contoso.example", "phones": "+49 2, +49 3",
        "job_title": "Buyer", "company": "Fabrikam", "owner": "", field.form_name: "2026-11-21",
    }.items():  # fmt: skip
        start = (SCREENS["contact"].form(workspace=northwind, record=_again(ines), only=name))[name].value()
        undo = change(client, ines, name, value)
        answer = client.post(undo, headers=HTMX)
        assert told(answer)["text"].endswith("is as it was."), name
        assert f'id="field-{name}"' in answer.text and "hx-swap-oob" in answer.text
        assert (SCREENS["contact"].form(workspace=northwind, record=_again(ines), only=name))[name].value() == start


def _again(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


def test_an_amount_comes_back_to_the_cent(deal: Deal, alice: Membership, as_: SignIn) -> None:
    client = as_(alice)
    undo = change(client, deal, "amount", "12")
    client.post(undo, headers=HTMX)
    assert Deal.objects.get().amount == Decimal("84000.50")
    last = Event.objects.filter(deal=deal).order_by("-pk")[0]
    assert last.changes == [{"field": "Amount", "old": "12", "new": "84,000.50"}]


def test_what_a_colleague_changed_since_is_left_and_said(
    deal: Deal, alice: Membership, bob: Membership, as_: SignIn
) -> None:
    undo = change(as_(alice), deal, "amount", "12")
    deals.change(Deal.objects.get(), by=bob, amount=Decimal(99))
    answer = as_(alice).post(undo, headers=HTMX)
    assert told(answer)["text"] == "Bob changed amount since, so it was left as it is."
    assert Deal.objects.get().amount == 99


def test_a_change_of_something_else_is_no_hindrance(
    deal: Deal, alice: Membership, bob: Membership, as_: SignIn
) -> None:
    undo = change(as_(alice), deal, "amount", "12")
    deals.change(Deal.objects.get(), by=bob, close_date=date(2026, 12, 9))
    as_(alice).post(undo, headers=HTMX)
    found = Deal.objects.get()
    assert (found.amount, found.close_date) == (Decimal("84000.50"), date(2026, 12, 9))


def test_stages_and_statuses_are_taken_back_unless_moved_on(
    deal: Deal, northwind: Workspace, alice: Membership, bob: Membership, as_: SignIn
) -> None:
    client, first = as_(alice), deal.stage
    second, third = deal.stage.pipeline.stages.all()[1:3]
    ticket = tickets.create(northwind, by=alice, name="Scanner")
    paul = candidates.create(northwind, by=alice, name="Paul")
    for address in (
        f"/deals/{deal.pk}/stages/{second.pk}/",
        f"/tickets/{ticket.pk}/status/solved/",
        f"/candidates/{paul.pk}/stages/offer/",
    ):
        assert client.post(told(client.post(address, headers=HTMX))["undo_url"], headers=HTMX).status_code == 204
    stands = (Deal.objects.get().stage, Ticket.objects.get().status, Candidate.objects.get().stage)
    assert stands == (first, "new", "new")

    undo = told(client.post(f"/deals/{deal.pk}/stages/{second.pk}/", headers=HTMX))["undo_url"]
    deals.move(Deal.objects.get(), to=third, by=bob)
    answer = client.post(undo, headers=HTMX)
    assert told(answer)["text"] == "Bob changed stage since, so it was left as it is."
    assert Deal.objects.get().stage == third


def test_moving_nowhere_says_nothing(deal: Deal, alice: Membership, as_: SignIn) -> None:
    answer = as_(alice).post(f"/deals/{deal.pk}/stages/{deal.stage_id}/", headers=HTMX)
    assert "toast" not in json.loads(answer.headers["HX-Trigger"])


def test_the_way_back_is_the_member_s_own_and_cannot_be_made_up(
    deal: Deal, alice: Membership, bob: Membership, as_: SignIn
) -> None:
    undo = change(as_(alice), deal, "amount", "12")
    assert as_(bob).post(undo).status_code == 404
    assert as_(alice).post(undo.replace("undo/", "undo/x")).status_code == 404
    assert as_(alice).get(undo).status_code == 405
    assert as_(alice).post(undo).url == deal.get_absolute_url()  # type: ignore[attr-defined]
    assert Deal.objects.get().amount == Decimal("84000.50")
