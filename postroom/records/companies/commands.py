"""What happens to companies, named as members would say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from postroom.records import addresses as typed
from postroom.records.commands import Labels, assign, derive_again, keep, named, replace_rows, shown
from postroom.records.history import Change, Event
from postroom.records.models import Company, CompanyDomain
from postroom.records.signals import addresses_changed
from postroom.records.text import fold
from postroom.workspaces.models import Membership, Workspace

LABELS: Labels = {"name": "Name", "website": "Website", "industry": "Industry", "owner": "Owner"}


@transaction.atomic
def create(
    workspace: Workspace, *, by: Membership | None, name: str, domains: Iterable[str] = (), **values: Any
) -> Company:
    """A new company. Raises ValidationError, keyed by field, for an empty name and for a domain of another company."""
    company = Company(workspace=workspace)
    assign(company, {"owner": by, **values, "name": named(name)}, LABELS)
    company.save()
    _set_domains(company, typed.unique(domains))
    keep(company, by=by, changes=[], verb=Event.Verb.CREATED)
    addresses_changed.send(Company, record=company, lost=False)
    return company


@transaction.atomic
def change(company: Company, *, by: Membership | None, domains: Iterable[str] | None = None, **values: Any) -> Company:
    """Set fields and, where given, the whole list of domains. Raises ValidationError as `create` does."""
    if "name" in values:
        values["name"] = named(values["name"])
    changes = assign(company, values, LABELS)
    renamed = any(one["field"] == LABELS["name"] for one in changes)
    added, removed = ([], []) if domains is None else _set_domains(company, typed.unique(domains))
    if added or removed:
        changes.append(Change(field="Domain", old=shown(removed), new=shown(added)))
    keep(company, by=by, changes=changes)
    if renamed:
        derive_again(company.people.all())
        derive_again(company.deals.all())
    if added or removed:
        addresses_changed.send(Company, record=company, lost=bool(removed))
    return company


def named_or_new(workspace: Workspace, name: str, *, by: Membership | None) -> Company:
    """The company of that name (case and accents aside), made when there is none."""
    found = Company.objects.for_workspace(workspace).filter(sort_name=fold(named(name))).order_by("id").first()
    return found or create(workspace, by=by, name=name)


def with_company(workspace: Workspace, values: dict[str, Any], *, by: Membership | None) -> dict[str, Any]:
    """The values of another record, with the company it names as text found or made."""
    if isinstance(name := values.get("company"), str):
        values = {**values, "company": named_or_new(workspace, name, by=by) if name.strip() else None}
    return values


def _set_domains(company: Company, wanted: list[str]) -> tuple[list[str], list[str]]:
    taken = CompanyDomain.objects.for_workspace(company.workspace_id).filter(domain__in=wanted).exclude(company=company)
    if other := taken.select_related("company").first():
        raise ValidationError({"domains": f"{other.domain} belongs to {other.company.name} already."})
    owner = {"workspace_id": company.workspace_id, "company": company}
    try:
        with transaction.atomic():
            return replace_rows(CompanyDomain, company.domains.all(), owner=owner, column="domain", values=wanted)
    except IntegrityError:  # somebody else took it in the same moment
        raise ValidationError({"domains": "One of these domains was just given to another company."}) from None
