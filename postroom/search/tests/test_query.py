"""What is typed, understood."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.search.query import Query, Term, parse


def test_words_phrases_and_operators_are_told_apart() -> None:
    query = parse('invoice "net 30" from:ana subject:"renewal terms" has:attachment in:inbox is:unread -draft ')
    assert query.terms == [
        Term("invoice"),
        Term("net 30", phrase=True),
        Term("ana", where="from"),
        Term("renewal terms", where="subject", phrase=True),
        Term("draft", absent=True),
    ]
    assert query.attachments and query.folders == ["inbox"] and query.states == {"unread"} and not query.problems


def test_only_the_word_still_being_typed_stands_for_its_beginnings() -> None:
    assert [term.begins for term in parse("renewal ter").terms] == [False, True]
    assert [term.begins for term in parse("renewal ter ").terms] == [False, False]


@pytest.mark.parametrize(
    ("text", "after", "before"),
    [
        ("after:2026-03-05", datetime(2026, 3, 5, tzinfo=UTC), None),
        ("after:2025 before:2026-3", datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_dates_name_a_day_a_month_or_a_year(text: str, after: datetime, before: datetime | None) -> None:
    query = parse(text)
    assert (query.after, query.before) == (after, before)


@pytest.mark.parametrize("text", ["is:purple", "before:soon", "after:2026-02-31", "has:hope"])
def test_what_is_not_understood_is_named_and_the_rest_is_used(text: str) -> None:
    query = parse(f"budget {text}")
    assert len(query.problems) == 1 and text in query.problems[0]
    assert [term.text for term in query.terms] == ["budget"]


def test_a_colon_in_a_word_is_no_operator() -> None:
    assert [term.text for term in parse("Re: https://x.example/a 10:30 ").terms] == [
        "Re:",
        "https://x.example/a",
        "10:30",
    ]


@pytest.mark.parametrize("text", ["", "   ", '""', "-draft", "from:", "in:"])
def test_a_query_that_asks_for_nothing_is_empty(text: str) -> None:
    assert parse(text).empty


@given(st.text(max_size=600))
def test_no_text_is_too_strange(text: str) -> None:
    assert isinstance(parse(text), Query)
