"""What happens to deals, named as members would say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from postroom.records.commands import Labels, assign, keep, named
from postroom.records.companies.commands import with_company
from postroom.records.history import Change, Event
from postroom.records.models import Deal, Person, Pipeline, Stage
from postroom.records.people.commands import found_or_new
from postroom.workspaces.models import Membership, Workspace

LABELS: Labels = {
    "name": "Name",
    "amount": "Amount",
    "currency": "Currency",
    "close_date": "Close date",
    "company": "Company",
    "owner": "Owner",
}

FIRST_STAGES: tuple[tuple[str, int, str], ...] = (
    ("Qualified", 10, "open"),
    ("Proposal", 30, "open"),
    ("Negotiation", 60, "open"),
    ("Contract sent", 85, "open"),
    ("Won", 100, "won"),
    ("Lost", 0, "lost"),
)
"""A new workspace's pipeline: name, chance in per cent, outcome."""


@transaction.atomic
def first_pipeline(workspace: Workspace) -> Pipeline:
    """The pipeline deals go into when none is chosen, made on first use."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)  # two members at once make one pipeline
    if (found := Pipeline.objects.for_workspace(workspace).first()) is not None:
        return found
    pipeline = Pipeline.objects.create(workspace=workspace, name="Sales")
    Stage.objects.bulk_create(
        Stage(pipeline=pipeline, name=name, chance=chance, outcome=outcome, position=position)
        for position, (name, chance, outcome) in enumerate(FIRST_STAGES)
    )
    return pipeline


def pipeline_of(workspace: Workspace) -> Pipeline:
    """The workspace's first pipeline."""
    return Pipeline.objects.for_workspace(workspace).first() or first_pipeline(workspace)


@transaction.atomic
def create(
    workspace: Workspace,
    *,
    by: Membership | None,
    name: str,
    stage: Stage | None = None,
    people: Iterable[Person | str] = (),
    **values: Any,
) -> Deal:
    """A new deal, in the first stage when none is given. Raises ValidationError, keyed by field."""
    first = stage or pipeline_of(workspace).stages.all()[0]
    deal = Deal(workspace=workspace, stage=_in_workspace(workspace.pk, first))
    assign(deal, with_company(workspace, {"owner": by, **values, "name": named(name)}, by=by), LABELS)
    deal.save()
    deal.people.set(_all_of(deal, people, by=by))
    keep(deal, by=by, changes=[], verb=Event.Verb.CREATED)
    return deal


@transaction.atomic
def change(deal: Deal, *, by: Membership | None, people: Iterable[Person | str] | None = None, **values: Any) -> Deal:
    """Set fields and, where given, all contacts (those given as text are found or made). Raises ValidationError, keyed
    by field.
    """
    if "name" in values:
        values["name"] = named(values["name"])
    if (stage := values.pop("stage", None)) is not None:
        move(deal, to=stage, by=by)
    changes = assign(deal, with_company(deal.workspace, values, by=by), LABELS)
    if people is not None:
        changes += _set_people(deal, _all_of(deal, people, by=by))
    keep(deal, by=by, changes=changes)
    return deal


@transaction.atomic
def move(deal: Deal, *, to: Stage, by: Membership | None) -> bool:
    """Into another stage; False when it is there already. Raises ValidationError for a stage of another workspace."""
    before = deal.stage
    if before.pk == _in_workspace(deal.workspace_id, to).pk:
        return False
    deal.stage = to
    told = Change(field="Stage", old=before.name, new=to.name)
    keep(deal, by=by, changes=[told], verb=Event.Verb.MOVED)
    return True


def add_person(deal: Deal, person: Person, *, by: Membership | None) -> Deal:
    """One more contact on the deal."""
    return change(deal, by=by, people=[*deal.people.all(), person])


def remove_person(deal: Deal, person: Person, *, by: Membership | None) -> Deal:
    """One contact less on the deal; the contact itself stays."""
    return change(deal, by=by, people=[one for one in deal.people.all() if one.pk != person.pk])


def _in_workspace(workspace_id: int, stage: Stage) -> Stage:
    if stage.pipeline.workspace_id != workspace_id:
        raise ValidationError({"stage": "Not found."})
    return stage


def _all_of(deal: Deal, people: Iterable[Person | str], *, by: Membership | None) -> list[Person]:
    known = (found_or_new(deal.workspace, one, by=by) if isinstance(one, str) else one for one in people)
    found = list(dict.fromkeys(known))
    if any(person.workspace_id != deal.workspace_id for person in found):
        raise ValidationError({"people": "Not found."})
    return found


def _set_people(deal: Deal, people: list[Person]) -> list[Change]:
    before = list(deal.people.all())
    deal.people.set(people)
    came = ", ".join(one.name for one in people if one not in before)
    left = ", ".join(one.name for one in before if one not in people)
    return [Change(field="Contacts", old=left, new=came)] if came or left else []
