"""The forecast adds up, to the cent, and never across currencies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.records.deals import commands
from postroom.records.deals.forecast import Forecast, Line, forecast
from postroom.records.models import Deal, Pipeline
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 21)
NOVEMBER, DECEMBER, FAR = date(2026, 11, 30), date(2026, 12, 9), date(2027, 9, 1)


@pytest.fixture
def pipeline(northwind: Workspace, alice: Membership, bob: Membership) -> Pipeline:
    """Qualified 10 %, Proposal 30 %, Negotiation 60 %."""
    found = commands.pipeline_of(northwind)
    stages = {one.name: one for one in found.stages.all()}
    for name, stage, amount, currency, closes, owner in (
        ("A", "Qualified", "100.05", "EUR", NOVEMBER, alice),
        ("B", "Proposal", "0.10", "EUR", NOVEMBER, alice),
        ("C", "Negotiation", "1000", "USD", DECEMBER, bob),
        ("D", "Proposal", "50", "EUR", date(2026, 11, 20), bob),
        ("E", "Proposal", "70", "EUR", FAR, None),
        ("F", "Proposal", None, "EUR", None, bob),
        ("G", "Won", "500", "EUR", date(2026, 11, 3), bob),
        ("H", "Won", "900", "EUR", date(2026, 10, 31), bob),
        ("I", "Lost", "9999", "EUR", NOVEMBER, bob),
    ):
        commands.create(
            northwind, by=None, name=name, stage=stages[stage], amount=Decimal(amount) if amount else None,
            currency=currency, close_date=closes, owner=owner,
        )  # fmt: skip
    return found


def line(lines: object, label: str) -> Line:
    return next(one for one in lines if one.label == label)  # type: ignore[attr-defined]


@pytest.fixture
def found(pipeline: Pipeline) -> Forecast:
    return forecast(pipeline, today=TODAY)


def test_sums_are_exact_and_of_one_currency_each(found: Forecast) -> None:
    november = line(found.months, "November 2026")
    assert november.open == {"EUR": Decimal("100.15")}
    assert november.expected == {"EUR": Decimal("10.0350")}  # 10 % of 100.05 and 30 % of 0.10
    assert november.won == {"EUR": Decimal(500)}
    assert line(found.months, "December 2026").expected_text == "$600"
    assert found.total.open_text == "$1,000 + €220.15"


def test_every_open_deal_is_in_one_line_of_each_part(found: Forecast) -> None:
    for part in (found.months, found.stages, found.owners):
        assert sum(one.number for one in part) == found.total.number == 6
        for currency in ("EUR", "USD"):
            zero = Decimal(0)
            assert sum(one.expected.get(currency, zero) for one in part) == found.total.expected[currency]


def test_late_later_and_undated_deals_have_their_lines(found: Forecast) -> None:
    assert {one.label: one.number for one in found.months if one.number} == {
        "Late": 1, "November 2026": 2, "December 2026": 1, "Later": 1, "No close date": 1,
    }  # fmt: skip
    assert len(found.months) == 6 + 3


def test_what_was_won_before_this_month_and_what_was_lost_are_no_forecast(found: Forecast) -> None:
    assert found.total.won == {"EUR": Decimal(500)}
    assert line(found.stages, "Won").won_text == "€500"
    assert all(one.label != "Lost" for one in found.stages)


def test_one_owner_s_share(pipeline: Pipeline, bob: Membership) -> None:
    his = forecast(pipeline, today=TODAY, owner=bob)
    assert his.total.number == 3
    assert [one.label for one in his.owners] == ["Bob"]


def test_an_empty_pipeline_forecasts_nothing(northwind: Workspace) -> None:
    found = forecast(commands.pipeline_of(northwind), today=TODAY)
    assert (found.total.number, found.most, found.owners) == (0, 0, [])


def test_the_screen_costs_the_same_however_many_deals(
    pipeline: Pipeline, northwind: Workspace, alice: Membership, carol: Membership, as_: Callable[[Membership], Client]
) -> None:
    client = as_(alice)
    counts = []
    for address in ("/deals/forecast/", "/deals/"):
        assert client.get(address).status_code == 200
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        counts.append(len(queries))
        Deal.objects.bulk_create(
            Deal(workspace=northwind, name=f"X{number}", sort_name="x", stage=pipeline.stages.all()[0], amount=number)
            for number in range(70)
        )
        with CaptureQueriesContext(connection) as more:
            text = client.get(address).text
        assert len(more) == len(queries) <= 12
    assert "more in the list" in text
    assert client.get(f"/deals/forecast/?owner={carol.pk}").status_code == 404
    assert client.get(f"/deals/forecast/?owner={alice.pk}").status_code == 200
