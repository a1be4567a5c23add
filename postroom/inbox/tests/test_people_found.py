"""Whom a member works with, as their provider says: kept, ranked with what else is known, never waited for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from postroom.inbox import people_found
from postroom.lib import clock
from postroom.mail import jobs, people
from postroom.mail.pens import PeopleList
from postroom.mailboxes import features
from postroom.mailboxes.models import Mailbox
from postroom.providers.contract import Acquaintance, Feature
from postroom.providers.errors import Refused, Transient
from postroom.providers.memory import Memory
from postroom.providers.memory.mailbox import Box
from postroom.workspaces.models import Membership

BEN = Acquaintance(address="Ben@Northwind.example", name="Ben Okafor", about="Buyer")
BEA = Acquaintance(address="bea@northwind.example", name="Bea Lund")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The mailboxes the background was told to ask about."""
    found: list[int] = []
    monkeypatch.setattr(jobs.ask_people, "batch_defer", lambda *told: found.extend(one["mailbox_id"] for one in told))
    return found


def test_they_are_asked_for_in_the_background_once_a_day(
    member: Membership, mailbox: Mailbox, box: Box, asked: list[int]
) -> None:
    with clock.frozen() as held:
        people_found.look_around(member)
        people_found.look_around(member)
        assert asked == [mailbox.pk]
        held.advance(timedelta(hours=25))
        people_found.look_around(member)
        assert asked == [mailbox.pk] * 2


def test_whom_one_works_with_comes_before_whom_one_hardly_writes_to(
    member: Membership, mailbox: Mailbox, box: Box, settle: Callable[..., int]
) -> None:
    box.deliver(subject="Hello", from_="bernd@contoso.example")
    settle(mailbox)
    assert [one.address for one in people_found.suggest(member, "be")] == ["bernd@contoso.example"]
    box.people = [BEA, BEN]
    assert people.ask(mailbox.pk) == 2
    found = people_found.suggest(member, "be")
    assert [one.address for one in found] == ["bea@northwind.example", "ben@northwind.example", "bernd@contoso.example"]
    assert found[1] == people_found.Suggestion("Ben Okafor", "ben@northwind.example", "Buyer")
    assert [one.name for one in people_found.suggest(member, "okaf")] == ["Ben Okafor"]
    assert not people_found.suggest(member, "zz")


def test_a_colleague_is_not_told_whom_one_works_with(
    member: Membership, mailbox: Mailbox, box: Box, django_user_model: Any
) -> None:
    box.people = [BEN]
    people.ask(mailbox.pk)
    user = django_user_model.objects.create_user(email="zoe@northwind.example", password="long-enough-word")
    other = Membership.objects.create(workspace=member.workspace, user=user, role=member.role)
    assert people.of(member) and not people.of(other)


@pytest.mark.parametrize(("trouble", "left"), [(Transient("busy"), 1), (Refused("no"), 0)])
def test_a_passing_trouble_leaves_what_is_kept_and_a_refusal_does_not(
    mailbox: Mailbox, box: Box, monkeypatch: pytest.MonkeyPatch, trouble: Exception, left: int
) -> None:
    box.people = [BEN]
    people.ask(mailbox.pk)

    def refuse(source: object) -> None:
        raise trouble

    monkeypatch.setattr("postroom.providers.memory.source.MemoryMail.people", refuse)
    people.ask(mailbox.pk)
    assert len(PeopleList.objects.get().people) == left


def test_without_the_permission_nobody_is_asked_and_nothing_stays(
    mailbox: Mailbox, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.people = [BEN]
    people.ask(mailbox.pk)
    feature = Feature(name=people.FEATURE, label="People suggestions", scopes=("people",), permissions=("Read people",))
    monkeypatch.setattr(Memory, "features", (*Memory.features, feature))
    assert mailbox.connection is not None
    assert [one.why for one in features.states(mailbox.connection) if not one.on] == ["not switched on yet"]
    assert people.ask(mailbox.pk) == 0 and PeopleList.objects.get().people == []
