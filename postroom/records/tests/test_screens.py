"""Every address of records: who gets in, what comes back, what a mistake does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from postroom.records.candidates import commands as candidates
from postroom.records.companies import commands as companies
from postroom.records.custom_fields import commands as own
from postroom.records.deals import commands as deals
from postroom.records.models import Candidate, Company, Import, Note, Person, Task, Ticket
from postroom.records.notes import commands as notes
from postroom.records.people import commands as people
from postroom.records.record import Record
from postroom.records.saved import commands as views
from postroom.records.screens import Screen
from postroom.records.tasks import commands as tasks
from postroom.records.tickets import commands as tickets
from postroom.records.undoing import way_back
from postroom.records.urls import SCREENS, app_name, urlpatterns
from postroom.workspaces.models import Membership, Workspace

pytestmark = pytest.mark.django_db
SignIn = Callable[[Membership], Client]
HTMX = {"HX-Request": "true"}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RECORDS = ["contact", "company", "deal", "ticket", "candidate"]


@pytest.fixture
def world(northwind: Workspace, alice: Membership) -> dict[str, Any]:
    contoso = companies.create(northwind, by=alice, name="Contoso", domains=["contoso.example"])
    ines = people.create(
        northwind, by=alice, first_name="Inês", last_name="Ribeiro", addresses=["ines@contoso.example"]
    )
    deal = deals.create(northwind, by=alice, name="Contoso renewal", company=contoso, people=[ines])
    candidate = candidates.create(northwind, by=alice, name="Paul Meyer", address="paul@mail.example", job="Driver")
    return {
        "undo": undo_of(SCREENS["contact"], ines, alice),
        "contact": ines,
        "company": contoso,
        "deal": deal,
        "ticket": tickets.create(northwind, by=alice, name="Scanner does not start", requester=ines),
        "candidate": candidate,
        "interview": candidates.arrange(candidate, by=alice, at=NOON, kind="call"),
        "task": tasks.create(northwind, by=alice, title="Call back", record=ines),
        "own": own.add(northwind, "contact", label="Badge", kind="text"),
        "import": Import.objects.create(workspace=northwind, member=alice, record_type="contact", name="people.csv"),
        "view": views.save("contact", "q=ines", name="Ines", shared=True, by=alice),
        "note": notes.write(ines, "Call before noon", by=alice),
    }


def undo_of(screen: Screen, record: Record, member: Membership) -> str:
    """The token that takes back a change of the owner which was none."""
    return way_back(screen, record, "owner", before="", by=member).rstrip("/").rpartition("/")[2]


def addresses(world: dict[str, Any]) -> Iterator[str]:
    """Every address of the package that names an object, filled in with the world's."""
    fields = {"contact": "job_title", "company": "industry", "deal": "amount", "ticket": "name", "candidate": "name"}
    owners = {"note": "note", "note-delete": "note", "interview-new": "candidate", "reference-new": "candidate"}
    for pattern in urlpatterns:
        wanted = set(pattern.pattern.converters)
        if wanted == {"token"}:
            yield reverse("records:undo", args=[world["undo"]])
        if not wanted or wanted == {"token"}:
            continue
        key = owners.get(pattern.name, pattern.name.split("-")[0])
        record = world["contact" if key == "note" and "key" in wanted else key]
        stage = world["deal"].stage_id if key == "deal" else "offer"
        possible = {"pk": record.pk, "key": "contact", "name": fields.get(key), "to": stage, "column": "owner"}
        possible |= {"state": "done", "way": "up", "token": "nonsense", **({"to": "solved"} if key == "ticket" else {})}
        possible |= {"way": "back"} if key == "view" else {}
        yield reverse(f"{app_name}:{pattern.name}", kwargs={name: possible[name] for name in wanted})


def test_the_crawler_finds_every_address_with_an_object(world: dict[str, Any]) -> None:
    assert len(list(addresses(world))) == sum(1 for one in urlpatterns if one.pattern.converters) >= 16


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_belongs_to_another_workspace_does_not_exist(
    world: dict[str, Any], carol: Membership, as_: SignIn, method: str
) -> None:
    for address in addresses(world):
        answer = getattr(as_(carol), method)(address)
        assert answer.status_code in (404, 405), address
    assert (Person.objects.count(), Company.objects.count(), Note.objects.count()) == (2, 1, 1)
    assert (Ticket.objects.get().status, Candidate.objects.get().stage) == ("new", "interview")
    assert Task.objects.get().done_at is None


@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_are_sent_to_sign_in(world: dict[str, Any], client: Client, method: str) -> None:
    for address in [*addresses(world), "/contacts/", "/companies/", "/deals/", "/deals/list/", "/contacts/new/"]:
        answer = getattr(client, method)(address)
        assert answer.status_code == 302 and answer.url.startswith("/sign-in/"), address


def test_members_open_every_address(world: dict[str, Any], alice: Membership, as_: SignIn) -> None:
    plain = ["contacts", "companies", "deals", "deals-list", "contact-new", "company-new", "deal-new", "company-names"]
    plain += ["tickets", "ticket-new", "candidates", "candidates-list", "candidate-new", "tasks"]
    for address in [*addresses(world), *(reverse(f"records:{name}") for name in plain)]:
        for headers in ({}, HTMX):
            elsewhere = 302 if "/cells/" in address and not headers else 200
            assert as_(alice).get(address, headers=headers).status_code in (elsewhere, 405), address


@pytest.mark.parametrize("key", RECORDS)
def test_every_tab_of_every_page_opens(world: dict[str, Any], alice: Membership, as_: SignIn, key: str) -> None:
    page = as_(alice).get(world[key].get_absolute_url())
    tabs = page.context["tabs"]
    assert {"Timeline", "Email", "Notes"} <= {tab["label"] for tab in tabs}
    for tab in tabs:
        assert as_(alice).get(tab["href"]).status_code == 200
        part = as_(alice).get(tab["href"], headers={**HTMX, "HX-Target": "panel"})
        assert part.content.startswith(b'<div class="record-panel"')


@pytest.mark.parametrize("key", RECORDS)
def test_lists_and_pages_cost_the_same_however_many_there_are(
    world: dict[str, Any], northwind: Workspace, alice: Membership, as_: SignIn, key: str
) -> None:
    client = as_(alice)
    addresses = [
        world[key].type.list_url,
        world[key].get_absolute_url(),
        "/deals/list/",
        "/candidates/list/",
        "/tasks/",
    ]
    before = [_queries(client, one) for one in addresses]
    for number in range(8):
        company = companies.create(northwind, by=alice, name=f"C{number}", domains=[f"c{number}.example"])
        person = people.create(northwind, by=alice, first_name=f"P{number}", addresses=[f"p@c{number}.example"])
        deals.create(northwind, by=alice, name=f"D{number}", company=company, people=[person])
        notes.write(world[key], "note", by=alice)
        tickets.create(northwind, by=alice, name=f"T{number}", requester=person)
        candidates.create(northwind, by=alice, name=f"A{number}", address=f"a@c{number}.example")
        tasks.create(northwind, by=alice, title=f"K{number}", record=world[key])
    assert [_queries(client, one) for one in addresses] == before
    assert max(before) <= 30


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


# --- forms ---------------------------------------------------------------------------------------------------------


def test_a_contact_is_added_by_its_form(alice: Membership, as_: SignIn) -> None:
    form = {
        "first_name": "Inês",
        "addresses": "ines@contoso.example, I@home.example",
        "company": "Contoso",
        "owner": "",
    }
    answer = as_(alice).post("/contacts/new/", form)
    person = Person.objects.get(first_name="Inês")
    assert answer.url == person.get_absolute_url()
    assert person.address_list() == ["ines@contoso.example", "i@home.example"]
    assert (person.company.name, person.owner) == ("Contoso", None)


def test_a_mistake_in_a_form_keeps_what_was_typed(alice: Membership, as_: SignIn) -> None:
    answer = as_(alice).post("/contacts/new/", {"first_name": "Inês", "addresses": "ines@", "owner": ""})
    assert answer.status_code == 422
    assert "Inês" in answer.text and "is not an email address" in answer.text
    assert not Person.objects.exists()


def test_what_the_command_refuses_is_said_at_its_field(world: dict[str, Any], alice: Membership, as_: SignIn) -> None:
    answer = as_(alice).post("/contacts/new/", {"first_name": "Paul", "addresses": "ines@contoso.example"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["addresses"] == ["ines@contoso.example belongs to Inês Ribeiro already."]


def test_the_form_is_filled_in_from_the_address(alice: Membership, as_: SignIn) -> None:
    answer = as_(alice).get("/deals/new/?company=Contoso&people=Ines+%3Cines@contoso.example%3E")
    assert 'value="Contoso"' in answer.text and "Ines &lt;ines@contoso.example&gt;" in answer.text


def test_a_field_is_changed_in_place_and_without_a_script(
    world: dict[str, Any], alice: Membership, as_: SignIn
) -> None:
    url = reverse("records:contact-field", args=[world["contact"].pk, "job_title"])
    part = as_(alice).post(url, {"job_title": "Chief buyer"}, headers=HTMX)
    assert part.status_code == 200 and "Chief buyer" in part.text and 'id="record-head"' in part.text
    assert as_(alice).post(url, {"job_title": "Buyer"}).url == world["contact"].get_absolute_url()
    assert "<html" in as_(alice).get(url).text
    assert Person.objects.get(last_name="Ribeiro").job_title == "Buyer"


def test_a_mistake_in_place_stays_in_the_field(world: dict[str, Any], alice: Membership, as_: SignIn) -> None:
    url = reverse("records:contact-field", args=[world["contact"].pk, "addresses"])
    answer = as_(alice).post(url, {"addresses": "nonsense"}, headers=HTMX)
    assert answer.status_code == 422 and "nonsense" in answer.text


def test_a_field_that_cannot_be_changed_does_not_exist(world: dict[str, Any], alice: Membership, as_: SignIn) -> None:
    assert as_(alice).get(reverse("records:contact-field", args=[world["contact"].pk, "origin"])).status_code == 404


# --- lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["ines", "INÊS contoso", "ribeiro ines@", " ines "])
def test_the_filter_finds_every_word_in_any_order(
    world: dict[str, Any], alice: Membership, as_: SignIn, words: str
) -> None:
    lines = as_(alice).get("/contacts/", {"q": words}).context["lines"]
    assert [line.record.name for line in lines] == ["Inês Ribeiro"]


@pytest.mark.parametrize("words", ["ines zzz", "%", "\x00\\"])
def test_the_filter_finds_nothing_without_breaking(
    world: dict[str, Any], alice: Membership, as_: SignIn, words: str
) -> None:
    assert as_(alice).get("/contacts/", {"q": words + "zzz"}).context["lines"] == []


@pytest.mark.parametrize("query", ["after=nonsense", "sort=nonsense", "way=%00", "after=W10", "tab=nonsense"])
def test_a_broken_address_shows_the_beginning(
    world: dict[str, Any], alice: Membership, as_: SignIn, query: str
) -> None:
    assert as_(alice).get(f"/contacts/?{query}").status_code == 200
    assert as_(alice).get(f"{world['contact'].get_absolute_url()}?{query}").status_code == 200


def test_the_empty_list_says_the_next_step(alice: Membership, as_: SignIn) -> None:
    assert "No contacts yet" in as_(alice).get("/contacts/").text


def test_suggestions_find_contacts_by_name_and_address(world: dict[str, Any], alice: Membership, as_: SignIn) -> None:
    for words in ("ines", "contoso.ex", "Ribeiro"):
        answer = as_(alice).get("/contacts/suggestions/", {"q": words})
        assert "Inês Ribeiro &lt;ines@contoso.example&gt;" in answer.text


# --- deleting ------------------------------------------------------------------------------------------------------


def test_deleting_needs_the_permission(world: dict[str, Any], bob: Membership, as_: SignIn) -> None:
    url = reverse("records:contact-delete", args=[world["contact"].pk])
    assert as_(bob).post(url).status_code == 403
    assert url not in as_(bob).get(world["contact"].get_absolute_url()).text


@pytest.mark.parametrize("key", RECORDS)
def test_deleting_asks_first_and_takes_only_the_record(
    world: dict[str, Any], alice: Membership, as_: SignIn, key: str
) -> None:
    record: Record = world[key]
    url = reverse(f"records:{key}-delete", args=[record.pk])
    assert f"Delete {record.name}?" in as_(alice).get(url).text
    assert as_(alice).post(url).url == record.type.list_url
    left = {one for one in RECORDS if world[one].type.of(record.workspace).filter(pk=world[one].pk).exists()}
    assert left == {*RECORDS} - {key}


# --- notes ---------------------------------------------------------------------------------------------------------


def test_a_note_is_written_changed_and_deleted_by_its_author(
    world: dict[str, Any], alice: Membership, bob: Membership, as_: SignIn
) -> None:
    as_(bob).post(f"/records/deal/{world['deal'].pk}/notes/", {"text": "  Uplift under 4 %  "})
    note = Note.objects.get(deal=world["deal"])
    assert (note.text, note.author) == ("Uplift under 4 %", bob)
    assert as_(alice).post(f"/notes/{note.pk}/", {"text": "mine"}).status_code == 404
    as_(bob).post(f"/notes/{note.pk}/", {"text": "Uplift under 3 %"})
    note.refresh_from_db()
    assert note.text == "Uplift under 3 %" and note.updated_at > note.created_at
    as_(bob).post(f"/notes/{note.pk}/deletion/")
    assert not Note.objects.filter(pk=note.pk).exists()


def test_an_empty_note_is_refused_and_an_unknown_kind_of_record_does_not_exist(
    world: dict[str, Any], alice: Membership, as_: SignIn
) -> None:
    url = f"/records/contact/{world['contact'].pk}/notes/"
    assert "Write something first" in as_(alice).post(url, {"text": " "}, headers=HTMX).headers["HX-Trigger"]
    assert as_(alice).post("/records/nonsense/1/notes/", {"text": "x"}).status_code == 404


def test_what_members_type_is_never_markup(world: dict[str, Any], alice: Membership, as_: SignIn) -> None:
    people.change(world["contact"], by=alice, first_name="<b>x</b>", job_title="<script>alert(1)</script>")
    notes.write(world["contact"], "<img src=x onerror=alert(1)>", by=alice)
    for address in (
        "/contacts/",
        *(f"{world['contact'].get_absolute_url()}?tab={tab}" for tab in ("timeline", "notes")),
    ):
        text = as_(alice).get(address).text
        assert "<script>alert" not in text and "<img src=x" not in text and "<b>x" not in text
