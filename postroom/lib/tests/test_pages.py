"""Paging through rows: all of them, once each, in order, whatever the token."""

from __future__ import annotations

import pytest

from postroom.accounts.models import User
from postroom.lib.pages import keyset

pytestmark = pytest.mark.django_db
ORDER = ("-name", "id")


@pytest.fixture
def people() -> list[int]:
    rows = User.objects.bulk_create(User(email=f"{n}@x.y", name=f"name {n % 4}") for n in range(23))
    return [row.pk for row in sorted(rows, key=lambda row: (-(int(row.name[-1])), row.pk))]


def test_pages_together_hold_every_row_once_in_order(people: list[int]) -> None:
    seen, after = [], ""
    while True:
        page = keyset(User.objects.all(), order=ORDER, after=after, size=5)
        seen += [row.pk for row in page.rows]
        after = page.next
        if not after:
            break
    assert seen == people


def test_a_row_that_arrives_in_front_shifts_nothing(people: list[int]) -> None:
    first = keyset(User.objects.all(), order=ORDER, size=5)
    User.objects.create(email="new@x.y", name="name 9")
    second = keyset(User.objects.all(), order=ORDER, after=first.next, size=5)
    assert [row.pk for row in second.rows] == people[5:10]


@pytest.mark.parametrize(
    "after", ["x", "W10", "bnVsbA", "é", "W1siYSJdLDFd", "WyJhIl0", "WyJhXHUwMDAwIiwxXQ", "WyJhIiwiYiJd"]
)
def test_a_broken_token_means_the_first_page(people: list[int], after: str) -> None:
    assert [row.pk for row in keyset(User.objects.all(), order=ORDER, after=after, size=5).rows] == people[:5]


@pytest.mark.parametrize("after", ["WzEsMl0", "WyJhIiwxZTk5XQ", "WyJhIiwxZTk5OV0", "W3RydWUsZmFsc2Vd"])
def test_a_foreign_token_is_no_error(people: list[int], after: str) -> None:
    keyset(User.objects.all(), order=ORDER, after=after, size=5)


def test_the_last_full_page_has_no_next(people: list[int]) -> None:
    assert keyset(User.objects.all(), order=ORDER, size=23).next == ""


def test_each_page_is_one_query(people: list[int], django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        keyset(User.objects.all(), order=ORDER, size=5)
