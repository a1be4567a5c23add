"""The screens of contacts."""

from __future__ import annotations

from django.db.models import OuterRef, Prefetch, Subquery

from postroom.records import filters, nearby
from postroom.records.extensions import came_back
from postroom.records.models import Person, PersonAddress
from postroom.records.people import commands
from postroom.records.people.forms import PersonForm
from postroom.records.record import BY_KEY
from postroom.records.screens import Field, Screen, Shown, company, owner, text
from postroom.records.tables import (
    ADDED,
    ALL,
    CHANGED,
    MINE,
    Column,
    choice_column,
    company_column,
    last_mail,
    main,
    owner_column,
    words_column,
)
from postroom.workspaces.models import WorkspaceQuerySet


def _email(person: Person) -> list[Shown]:
    return [
        Shown(one.address, compose=one.address, warning=getattr(one, "came_back", "") or "")
        for one in person.addresses.all()
    ]


def _whole(query: WorkspaceQuerySet[Person]) -> WorkspaceQuerySet[Person]:
    """With what became of mail to each address."""
    addresses = PersonAddress.objects.annotate(came_back=came_back())
    return query.select_related("company", "owner__user").prefetch_related(Prefetch("addresses", addresses))


def _phone(person: Person) -> list[Shown]:
    return [Shown(one, href="tel:" + "".join(char for char in one if char in "+0123456789")) for one in person.phones]


PEOPLE = Screen(
    type=BY_KEY["contact"],
    folder="people",
    form=PersonForm,
    create=commands.create,
    change=commands.change,
    columns=(
        main("people", edit=""),  # made of the first and the last name
        Column(
            "email",
            "Email",
            text=lambda person: person.address,
            by=Subquery(PersonAddress.objects.filter(person=OuterRef("pk")).values("address")[:1]),
            near=nearby.by_first(PersonAddress, "person", "address"),
            room="is-mid",
            filter=filters.Contains("addresses__address", many=True),
            edit="addresses",
        ),
        company_column(),
        owner_column(),
        last_mail(),
        words_column("title", "Job title", "job_title"),
        Column("phone", "Phone", text=lambda person: next(iter(person.phones), ""), usual=False, edit="phones"),
        choice_column("origin", "Origin", Person.Origin, usual=False, edit=False),
        ADDED,
        CHANGED,
    ),
    cuts=(ALL, MINE),
    fields=(
        Field("First name", lambda person: text(person.first_name), "first_name", "Add a first name"),
        Field("Last name", lambda person: text(person.last_name), "last_name", "Add a last name"),
        Field("Email", _email, "addresses", "Add an email address"),
        Field("Phone", _phone, "phones", "Add a phone number"),
        Field("Job title", lambda person: text(person.job_title), "job_title", "Add a job title"),
        Field("Company", company, "company", "Add a company"),
        Field("Owner", owner, "owner", "Choose an owner"),
        Field("Origin", lambda person: text(person.get_origin_display())),
    ),
    rows=lambda query: query.select_related("company", "owner__user").prefetch_related("addresses"),
    whole=_whole,
    empty="Add the people you deal with: their mail from all connected mailboxes comes together on one page.",
    address=lambda person: person.address,
    merges=True,
)
