"""Comparing texts, reading addresses and domains, writing amounts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from postroom.records import addresses
from postroom.records.money import money, totals
from postroom.records.text import clean, fold, search_text


@pytest.mark.parametrize(
    ("left", "right"),
    [("Müller & Söhne", "MULLER & SOHNE"), ("Inês", "ines"), ("  a  b ", "A B"), ("Straße", "STRASSE"), ("ﬁn", "FIN")],
)
def test_case_accents_and_spaces_do_not_matter(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_a_cleaned_text_can_be_stored(text: str) -> None:
    kept = clean(text)
    assert "\x00" not in kept and kept == kept.strip()
    kept.encode()


def test_no_match_runs_over_from_one_part_to_the_next() -> None:
    assert "ab" not in search_text(["a", "b"])


@pytest.mark.parametrize(
    "typed",
    ["ines@contoso.example", " INES@Contoso.example ", "Inês <Ines@contoso.example>", "mailto:ines@contoso.example"],
)
def test_an_address_is_read_as_people_write_it(typed: str) -> None:
    assert addresses.address(typed) == "ines@contoso.example"


@pytest.mark.parametrize(
    "typed", ["", "ines", "ines@", "@contoso.example", "a b@contoso.example", "x" * 400 + "@y.example"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        addresses.address(typed)


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("contoso.example", "contoso.example"),
        ("https://www.Contoso.example/about?x", "contoso.example"),
        ("ines@contoso.example", "contoso.example"),
        ("contoso.example:8080", "contoso.example"),
        ("müller.example", "xn--mller-kva.example"),
    ],
)
def test_a_domain_is_read_as_people_write_it(typed: str, domain: str) -> None:
    assert addresses.domain(typed) == domain


@pytest.mark.parametrize(
    "typed", ["", "contoso", "conto so.example", "-a.example", "a..example", "é" * 300 + ".example"]
)
def test_what_is_no_domain_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        addresses.domain(typed)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (Decimal(84000), "EUR", "€84,000"),
        (Decimal("1250.50"), "GBP", "£1,250.50"),
        (Decimal("84000.00"), "CHF", "84,000 CHF"),
        (None, "EUR", ""),
    ],
)
def test_amounts_are_written_as_they_are_read(amount: Decimal | None, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown


def test_sums_keep_currencies_apart() -> None:
    assert totals([("USD", Decimal(5)), ("EUR", Decimal(4)), ("EUR", Decimal(6))]) == "€10 + $5"
