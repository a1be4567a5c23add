"""Cells of a table, changed where they stand; and rows drawn by themselves when there was news of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from postroom.records.all_tables import SCREENS
from postroom.records.candidates import commands as candidates
from postroom.records.cells import StepForm
from postroom.records.companies import commands as companies
from postroom.records.custom_fields import commands as own
from postroom.records.deals import commands as deals
from postroom.records.models import Deal, Person
from postroom.records.people import commands as people
from postroom.records.record import Record
from postroom.records.tickets import commands as tickets
from postroom.records.undoing import value_of
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def deal(northwind: Workspace, alice: Membership) -> Deal:
    return deals.create(northwind, by=alice, name="Contoso renewal", amount=Decimal(84000))


def at(record: Record, column: str) -> str:
    return reverse(f"records:{record.key}-cell", args=[record.pk, column])


def told(answer: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer.headers["HX-Trigger"])["toast"]
    return found


def test_every_cell_that_says_it_can_be_changed_has_a_form(northwind: Workspace, alice: Membership) -> None:
    """A column names a field of its record's form, or the step the record stands at."""
    made: dict[str, Record] = {
        "contact": people.create(northwind, by=alice, first_name="Inês"),
        "company": companies.create(northwind, by=alice, name="Contoso"),
        "deal": deals.create(northwind, by=alice, name="Renewal"),
        "ticket": tickets.create(northwind, by=alice, name="Scanner"),
        "candidate": candidates.create(northwind, by=alice, name="Paul"),
    }
    for key, screen in SCREENS.items():
        own.add(northwind, key, label="Badge", kind="text")
        for column in (*screen.columns, *screen.own_columns(northwind)):
            if column.edit and not (screen.moved and column.edit == screen.moved.name):
                assert screen.form(workspace=northwind, only=column.edit).fields, (key, column.key)
            elif column.edit:
                assert StepForm(None, screen=screen, record=made[key]).fields[column.edit].choices


def test_a_cell_gets_its_form_and_its_answer_is_the_row(deal: Deal, alice: Membership, as_: SignIn) -> None:
    client = as_(alice)
    form = client.get(at(deal, "amount") + "?here=%3Fcols%3Damount", headers=HTMX)
    assert 'value="84000.00"' in form.text and 'aria-label="Amount of Contoso renewal"' in form.text
    answer = client.post(at(deal, "amount"), {"amount": "1200", "here": "?cols=amount,chance"}, headers=HTMX)
    assert [cell.text for cell in answer.context["lines"][0].cells][1:] == ["€1,200", "10 %"]
    assert f'id="deal-{deal.pk}"' in answer.text and "<table" not in answer.text
    assert told(answer)["text"] == "Amount of Contoso renewal changed."
    client.post(told(answer)["undo_url"], headers=HTMX)
    assert Deal.objects.get().amount == 84000


def test_a_step_is_changed_in_its_cell_and_taken_back(deal: Deal, alice: Membership, as_: SignIn) -> None:
    client, before = as_(alice), deal.stage_id
    later = deal.stage.pipeline.stages.all()[1]
    assert later.name in client.get(at(deal, "stage"), headers=HTMX).text
    answer = client.post(at(deal, "stage"), {"stage": later.pk}, headers=HTMX)
    assert Deal.objects.get().stage == later
    client.post(told(answer)["undo_url"], headers=HTMX)
    assert Deal.objects.get().stage_id == before


@pytest.mark.parametrize(("column", "value"), [("amount", "much"), ("stage", "999999"), ("name", " ")])
def test_what_is_refused_stays_in_the_cell_with_the_reason(
    deal: Deal, alice: Membership, as_: SignIn, column: str, value: str
) -> None:
    before = value_of(SCREENS["deal"], Deal.objects.get(), column)
    answer = as_(alice).post(at(deal, column), {column: value}, headers=HTMX)
    assert answer.status_code == 422 and "field-error" in answer.text
    assert answer.headers["HX-Retarget"] == f"#deal-{deal.pk} [data-cell='{column}'] form"
    assert value_of(SCREENS["deal"], Deal.objects.get(), column) == before


def test_a_cell_that_is_left_as_it_was_says_nothing(deal: Deal, alice: Membership, as_: SignIn) -> None:
    answer = as_(alice).post(at(deal, "amount"), {"amount": "84000.00"}, headers=HTMX)
    assert answer.status_code == 200 and "HX-Trigger" not in answer.headers


@pytest.mark.parametrize("column", ["chance", "mail", "added", "nonsense"])
def test_what_follows_from_other_things_has_no_form(deal: Deal, alice: Membership, as_: SignIn, column: str) -> None:
    assert as_(alice).get(at(deal, column), headers=HTMX).status_code == 404


def test_rows_there_was_news_of_come_by_themselves(
    northwind: Workspace, deal: Deal, alice: Membership, bob: Membership, carol: Membership, as_: SignIn
) -> None:
    """What fits no more is drawn and marked, what is gone is taken out, what is another's is as good as gone."""
    foreign = deals.create(carol.workspace, by=carol, name="Woodgrove's")
    other = deals.create(northwind, by=bob, name="Osaka")
    answer = as_(alice).get(f"/deals/list/?show=mine&rows={deal.pk},{other.pk},{foreign.pk},x", headers=HTMX)
    assert {line.record.name: line.state for line in answer.context["lines"]} == {"Contoso renewal": "", "Osaka": "out"}
    assert answer.context["gone"] == [foreign.pk]
    assert answer.text.count('hx-swap-oob="morph"') == 2 and answer.text.count('hx-swap-oob="delete"') == 1
    assert "Woodgrove" not in answer.text


def test_a_contact_s_name_is_made_of_two_and_changed_on_its_page(
    northwind: Workspace, alice: Membership, as_: SignIn
) -> None:
    ines = people.create(northwind, by=alice, first_name="Inês")
    assert as_(alice).get(at(ines, "name"), headers=HTMX).status_code == 404
    as_(alice).post(at(ines, "email"), {"addresses": "i@a.example, ines@b.example"}, headers=HTMX)
    assert Person.objects.get().address_list() == ["i@a.example", "ines@b.example"]
