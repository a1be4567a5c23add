"""Tables in and out: read whatever spreadsheets save, taken over row by row, written without formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from postroom.records.custom_fields import commands as own
from postroom.records.imports import commands, table
from postroom.records.models import Company, Deal, Import, Person
from postroom.records.people import commands as people
from postroom.records.urls import SCREENS
from postroom.workspaces.models import Membership, Workspace

SignIn = Callable[[Membership], Client]
HTMX = {"HX-Request": "true"}


# --- the table -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "Name,Email\nInês,ines@contoso.example\n".encode(),
        "Name;Email\r\nInês;ines@contoso.example\r\n\r\n".encode("cp1252"),
        "\ufeffName\tEmail\nInês\tines@contoso.example".encode(),
        'Name,Email\n"Inês",\'ines@contoso.example\n,,,\n'.encode("utf-16").replace(b"'\x00", b""),
    ],
)
def test_encodings_and_separators_are_found_out(content: bytes) -> None:
    assert table.read(content) == (["Name", "Email"], [["Inês", "ines@contoso.example"]])


@pytest.mark.parametrize("content", [b"", b"Name,Email\n", b"\n\n", b"x" * (table.LARGEST + 1)])
def test_what_is_no_table_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(ValidationError):
        table.read(content)


@given(st.binary(max_size=400))
def test_nothing_breaks_reading(content: bytes) -> None:
    try:
        found = table.read(content)
    except ValidationError:
        return
    assert all(len(row) == len(found.header) for row in found.rows)


cells = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp", "Zs"]), max_size=12)


@given(st.lists(st.lists(cells.filter(lambda cell: not cell.startswith("'")), min_size=2, max_size=2), min_size=1))
def test_what_is_written_is_read_again(rows: list[list[str]]) -> None:
    filled = [row for row in rows if any(row)]
    written = "".join(table.write([["Separated, like, this", "B"], *filled])).encode()
    if filled:
        assert table.read(written).rows == filled


def test_nothing_written_is_a_formula() -> None:
    written = "".join(table.write([["=1+1", "@x", "-2", "+3", "plain"]]))
    assert written == "\ufeff'=1+1,'@x,'-2,'+3,plain\r\n"


# --- taking over ---------------------------------------------------------------------------------------------------


def import_(by: Membership, key: str, text: str, **options: Any) -> Import:
    screen = SCREENS[key]
    job = commands.begin(table.read(text.encode()), screen, by=by, name="t.csv")
    commands.start(job, options.pop("mapping", job.mapping), screen=screen, update_known=True, **options)
    while (job := commands.step(job, screen)).state != Import.State.DONE:
        pass
    return job


@pytest.mark.django_db
def test_columns_are_guessed_and_rows_become_contacts(alice: Membership) -> None:
    job = import_(
        alice, "contact", "Full name,E-Mail,Organization,Shoe\nInês Ribeiro,ines@contoso.example,Contoso,38\n"
    )
    assert job.mapping == ["full_name", "addresses", "company", ""]
    person = Person.objects.get()
    assert (person.first_name, person.last_name, person.company and person.company.name) == (
        "Inês",
        "Ribeiro",
        "Contoso",
    )
    assert (job.made, job.changed, job.refused) == (1, 0, [])


@pytest.mark.django_db
def test_whoever_is_here_is_filled_in_and_loses_nothing(alice: Membership, northwind: Workspace) -> None:
    people.create(northwind, by=alice, first_name="Ines", addresses=["ines@contoso.example"], job_title="Buyer")
    job = import_(alice, "contact", 'Email,Job title,Phone\n"ines@contoso.example, i@home.example",,+351 21\n')
    person = Person.objects.get()
    assert person.address_list() == ["ines@contoso.example", "i@home.example"]
    assert (person.job_title, person.phones, job.changed) == ("Buyer", ["+351 21"], 1)


@pytest.mark.django_db
def test_a_refused_row_is_told_and_holds_nobody_up(alice: Membership) -> None:
    job = import_(alice, "contact", "Email\nnonsense\nines@contoso.example\n")
    assert job.made == 1 and [row[0] for row in job.refused] == [2]
    assert "is not an email address" in job.refused[0][2]


@pytest.mark.django_db
def test_choices_are_found_by_what_people_call_them(alice: Membership, northwind: Workspace) -> None:
    own.add(northwind, "deal", label="Renewal", kind="yes_no")
    text = "Name,Stage,Amount,Owner,Renewal\nContoso,proposal,1200,alice,yes\n"
    job = import_(alice, "deal", text)
    deal = Deal.objects.get()
    assert not job.refused
    assert (deal.stage.name, int(deal.amount or 0), deal.owner, list(deal.custom.values())) == (
        "Proposal",
        1200,
        alice,
        [True],
    )


@pytest.mark.django_db
def test_two_columns_cannot_go_to_one_field(alice: Membership) -> None:
    with pytest.raises(ValidationError):
        import_(alice, "company", "A,B\nx,y\n", mapping=["name", "name"])


@pytest.mark.django_db
def test_the_whole_way_in_the_browser(alice: Membership, bob: Membership, as_: SignIn) -> None:
    client = as_(alice)
    file = SimpleUploadedFile("people.csv", b"Name;Domain\nContoso;contoso.example\n;nowhere\n")
    page = client.post("/companies/import/", {"file": file}, follow=True)
    job = Import.objects.get()
    assert b"contoso.example" in page.content
    assert as_(bob).get(f"/imports/{job.pk}/").status_code == 404
    client = as_(alice)
    assert client.post(f"/imports/{job.pk}/", {"column-0": "", "column-1": ""}).status_code == 422
    client.post(f"/imports/{job.pk}/", {"column-0": "name", "column-1": "domains", "known": "update"})
    part = client.post(f"/imports/{job.pk}/step/", headers=HTMX)
    assert b"2 of 2 rows: 1 new" in part.content and b"1 refused" in part.content
    assert Company.objects.get().domain_list() == ["contoso.example"]
    saved = b"".join(client.get(f"/imports/{job.pk}/refused/").streaming_content)  # type: ignore[attr-defined]
    assert b"Why not" in saved


@pytest.mark.django_db
def test_a_list_is_saved_as_it_is_cut(alice: Membership, carol: Membership, northwind: Workspace, as_: SignIn) -> None:
    people.create(northwind, by=alice, first_name="Ines", addresses=["ines@contoso.example"])
    people.create(northwind, by=alice, first_name="=cmd", addresses=["paul@contoso.example"])
    saved = b"".join(as_(alice).get("/contacts/export/?q=ines").streaming_content).decode()  # type: ignore[attr-defined]
    assert "ines@contoso.example" in saved and "paul@" not in saved
    every = b"".join(as_(alice).get("/contacts/export/").streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=cmd" in every
    theirs = b"".join(as_(carol).get("/contacts/export/").streaming_content).decode()  # type: ignore[attr-defined]
    assert "contoso" not in theirs
