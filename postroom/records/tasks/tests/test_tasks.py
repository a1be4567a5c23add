"""Tasks: made, ticked off, found on their record and in one's own list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from postroom.records.models import Task
from postroom.records.people import commands as people
from postroom.records.tasks import commands
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
HTMX = {"HX-Request": "true"}


def test_a_task_is_its_makers_unless_somebody_is_named(
    northwind: Workspace, alice: Membership, bob: Membership
) -> None:
    assert commands.create(northwind, by=alice, title="Call").assignee == alice
    assert commands.create(northwind, by=alice, title="Call", assignee=bob).assignee == bob


def test_nothing_to_do_is_refused_and_so_is_a_strangers_record(
    northwind: Workspace, alice: Membership, carol: Membership
) -> None:
    theirs = people.create(carol.workspace, by=None, first_name="Ines")
    for values in ({"title": "  "}, {"title": "x", "record": theirs}, {"title": "x", "assignee": carol}):
        with pytest.raises(ValidationError):
            commands.create(northwind, by=alice, **values)  # type: ignore[arg-type]
    assert not Task.objects.exists()


def test_ticking_off_and_back(northwind: Workspace, alice: Membership, as_: SignIn) -> None:
    task = commands.create(northwind, by=alice, title="Call", due=date(2026, 11, 1))
    client = as_(alice)
    assert b"Call" in client.get("/tasks/").content
    answer = client.post(f"/tasks/{task.pk}/state/done/", headers=HTMX)
    assert answer.status_code == 204 and f"/tasks/{task.pk}/state/open/" in answer["HX-Trigger"]
    assert b"Call" not in client.get("/tasks/").content
    assert b"Call" in client.get("/tasks/?show=done").content
    client.post(f"/tasks/{task.pk}/state/open/", headers=HTMX)
    task.refresh_from_db()
    assert task.done_at is None


def test_a_task_added_on_a_page_is_about_that_record(northwind: Workspace, alice: Membership, as_: SignIn) -> None:
    ines = people.create(northwind, by=alice, first_name="Ines")
    client = as_(alice)
    told = {"title": "Send the offer", "key": "contact", "record": ines.pk, "due": "2026-12-01"}
    assert client.post("/tasks/new/", told).url == f"{ines.get_absolute_url()}?tab=tasks"  # type: ignore[attr-defined]
    assert Task.objects.get().record == ines
    assert b"Send the offer" in client.get(f"{ines.get_absolute_url()}?tab=tasks").content
    assert client.post("/tasks/new/", {"title": ""}, headers=HTMX)["HX-Trigger"].count("Say what there is to do")


def test_changing_a_task_keeps_what_it_is_about(northwind: Workspace, alice: Membership, as_: SignIn) -> None:
    ines = people.create(northwind, by=alice, first_name="Ines")
    task = commands.create(northwind, by=alice, title="Call", record=ines)
    client = as_(alice)
    assert client.post(f"/tasks/{task.pk}/", {"title": ""}).status_code == 422
    client.post(f"/tasks/{task.pk}/", {"title": "Call twice", "importance": "high", "due": ""})
    task.refresh_from_db()
    assert (task.title, task.importance, task.record) == ("Call twice", "high", ines)
