"""A workspace's own fields: typed, kept, shown, told, taken away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from postroom.records.custom_fields import commands
from postroom.records.models import CustomField, Event, Person
from postroom.records.people import commands as people
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]


@pytest.fixture
def size(northwind: Workspace) -> CustomField:
    return commands.add(northwind, "contact", label="Shirt size", kind="choice", choices="S, M\nL")


@pytest.fixture
def ines(northwind: Workspace) -> Person:
    return people.create(northwind, by=None, first_name="Ines")


@pytest.mark.parametrize(
    ("kind", "typed", "kept", "shown"),
    [
        ("text", "  a  b ", "a b", "a b"),
        ("number", "1 200.50", "1200.50", "1200.50"),
        ("date", "2026-11-21", "2026-11-21", "21 Nov 2026"),
        ("yes_no", "no", False, "No"),
        ("link", "https://x.example/a", "https://x.example/a", "https://x.example/a"),
        ("text", "", None, ""),
    ],
)
def test_what_is_typed_is_kept_and_shown(kind: str, typed: str, kept: object, shown: str) -> None:
    field = CustomField(label="F", kind=kind)
    assert field.clean_value(typed) == kept
    assert field.shown(kept) == shown


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("number", "many"),
        ("number", "1e999"),
        ("number", "NaN"),
        ("date", "21.11.2026"),
        ("link", "javascript:alert(1)"),
        ("text", "x" * 3_000),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, typed: str) -> None:
    with pytest.raises(ValidationError):
        CustomField(label="F", kind=kind).clean_value(typed)


def test_a_field_is_in_the_form_on_the_page_and_in_the_history(
    size: CustomField, ines: Person, alice: Membership, as_: SignIn
) -> None:
    client = as_(alice)
    assert b"Shirt size" in client.get("/contacts/new/").content
    answer = client.post(f"/contacts/{ines.pk}/fields/own-{size.pk}/", {f"own-{size.pk}": "L"})
    assert answer.status_code == 302
    ines.refresh_from_db()
    assert ines.custom == {str(size.pk): "L"}
    assert Event.objects.filter(person=ines, verb="changed").get().changes == [
        {"field": "Shirt size", "old": "", "new": "L"}
    ]
    assert client.post(f"/contacts/{ines.pk}/fields/own-{size.pk}/", {f"own-{size.pk}": "XXL"}).status_code == 422
    assert client.get(f"/contacts/{ines.pk}/fields/own-{size.pk + 1}/").status_code == 404


def test_changing_something_else_leaves_own_fields_alone(size: CustomField, ines: Person) -> None:
    people.change(ines, by=None, own={size.pk: "M"})
    people.change(ines, by=None, job_title="Buyer")
    assert ines.custom == {str(size.pk): "M"}


def test_a_deleted_field_takes_its_values_along(size: CustomField, ines: Person) -> None:
    people.change(ines, by=None, own={size.pk: "M"})
    assert commands.count_values(size) == 1
    commands.delete(size)
    ines.refresh_from_db()
    assert ines.custom == {} and not CustomField.objects.exists()


def test_only_administrators_change_fields_and_names_are_taken_once(
    size: CustomField, alice: Membership, bob: Membership, carol: Membership, as_: SignIn
) -> None:
    told = {"type": "contact", "label": "Shirt size", "kind": "text"}
    assert as_(alice).post("/settings/fields/", told).status_code == 422
    assert as_(alice).post("/settings/fields/", {**told, "label": "Badge"}).status_code == 302
    assert as_(bob).get("/settings/fields/").status_code == 200
    assert as_(bob).post("/settings/fields/", {**told, "label": "Mine"}).status_code == 404
    assert as_(bob).post(f"/settings/fields/{size.pk}/deletion/").status_code == 403
    assert as_(carol).post(f"/settings/fields/{size.pk}/deletion/").status_code == 404
    assert CustomField.objects.count() == 2


def test_moving_changes_places(northwind: Workspace) -> None:
    first, second = (commands.add(northwind, "deal", label=name, kind="text") for name in ("A", "B"))
    commands.move(second, up=True)
    assert [one.label for one in CustomField.objects.all()] == ["B", "A"]
    commands.move(CustomField.objects.get(label="B"), up=True)
    assert [one.label for one in CustomField.objects.all()] == ["B", "A"]
    assert first.record_type == "deal"
