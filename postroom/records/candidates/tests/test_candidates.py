"""Candidates: who they are, where they stand, what people think of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from postroom.records.candidates import commands
from postroom.records.candidates.board import columns
from postroom.records.models import Candidate, Event, Job
from postroom.records.people import commands as people
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def paul(northwind: Workspace, alice: Membership) -> Candidate:
    return commands.create(northwind, by=alice, name="Paul Meyer", address="paul@mail.example", job="Driver")


def test_the_contact_behind_is_found_by_address_or_made(paul: Candidate, northwind: Workspace) -> None:
    assert paul.person is not None and paul.address == "paul@mail.example"
    ines = people.create(northwind, by=None, first_name="Ines", addresses=["ines@mail.example"])
    assert commands.create(northwind, by=None, name="Ines", address="ines@mail.example").person == ines


def test_a_job_is_found_by_its_title_in_any_case(paul: Candidate, northwind: Workspace) -> None:
    assert commands.create(northwind, by=None, name="Kim", job="driver").job == paul.job
    assert Job.objects.count() == 1


def test_an_interview_moves_somebody_new_on(paul: Candidate, alice: Membership) -> None:
    commands.arrange(paul, by=alice, at=NOON, kind="call", interviewers=[alice])
    assert paul.stage == "interview"
    assert Event.objects.filter(candidate=paul, verb="moved").count() == 1


def test_everybody_has_one_evaluation_and_the_rating_is_their_mean(
    paul: Candidate, alice: Membership, bob: Membership
) -> None:
    commands.judge(paul, by=alice, verdict="yes", marks={"Skills": "4", "Teamwork": ""})
    commands.judge(paul, by=bob, verdict="no", marks={"Skills": 2, "Teamwork": 3})
    commands.judge(paul, by=alice, verdict="strong_yes", marks={"Skills": 5})
    assert paul.scorecards.count() == 2
    assert float(paul.rating or 0) == 3.75


@pytest.mark.parametrize("marks", [{"Skills": "6"}, {"Skills": "0"}, {"Skills": "good"}])
def test_marks_are_one_to_five(paul: Candidate, alice: Membership, marks: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        commands.judge(paul, by=alice, verdict="yes", marks=marks)


def test_interviewers_of_another_workspace_are_refused(paul: Candidate, alice: Membership, carol: Membership) -> None:
    with pytest.raises(ValidationError):
        commands.arrange(paul, by=alice, at=NOON, kind="call", interviewers=[carol])
    assert paul.interviews.count() == 0


def test_another_address_goes_to_the_contact_behind(paul: Candidate) -> None:
    commands.change(paul, by=None, address="paul.meyer@mail.example")
    assert paul.person is not None
    assert paul.person.address_list() == ["paul.meyer@mail.example", "paul@mail.example"]


def test_the_board_shows_each_in_their_stage(paul: Candidate, northwind: Workspace) -> None:
    commands.move(paul, to="offer", by=None)
    assert {column.step.value: column.count for column in columns(northwind, None)}["offer"] == 1
    assert sum(column.count for column in columns(northwind, paul.job_id)) == 1
