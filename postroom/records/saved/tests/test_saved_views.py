"""Saved views: whose they are, what they keep, what happens when a field of theirs is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from postroom.records.custom_fields import commands as own
from postroom.records.models import SavedView
from postroom.records.people import commands as people
from postroom.records.saved import bar, commands
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
STATE = "q=ines&f.owner=me&sort=added&way=up&cols=owner%2Cemail"


def save(client: Client, name: str, state: str = STATE, *, shared: bool = False) -> SavedView:
    told = {"place": "contact", "state": state, "name": name, **({"shared": "on"} if shared else {})}
    answer = client.post(reverse("records:view-new"), told)
    view = SavedView.objects.get(name=name)
    assert answer.headers["Location"] == f"/contacts/?view={view.pk}"
    return view


def names(member: Membership) -> list[str]:
    return [one.name for one in bar.of("contact", member).rows]


def test_a_view_brings_back_words_filters_order_and_columns(
    northwind: Workspace, alice: Membership, as_: SignIn
) -> None:
    people.create(northwind, by=alice, first_name="Ines")
    people.create(northwind, by=alice, first_name="Paul")
    client = as_(alice)
    view = save(client, "My Ines")
    found = client.get(f"/contacts/?view={view.pk}").context
    assert [line.record.name for line in found["lines"]] == ["Ines"]
    assert [one.column.key for one in found["headings"]] == ["name", "owner", "email"]
    assert (found["views"].open, found["views"].changed) == (view, False)
    more = client.get(f"/contacts/{found['headings'][0].href}").context["views"]
    assert (more.open, more.changed) == (view, True)


def test_a_private_view_is_its_member_s_alone_and_a_shared_one_everybody_s(
    northwind: Workspace, alice: Membership, bob: Membership, carol: Membership, as_: SignIn
) -> None:
    mine = save(as_(alice), "Mine only")
    ours = save(as_(alice), "Ours", shared=True)
    assert (names(alice), names(bob), names(carol)) == (["Mine only", "Ours"], ["Ours"], [])
    for who, view, status in ((bob, mine, 404), (bob, ours, 404), (carol, ours, 404), (alice, ours, 200)):
        assert as_(who).get(reverse("records:view", args=[view.pk])).status_code == status
    assert as_(bob).get(f"/contacts/?view={mine.pk}").context["views"].open is None
    assert as_(bob).get(f"/contacts/?view={ours.pk}").context["views"].may_change is False


def test_a_view_is_renamed_shared_changed_and_deleted(alice: Membership, bob: Membership, as_: SignIn) -> None:
    client, view = as_(bob), save(as_(bob), "Old")
    client.post(reverse("records:view", args=[view.pk]), {"name": "New", "shared": "on"})
    assert names(alice) == ["New"]
    client.post(reverse("records:view-keep", args=[view.pk]), {"state": "q=paul&nonsense=1"})
    view.refresh_from_db()
    assert view.query == "q=paul"
    assert "Delete the view" in client.get(reverse("records:view-delete", args=[view.pk])).text
    client.post(reverse("records:view-delete", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_each_member_orders_the_views_for_themselves(alice: Membership, bob: Membership, as_: SignIn) -> None:
    for name in ("One", "Two", "Three"):
        save(as_(alice), name, shared=True)
    three = SavedView.objects.get(name="Three")
    as_(bob).post(reverse("records:view-move", args=[three.pk, "front"]))
    assert (names(bob), names(alice)) == (["One", "Three", "Two"], ["One", "Two", "Three"])


def test_a_name_is_needed_and_stands_once(alice: Membership, as_: SignIn) -> None:
    save(as_(alice), "Once")
    for name in ("", "  ", "Once", "x" * 200):
        told = {"place": "contact", "state": "", "name": name}
        assert as_(alice).post(reverse("records:view-new"), told).status_code == 422, name
    assert as_(alice).post(reverse("records:view-new"), {"place": "nonsense", "name": "x"}).status_code == 404
    with pytest.raises(ValidationError):
        commands.save("contact", "q=" + "x" * 5_000, name="Long", shared=False, by=alice)


def test_a_view_whose_field_was_deleted_opens_and_says_so(northwind: Workspace, alice: Membership, as_: SignIn) -> None:
    field = own.add(northwind, "contact", label="Region", kind="text")
    people.create(northwind, by=alice, first_name="Ines")
    view = save(as_(alice), "North", f"f.{field.form_name}=north&cols={field.form_name},email&sort={field.form_name}")
    assert "Region" not in as_(alice).get("/contacts/").text
    own.delete(field)
    answer = as_(alice).get(f"/contacts/?view={view.pk}")
    assert [line.record.name for line in answer.context["lines"]] == ["Ines"]
    assert "The field “Region” was deleted." in answer.text
    assert answer.context["views"].changed  # "Save changes" takes the field out of it
    as_(alice).post(reverse("records:view-keep", args=[view.pk]), {"state": answer.context["views"].state})
    assert "was deleted" not in as_(alice).get(f"/contacts/?view={view.pk}").text
