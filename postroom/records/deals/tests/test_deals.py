"""Deals: stages, contacts, the board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from postroom.records import boards
from postroom.records.deals import commands
from postroom.records.deals.board import columns, is_late
from postroom.records.deals.screen import DEALS
from postroom.records.models import Deal, Event, Pipeline, Stage
from postroom.records.people import commands as people
from postroom.records.screens import Step
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def deal(northwind: Workspace, alice: Membership) -> Deal:
    return commands.create(northwind, by=alice, name="Contoso renewal", amount=Decimal(84000))


def steps(deal: Deal) -> Sequence[Step]:
    assert DEALS.moved is not None
    return DEALS.moved.steps(deal)


def stage(deal: Deal, name: str) -> Stage:
    return deal.stage.pipeline.stages.get(name=name)


def test_a_workspace_gets_its_pipeline_with_the_first_deal(deal: Deal) -> None:
    assert deal.stage.name == "Qualified"
    assert [one.name for one in Pipeline.objects.get().stages.all()] == [name for name, _, _ in commands.FIRST_STAGES]


def test_moving_is_told_and_moving_nowhere_is_not(deal: Deal, alice: Membership) -> None:
    assert commands.move(deal, to=stage(deal, "Proposal"), by=alice)
    assert not commands.move(deal, to=stage(deal, "Proposal"), by=alice)
    event = Event.objects.get(verb="moved")
    assert event.changes == [{"field": "Stage", "old": "Qualified", "new": "Proposal"}]


def test_a_stage_of_the_next_workspace_is_refused(deal: Deal, carol: Membership) -> None:
    theirs = commands.pipeline_of(carol.workspace).stages.first()
    assert theirs is not None
    with pytest.raises(ValidationError):
        commands.move(deal, to=theirs, by=None)


def test_contacts_come_and_go(deal: Deal, northwind: Workspace) -> None:
    ines = people.create(northwind, by=None, first_name="Ines", addresses=["ines@contoso.example"])
    commands.change(deal, by=None, people=["Ines <ines@contoso.example>", "Paul <paul@contoso.example>"])
    assert {one.name for one in deal.people.all()} == {"Ines", "Paul"}
    commands.remove_person(deal, ines, by=None)
    assert [one.name for one in deal.people.all()] == ["Paul"]
    assert Event.objects.filter(deal=deal, verb="changed").order_by("-id")[0].changes == [
        {"field": "Contacts", "old": "Ines", "new": ""}
    ]


def test_an_unknown_contact_changes_nothing(deal: Deal) -> None:
    with pytest.raises(ValidationError):
        commands.change(deal, by=None, name="Other", people=["Nobody Known"])
    deal.refresh_from_db()
    assert deal.name == "Contoso renewal"


def test_amounts_are_told_as_they_are_read(deal: Deal) -> None:
    commands.change(Deal.objects.get(), by=None, amount=Decimal("86500.5"), close_date=date(2026, 12, 9))
    assert Event.objects.get(verb="changed").changes == [
        {"field": "Amount", "old": "84,000", "new": "86,500.50"},
        {"field": "Close date", "old": "", "new": "9 Dec 2026"},
    ]


def test_steps_before_the_stage_are_done_but_not_on_the_way_to_lost(deal: Deal) -> None:
    commands.move(deal, to=stage(deal, "Negotiation"), by=None)
    assert [step.state for step in steps(deal)] == ["done", "done", "now", "", "", ""]
    commands.move(deal, to=stage(deal, "Lost"), by=None)
    assert [step.state for step in steps(deal)] == ["", "", "", "", "", "now"]


def test_the_board_counts_and_sums_each_stage(deal: Deal, northwind: Workspace) -> None:
    commands.create(northwind, by=None, name="Osaka pilot", amount=Decimal(38000), currency="USD")
    first, *rest = columns(deal.stage.pipeline)
    assert (first.count, first.total, first.left_out) == (2, "€84,000 + $38,000", 0)
    assert all(column.count == 0 and column.total == "" for column in rest)


def test_each_column_begins_with_what_closes_first(
    deal: Deal, northwind: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "MOST_CARDS", 2)
    for day in (9, 3, 5):
        close = date(2026, 12, day)
        commands.create(northwind, by=None, name=f"New {day}", close_date=close)
        moved = commands.create(northwind, by=None, name=f"Proposed {day}", close_date=close)
        commands.move(moved, to=stage(deal, "Proposal"), by=None)
    shown = {one.step.label: [card.name for card in one.cards] for one in columns(deal.stage.pipeline) if one.cards}
    assert shown == {"Qualified": ["New 3", "New 5"], "Proposal": ["Proposed 3", "Proposed 5"]}
    assert columns(deal.stage.pipeline)[0].left_out == 2


def test_an_open_deal_past_its_date_is_late(deal: Deal) -> None:
    deal.close_date = date(2026, 11, 1)
    assert is_late(deal, date(2026, 11, 2)) and not is_late(deal, date(2026, 11, 1))


def test_moving_on_the_board_answers_with_the_way_back(
    deal: Deal, alice: Membership, as_: Callable[[Membership], Client]
) -> None:
    target = stage(deal, "Proposal")
    answer = as_(alice).post(f"/deals/{deal.pk}/stages/{target.pk}/", headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert "/records/undo/" in answer.headers["HX-Trigger"]
    assert as_(alice).post(f"/deals/{deal.pk}/stages/{target.pk}/").url == f"/deals/{deal.pk}/"


def test_the_list_can_be_walked_in_every_order(
    northwind: Workspace, alice: Membership, as_: Callable[[Membership], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postroom.records.lists.PAGE", 2)
    for number in range(5):
        commands.create(northwind, by=None, name=f"Deal {number}", amount=Decimal(number) if number % 2 else None)
    for sort in ("name", "added", "amount", "closes"):
        for way in ("up", "down"):
            seen: list[int] = []
            url = f"/deals/list/?sort={sort}&way={way}"
            while url:
                context = as_(alice).get(url).context
                seen += [line.record.pk for line in context["lines"]]
                url = f"/deals/list/{context['more']}" if context["more"] else ""
            assert sorted(seen) == sorted(Deal.objects.values_list("pk", flat=True)), (sort, way)
