"""The screens of candidates."""

from __future__ import annotations

from django.db.models import FloatField, Value
from django.db.models.functions import Cast, Coalesce

from postroom.records.candidates import commands
from postroom.records.candidates.forms import CandidateForm
from postroom.records.models import Candidate
from postroom.records.record import BY_KEY
from postroom.records.screens import COMMON_SORTS, Column, Cut, Field, Screen, Shown, both_ways, owner, text
from postroom.workspaces.models import WorkspaceQuerySet

Stage = Candidate.Stage
DONE = (Stage.HIRED, Stage.REJECTED)


def _email(candidate: Candidate) -> list[Shown]:
    return [Shown(one, compose=one) for one in (candidate.person.address_list() if candidate.person else [])]


def _contact(candidate: Candidate) -> list[Shown]:
    person = candidate.person
    return [Shown(person.name, href=person.get_absolute_url())] if person else []


def _rows(query: WorkspaceQuerySet[Candidate]) -> WorkspaceQuerySet[Candidate]:
    rated = query.annotate(rated=Coalesce(Cast("rating", FloatField()), Value(0.0)))
    return rated.select_related("job", "person", "owner__user").prefetch_related("person__addresses")


CANDIDATES = Screen(
    type=BY_KEY["candidate"],
    folder="candidates",
    form=CandidateForm,
    create=commands.create,
    change=commands.change,
    columns=(
        Column("Name", "name"),
        Column("Job", room="is-mid"),
        Column("Stage", room="is-mid"),
        Column("Rating", "rating", number=True),
        Column("Owner", room="is-extra"),
        Column("Last mail", number=True, room="is-extra"),
    ),
    sorts={**COMMON_SORTS, "rating": both_ways("-rated", "-id")},
    fields=(
        Field("Name", lambda candidate: text(candidate.name), "name"),
        Field("Email", _email, "address", "Add an email address"),
        Field("Contact", _contact),
        Field("Job", lambda candidate: text(candidate.job), "job", "Choose a job"),
        Field("Headline", lambda candidate: text(candidate.headline), "headline", "Add a headline"),
        Field("Location", lambda candidate: text(candidate.location), "location", "Add a location"),
        Field("Source", lambda candidate: text(candidate.source), "source", "Add where they came from"),
        Field("Owner", owner, "owner", "Choose an owner"),
    ),
    rows=_rows,
    whole=_rows,
    empty="Add who applied: their mail, resume, interviews and everybody's evaluation come together on one page.",
    address=lambda candidate: candidate.address,
    cuts=(
        Cut("open", "In progress", lambda query, member: query.exclude(stage__in=DONE)),
        Cut("mine", "Mine", lambda query, member: query.filter(owner=member).exclude(stage__in=DONE)),
        Cut("hired", "Hired", lambda query, member: query.filter(stage=Stage.HIRED)),
        Cut("rejected", "Rejected", lambda query, member: query.filter(stage=Stage.REJECTED)),
        Cut("all", "All", lambda query, member: query),
    ),
)
