"""Paging through rows: all of them, once each, in order, whatever the token."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from postroom.lib.pages import keyset

pytestmark = pytest.mark.django_db
ORDER = ("-model", "id")


@pytest.fixture
def rows() -> list[int]:
    """Any model with equal values will do; these rows stand for what is paged through."""
    made = [ContentType.objects.create(app_label=f"paged{n}", model=f"name {n % 4}") for n in range(23)]
    return [row.pk for row in sorted(made, key=lambda row: (-int(row.model[-1]), row.pk))]


def everybody() -> QuerySet[ContentType]:
    return ContentType.objects.filter(app_label__startswith="paged")


def test_pages_together_hold_every_row_once_in_order(rows: list[int]) -> None:
    seen, after = [], ""
    while True:
        page = keyset(everybody(), order=ORDER, after=after, size=5)
        seen += [row.pk for row in page.rows]
        after = page.next
        if not after:
            break
    assert seen == rows


def test_a_row_that_arrives_in_front_shifts_nothing(rows: list[int]) -> None:
    first = keyset(everybody(), order=ORDER, size=5)
    ContentType.objects.create(app_label="paged", model="name 9")
    second = keyset(everybody(), order=ORDER, after=first.next, size=5)
    assert [row.pk for row in second.rows] == rows[5:10]


@pytest.mark.parametrize(
    "after", ["x", "W10", "bnVsbA", "é", "W1siYSJdLDFd", "WyJhIl0", "WyJhXHUwMDAwIiwxXQ", "WyJhIiwiYiJd"]
)
def test_a_broken_token_means_the_first_page(rows: list[int], after: str) -> None:
    assert [row.pk for row in keyset(everybody(), order=ORDER, after=after, size=5).rows] == rows[:5]


@pytest.mark.parametrize("after", ["WzEsMl0", "WyJhIiwxZTk5XQ", "WyJhIiwxZTk5OV0", "W3RydWUsZmFsc2Vd"])
def test_a_foreign_token_is_no_error(rows: list[int], after: str) -> None:
    keyset(everybody(), order=ORDER, after=after, size=5)


def test_the_last_full_page_has_no_next(rows: list[int]) -> None:
    assert keyset(everybody(), order=ORDER, size=23).next == ""


def test_each_page_is_one_query(rows: list[int], django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        keyset(everybody(), order=ORDER, size=5)
