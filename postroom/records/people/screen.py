"""The screens of contacts."""

from __future__ import annotations

from postroom.records.models import Person
from postroom.records.people import commands
from postroom.records.people.forms import PersonForm
from postroom.records.record import BY_KEY
from postroom.records.screens import COMMON_SORTS, Column, Field, Screen, Shown, company, owner, text


def _email(person: Person) -> list[Shown]:
    return [Shown(one, compose=one) for one in person.address_list()]


def _phone(person: Person) -> list[Shown]:
    return [Shown(one, href="tel:" + "".join(char for char in one if char in "+0123456789")) for one in person.phones]


PEOPLE = Screen(
    type=BY_KEY["contact"],
    folder="people",
    form=PersonForm,
    create=commands.create,
    change=commands.change,
    columns=(
        Column("Name", "name"),
        Column("Email", room="is-mid"),
        Column("Company", room="is-mid"),
        Column("Owner", room="is-extra"),
        Column("Last mail", number=True),
    ),
    sorts=COMMON_SORTS,
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
    whole=lambda query: query.select_related("company", "owner__user").prefetch_related("addresses"),
    empty="Add the people you deal with: their mail from all connected mailboxes comes together on one page.",
    address=lambda person: person.address,
    merges=True,
)
