"""The screens of candidates."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from postroom.records import filters
from postroom.records.candidates import commands
from postroom.records.candidates.forms import CandidateForm
from postroom.records.models import Candidate, Job, PersonAddress
from postroom.records.record import BY_KEY
from postroom.records.screens import Field, Moved, Screen, Shown, owner, steps_of, text
from postroom.records.tables import (
    ADDED,
    CHANGED,
    Column,
    Cut,
    choice_column,
    everything,
    last_mail,
    main,
    owner_column,
    words_column,
)
from postroom.workspaces.models import Membership, WorkspaceQuerySet

Stage = Candidate.Stage
DONE = (Stage.HIRED, Stage.REJECTED)


def _email(candidate: Candidate) -> list[Shown]:
    return [Shown(one, compose=one) for one in (candidate.person.address_list() if candidate.person else [])]


def _contact(candidate: Candidate) -> list[Shown]:
    person = candidate.person
    return [Shown(person.name, href=person.get_absolute_url())] if person else []


def _rows(query: WorkspaceQuerySet[Candidate]) -> WorkspaceQuerySet[Candidate]:
    return query.select_related("job", "person", "owner__user").prefetch_related("person__addresses")


def _jobs(member: Membership) -> list[tuple[str, str]]:
    return [(str(one.pk), one.title) for one in Job.objects.for_workspace(member.workspace_id)[:200]]


CANDIDATES = Screen(
    type=BY_KEY["candidate"],
    folder="candidates",
    form=CandidateForm,
    create=commands.create,
    change=commands.change,
    columns=(
        main("candidates"),
        Column(
            "job",
            "Job",
            text=lambda candidate: candidate.job.title if candidate.job else "",
            by="job__title",
            room="is-mid",
            filter=filters.Choice("job", _jobs, empty="No job"),
            edit="job",
        ),
        choice_column("stage", "Stage", Stage, cell="records/candidates/stage_cell.html", room="is-mid"),
        Column(
            "rating",
            "Rating",
            text=lambda one: "" if one.rating is None else f"{one.rating:.1f}",
            by="rating",
            kind="number",
            down=True,
            number=True,
            filter=filters.Amount("rating"),
        ),
        owner_column(),
        last_mail(room="is-extra"),
        Column(
            "email",
            "Email",
            text=lambda candidate: candidate.address,
            by=Subquery(PersonAddress.objects.filter(person=OuterRef("person")).values("address")[:1]),
            usual=False,
            filter=filters.Contains("person__addresses__address", many=True),
            edit="address",
        ),
        words_column("headline", "Headline"),
        words_column("location", "Location"),
        words_column("source", "Source"),
        ADDED,
        CHANGED,
    ),
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
    moved=Moved(
        name="stage",
        label="Stage",
        path="stages",
        value=lambda candidate: str(candidate.stage),
        target=lambda candidate, value: value if value in Stage.values else None,
        steps=lambda candidate: steps_of(Stage.choices, candidate.stage),
        said=lambda candidate: f"{candidate.name} moved to {candidate.get_stage_display()}.",
    ),
    board=True,
    cuts=(
        Cut("open", "In progress", lambda query, member: query.exclude(stage__in=DONE)),
        Cut("mine", "Mine", lambda query, member: query.filter(owner=member).exclude(stage__in=DONE)),
        Cut("hired", "Hired", lambda query, member: query.filter(stage=Stage.HIRED)),
        Cut("rejected", "Rejected", lambda query, member: query.filter(stage=Stage.REJECTED)),
        Cut("all", "All", everything),
    ),
)
