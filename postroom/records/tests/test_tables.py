"""Tables: every column sorts, every filter narrows, and they combine, the same way for every record type and tasks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from postroom.lib.pages import keyset
from postroom.records.all_tables import TABLES
from postroom.records.asked import FILTER
from postroom.records.candidates import commands as candidates
from postroom.records.companies import commands as companies
from postroom.records.custom_fields import commands as own
from postroom.records.deals import commands as deals
from postroom.records.models import CustomField, Deal
from postroom.records.people import commands as people
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def some(northwind: Workspace, alice: Membership, bob: Membership) -> None:
    """Four of everything: some fields set, some not, so that both come in every order."""
    for number in range(4):
        half = number % 2 == 0
        company = companies.create(northwind, by=alice, name=f"Company {number}", domains=[f"c{number}.example"])
        person = people.create(
            northwind, by=alice, first_name=f"Person {number}", owner=bob if half else None,
            addresses=[f"p@c{number}.example"] if half else [], company=company if half else "",
        )  # fmt: skip
        deals.create(
            northwind, by=alice, name=f"Deal {number}", amount=Decimal(1000 * number) if half else None,
            close_date=date(2026, 11, 10 + number) if half else None, company=company if half else "",
        )  # fmt: skip
        tickets.create(northwind, by=alice, name=f"Ticket {number}", requester=person if half else None)
        candidates.create(northwind, by=alice, name=f"Candidate {number}", address=f"a@c{number}.example")
        tasks.create(northwind, by=alice, title=f"Task {number}", due=date(2026, 11, 20) if half else None)


@pytest.fixture
def region(northwind: Workspace) -> CustomField:
    return own.add(northwind, "deal", label="Region", kind="choice", choices="North, South")


def shown(client: Client, address: str) -> list[str]:
    return [str(line.record) for line in client.get(address).context["lines"]]


def with_own(deal: Deal, field: CustomField, value: str) -> None:
    deals.change(deal, by=None, own={field.pk: value})


def test_every_column_sorts_both_ways_page_by_page(some: None, northwind: Workspace, alice: Membership) -> None:
    for table in TABLES:
        every = table.rows(table.of(northwind))
        for column in (one for one in table.columns if one.by is not None):
            orders = []
            for down in (False, True):
                query, order = column.order(every, down=down, member=alice)
                seen, after = [], ""
                while not seen or after:
                    page = keyset(query, order=order, after=after, size=2)
                    seen += [row.pk for row in page.rows]
                    after = page.next
                orders.append(seen)
                assert sorted(seen) == sorted(table.of(northwind).values_list("pk", flat=True)), (column.key, down)
            assert orders[0] != orders[1], column.key


def test_what_is_empty_comes_last_both_ways(some: None, alice: Membership, as_: SignIn) -> None:
    client = as_(alice)
    assert shown(client, "/deals/list/?sort=amount&way=up")[:2] == ["Deal 0", "Deal 2"]
    assert shown(client, "/deals/list/?sort=amount&way=down")[:2] == ["Deal 2", "Deal 0"]


def test_every_filter_is_drawn_narrows_and_says_so(some: None, alice: Membership, as_: SignIn) -> None:
    for table in TABLES:
        client, part = as_(alice), table.cuts[-1].key if table.place == "task" else "all"
        drawn = client.get(f"{table.url}filter/")
        assert drawn.status_code == 200
        values = ("none", "a", "1..5", "2026-11-01..2026-11-30", "x", "9" * 40)
        for column in (one for one in table.columns if one.filter is not None):
            choices = [
                value for one in drawn.context["inputs"] if one.name == FILTER + column.key for value, _ in one.options
            ]
            for value in (*values, *choices):
                if read := column.filter.read([value], lambda part: ""):
                    assert column.filter.say(read, alice)
                    len(column.filter.narrow(table.rows(table.of(alice.workspace)), "narrowed", read, alice))
        assert (
            client.get(table.url, {"show": part, "f.owner": "\x00", "f.due": "x", "f.about": "nothing"}).status_code
            == 200
        )
        names = {FILTER + column.key for column in table.columns if column.filter}
        assert names == {one.name for one in drawn.context["inputs"]}


def test_filters_combine_with_each_other_the_words_and_the_part(
    some: None, alice: Membership, bob: Membership, as_: SignIn
) -> None:
    client = as_(bob)
    assert shown(client, "/contacts/?f.owner=me") == ["Person 0", "Person 2"]
    assert shown(client, "/contacts/?f.owner=me&f.email=c2.example") == ["Person 2"]
    assert shown(client, "/contacts/?f.owner=none") == ["Person 1", "Person 3"]
    assert shown(client, "/contacts/?f.owner=none&f.owner=me&q=person+3") == ["Person 3"]
    assert shown(client, "/deals/list/?f.amount=1..2000&sort=amount") == ["Deal 2"]
    assert shown(client, "/deals/list/?f.closes=2026-11-12..") == ["Deal 2"]
    assert shown(client, "/deals/list/?f.closes=none&f.company=company") == []


def test_stretches_of_time_move_with_today(some: None, alice: Membership, as_: SignIn) -> None:
    today = timezone.localdate()
    Deal.objects.filter(name="Deal 1").update(close_date=today - timedelta(days=1))
    Deal.objects.filter(name="Deal 2").update(close_date=today)
    Deal.objects.filter(name="Deal 3").update(close_date=today + timedelta(days=5))
    Deal.objects.filter(name="Deal 0").update(close_date=None)
    client = as_(alice)
    assert shown(client, "/deals/list/?f.closes=past") == ["Deal 1"]
    assert shown(client, "/deals/list/?f.closes=next-7") == ["Deal 2", "Deal 3"]


def test_what_the_form_says_at_length_becomes_a_short_address(alice: Membership, as_: SignIn) -> None:
    told = "apply=1&f.owner=me&f.company=&f.amount.span=&f.amount.from=10&f.amount.to=&f.closes.span=month"
    answer = as_(alice).get(f"/deals/list/?{told}")
    assert answer.headers["Location"] == "/deals/list/?f.amount=10..&f.closes=month&f.owner=me"


def test_own_fields_are_columns_that_sort_and_narrow(
    some: None, northwind: Workspace, region: CustomField, alice: Membership, as_: SignIn
) -> None:
    size = own.add(northwind, "deal", label="Size", kind="number")
    for number, deal in enumerate(Deal.objects.order_by("name")):
        with_own(deal, region, "South" if number in (1, 3) else "")
        with_own(deal, size, str(number * 7 % 5) if number else "")
    client = as_(alice)
    south = f"/deals/list/?f.own-{region.pk}=South&cols=own-{region.pk},amount"
    answer = client.get(south)
    assert [heading.column.label for heading in answer.context["headings"]] == ["Name", "Region", "Amount"]
    assert shown(client, south) == ["Deal 1", "Deal 3"]
    assert "Region: South" in answer.text
    assert shown(client, f"/deals/list/?sort=own-{size.pk}") == ["Deal 3", "Deal 1", "Deal 2", "Deal 0"]
    assert shown(client, f"/deals/list/?f.own-{size.pk}=3..4") == ["Deal 2"]


def test_columns_are_remembered_for_the_member(some: None, alice: Membership, bob: Membership, as_: SignIn) -> None:
    told = {"all": ["stage", "owner", "amount"], "col": ["owner", "stage"], "state": "q=deal"}
    assert as_(alice).post("/deals/list/columns/", told).headers["Location"] == "/deals/list/?q=deal"
    headings = as_(alice).get("/deals/list/").context["headings"]
    assert [one.column.key for one in headings] == ["name", "stage", "owner"]
    assert len(as_(bob).get("/deals/list/").context["headings"]) > 3


def test_columns_are_moved_without_being_kept_yet(alice: Membership, as_: SignIn) -> None:
    told = {"all": ["stage", "owner", "amount"], "col": ["owner"], "move": "up:amount"}
    lines = as_(alice).post("/deals/list/columns/", told, headers=HTMX).context["lines"]
    assert [(key, shown) for key, _, shown in lines] == [("stage", False), ("amount", False), ("owner", True)]


def test_a_table_costs_few_queries_however_much_it_shows(some: None, alice: Membership, as_: SignIn) -> None:
    for table in TABLES:
        client = as_(alice)
        every = ",".join(column.key for column in table.columns[1:])
        address = f"{table.url}?show={table.cuts[-1].key}&cols={every}&sort={table.columns[2].key}"
        address += f"&f.owner={alice.pk}&f.assignee={alice.pk}"
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        assert len(queries) <= 12, "\n".join(str(one["sql"])[:220] for one in queries)


def test_a_long_table_says_how_many_without_counting_all(
    some: None, alice: Membership, as_: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert as_(alice).get("/contacts/?q=person").context["count"] == "4"
    monkeypatch.setattr("postroom.records.lists.COUNTED", 3)
    assert as_(alice).get("/contacts/?q=person").context["count"] == "3+"


def test_the_file_has_what_the_table_shows(some: None, alice: Membership, as_: SignIn) -> None:
    answer: Any = as_(alice).get("/deals/export/?f.amount=1..2000")
    text = b"".join(answer.streaming_content).decode()
    assert "Deal 2" in text and "Deal 0" not in text
