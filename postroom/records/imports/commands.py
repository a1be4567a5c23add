"""Taking a table over: which column is which field, then row by row, each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from postroom.records import news
from postroom.records.forms import RecordForm
from postroom.records.imports.table import Table
from postroom.records.models import Candidate, Company, CompanyDomain, Deal, Import, Person, PersonAddress
from postroom.records.people.commands import split_name
from postroom.records.record import Record
from postroom.records.screens import Screen
from postroom.records.text import fold
from postroom.workspaces.models import Membership, Workspace

KEPT = timedelta(days=7)  # a table somebody uploaded has addresses in it, and nobody looks at it again
AT_ONCE = 100  # rows of one step
FULL_NAME = "full_name"

# What columns are often called, beside the fields' own labels.
CALLED: dict[str, tuple[str, ...]] = {
    "addresses": ("e-mail", "email address", "mail", "address", "emails"),
    "address": ("e-mail", "email address", "mail"),
    "phones": ("telephone", "mobile", "phone number", "tel"),
    "job_title": ("title", "position", "role"),
    "company": ("organisation", "organization", "account", "employer"),
    "domains": ("domain", "domains", "web domain"),
    "amount": ("value", "price", "revenue"),
    "close_date": ("closing date", "expected close"),
    FULL_NAME: ("name", "full name", "contact"),
}


def begin(table: Table, screen: Screen, *, by: Membership, name: str) -> Import:
    """Keep an uploaded table with a guess of what its columns are."""
    wanted = targets(screen, by.workspace)
    return Import.objects.create(
        workspace=by.workspace,
        member=by,
        record_type=screen.type.key,
        name=name[:255],
        header=table.header,
        rows=table.rows,
        mapping=_guess(table.header, wanted),
    )


def forget_old(moment: datetime) -> int:
    """Delete the imports of more than a week ago; answers how many. What they brought stays."""
    gone, _ = Import.objects.filter(created_at__lt=moment - KEPT).delete()
    return gone


def targets(screen: Screen, workspace: Workspace) -> dict[str, str]:
    """The fields a column may go to, with their labels."""
    form = screen.form(workspace=workspace)
    named = {FULL_NAME: "Full name"} if "first_name" in form.fields else {}
    return {**named, **{name: str(field.label) for name, field in form.fields.items()}}


def start(job: Import, mapping: Sequence[str], *, screen: Screen, update_known: bool) -> Import:
    """Decide what the columns are. Raises ValidationError when two go to one field or none goes anywhere."""
    known = targets(screen, job.workspace)
    chosen = [one if one in known else "" for one in mapping][: len(job.header)]
    used = [one for one in chosen if one]
    if not used:
        raise ValidationError("Choose a field for at least one column.")
    if doubled := next((one for one in used if used.count(one) > 1), ""):
        raise ValidationError(f"Two columns go to “{known[doubled]}”. Leave one of them out.")
    job.mapping, job.update_known, job.state = chosen, update_known, Import.State.RUNNING
    job.save(update_fields=["mapping", "update_known", "state"])
    return job


@transaction.atomic
@news.together()
def step(job: Import, screen: Screen) -> Import:
    """Take over the next rows. A row that is refused is kept with the reason and holds nobody up."""
    job = Import.objects.select_for_update().get(pk=job.pk)
    if job.state != Import.State.RUNNING:
        return job
    for number, cells in enumerate(job.rows[job.done : job.done + AT_ONCE], start=job.done + 2):
        try:
            with transaction.atomic():
                made = _take(job, screen, cells)
        except ValidationError as problem:
            job.refused.append([number, cells, " ".join(problem.messages)])
        else:
            job.made, job.changed = job.made + made, job.changed + (not made)
        job.done += 1
    if job.done >= job.total:
        job.state = Import.State.DONE
    job.save(update_fields=["done", "made", "changed", "refused", "state"])
    return job


def _take(job: Import, screen: Screen, cells: Sequence[str]) -> bool:
    """One row: True for a new record, False for one that was there. Raises ValidationError."""
    told = {name: cell for name, cell in zip(job.mapping, cells, strict=False) if name}
    if FULL_NAME in told:
        first, last = split_name(told.pop(FULL_NAME))
        told = {"first_name": first, "last_name": last, **told}
    known = find(screen, job.workspace, told)
    form = screen.form(_typed(screen, job.workspace, told), workspace=job.workspace, only=tuple(told))
    if not form.is_valid():
        raise ValidationError(
            [f"{form.fields[name].label}: {text}" for name, texts in form.errors.items() for text in texts]
        )
    values = form.values()
    if known is None:
        screen.create(job.workspace, by=job.member, **values)
        return True
    if job.update_known:
        filled = {name for name, text in told.items() if text}
        kept = {name: value for name, value in values.items() if name in filled or name == "own"}
        screen.change(known, by=job.member, **_more(known, kept))
    return False


def _more(known: Record, values: dict[str, Any]) -> dict[str, Any]:
    """Lists grow: an address in a table is one more, not the only one."""
    for name, rows in (("addresses", "address_list"), ("domains", "domain_list")):
        if name in values and hasattr(known, rows):
            there = getattr(known, rows)()
            values[name] = [*there, *(one for one in values[name] if one not in there)]
    return values


def find(screen: Screen, workspace: Workspace, told: Mapping[str, str]) -> Record | None:
    """The record a row is about, if it is here: by address, by domain, by name where names are unique enough."""
    addresses = [part.strip().lower() for part in (told.get("addresses") or told.get("address") or "").split(",")]
    if screen.type.model is Person:
        row = PersonAddress.objects.for_workspace(workspace).filter(address__in=addresses).first()
        return row.person if row else None
    if screen.type.model is Candidate:
        return Candidate.objects.for_workspace(workspace).filter(person__addresses__address__in=addresses).first()
    if screen.type.model is Company:
        domains = [part.strip().lower() for part in told.get("domains", "").split(",")]
        owned = CompanyDomain.objects.for_workspace(workspace).filter(domain__in=domains).first()
        return owned.company if owned else _by_name(Company, workspace, told)
    return _by_name(Deal, workspace, told) if screen.type.model is Deal else None


def _by_name(model: type[Record], workspace: Workspace, told: Mapping[str, str]) -> Record | None:
    name = fold(told.get("name", ""))
    rows = model.objects.for_workspace(workspace).filter(sort_name=name) if name else model.objects.none()
    found: Record | None = rows.order_by("id").first()
    return found


def _typed(screen: Screen, workspace: Workspace, told: Mapping[str, str]) -> dict[str, Any]:
    """Cells as a form takes them: what people call a choice becomes its value."""
    form: RecordForm = screen.form(workspace=workspace)
    return {name: _choice(form.fields[name], text) for name, text in told.items() if name in form.fields}


def _choice(field: forms.Field, text: str) -> Any:
    wanted = fold(text)
    if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
        labels = (
            (one.pk, {fold(field.label_from_instance(one)), fold(getattr(one, "address", ""))})
            for one in field.queryset
        )
        return next((pk for pk, names in labels if wanted and wanted in names), text)
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        pairs = [(str(value), fold(str(label))) for value, label in choices]
        return next((value for value, label in pairs if wanted in (label, fold(value))), text)
    return text


def _guess(header: Sequence[str], wanted: Mapping[str, str]) -> list[str]:
    names = {fold(label): name for name, label in wanted.items()}
    for name, words in CALLED.items():
        if name in wanted:
            names = {**dict.fromkeys(words, name), **names}
    found: list[str] = []
    for column in header:
        name = names.get(fold(column), "")
        found.append("" if name in found else name)
    return found
