"""Which links follow from who is heard: examples, and what holds for any mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.timeline.rules import CROWD, PUBLIC_DOMAINS, Heard, Target, decide, domain_of, is_public

AT = datetime(2026, 11, 14, 12, tzinfo=UTC)


def heard(address: str = "ines@contoso.example", **more: Any) -> Heard:
    return Heard(**({"conversation": 1, "address": address, "wrote": True, "crowd": 2, "last_at": AT} | more))


def test_an_address_links_its_contact_the_employer_and_the_company_of_the_domain() -> None:
    assert set(decide([heard(person=7, employer=8, company=9)])) == {
        Target(1, "person", 7),
        Target(1, "company", 8),
        Target(1, "company", 9),
    }


def test_nobody_known_means_no_link() -> None:
    assert decide([heard()]) == {}


def test_a_circular_links_only_who_wrote_it() -> None:
    writer = heard(person=1, crowd=CROWD + 1)
    reader = heard("paul@contoso.example", person=2, crowd=CROWD + 1, wrote=False)
    assert set(decide([writer, reader])) == {Target(1, "person", 1)}


def test_a_mail_to_just_as_many_as_a_crowd_still_links_everybody() -> None:
    assert decide([heard(person=2, crowd=CROWD, wrote=False)])


def test_our_own_mailboxes_link_nothing() -> None:
    assert decide([heard(person=7, employer=8, company=9, ours=True)]) == {}


def test_our_own_domain_links_no_company() -> None:
    assert set(decide([heard(person=7, employer=8, company=9, our_domain=True)])) == {Target(1, "person", 7)}


def test_a_public_domain_links_no_company() -> None:
    assert decide([heard("someone@gmail.com", company=9)]) == {}


def test_a_link_carries_the_newest_time() -> None:
    later = AT.replace(hour=15)
    assert decide([heard(person=7), heard("i@home.example", person=7, last_at=later)]) == {
        Target(1, "person", 7): later
    }


@pytest.mark.parametrize(
    ("address", "domain"), [("ines@Contoso.Example", "contoso.example"), ("a@b@c.example", "c.example"), ("nobody", "")]
)
def test_the_domain_is_what_stands_behind_the_last_at(address: str, domain: str) -> None:
    assert domain_of(address) == domain


def test_public_domains_are_written_as_they_are_compared() -> None:
    assert all(one == one.lower().strip() and "." in one for one in PUBLIC_DOMAINS)
    assert is_public("GMail.com")


anybody = st.builds(
    Heard,
    conversation=st.integers(1, 3),
    address=st.sampled_from(["a@contoso.example", "b@gmail.com", "c@northwind.example"]),
    wrote=st.booleans(),
    crowd=st.sampled_from([1, 2, CROWD, CROWD + 1]),
    last_at=st.sampled_from([AT, AT.replace(hour=13)]),
    ours=st.booleans(),
    our_domain=st.booleans(),
    person=st.none() | st.integers(1, 3),
    employer=st.none() | st.integers(1, 3),
    company=st.none() | st.integers(1, 3),
)


@given(st.lists(anybody, max_size=8))
def test_any_mail_is_judged_the_same_in_any_order_and_page_by_page(lines: list[Heard]) -> None:
    together = decide(lines)
    assert decide(reversed(lines)) == together
    alone = [decide([line]) for line in lines]
    assert set(together) == {target for part in alone for target in part}


@given(st.lists(anybody, max_size=8))
def test_any_link_is_to_a_record_that_was_heard_in_that_conversation(lines: list[Heard]) -> None:
    for target, at in decide(lines).items():
        witnesses = [line for line in lines if line.conversation == target.conversation and not line.ours]
        assert any(target.record in (line.person, line.employer, line.company) for line in witnesses)
        assert at <= max(line.last_at for line in witnesses)
